"""A study without a server: a zip for any static host, and the way back of its answers.

blocks.py     who judges what, dealt out ahead by the hosted study's own allocation
site.py       the zip: the hosted pages, styles and trials, and assets/static.js in place of the server
answers.py    one file of answers: what has to be true of it
importing.py  from such files to votes
lacking.py    which pairs and participant numbers still lack answers
"""
