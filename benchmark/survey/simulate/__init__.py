"""`bench survey simulate`: programs judge pictures as the model of a crowd says, over HTTP, on the server that people
meet; then what was put in stands beside what the analysis finds. Load test and test of the statistics in one.

crowd.py    what the raters are like, and what their votes should come to
visitor.py  one rater on one connection: pages, trials, code
drive.py    a server, and visitors until every pair is full
verdict.py  is every pair balanced, and does each interval cover what was put in?
"""
