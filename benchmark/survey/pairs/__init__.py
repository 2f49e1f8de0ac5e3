"""Pairs of frames marked by hand: do these two share a style? (pix2pixSC sec 3.3)

    bench pairs label --task face --data prepared --who anna --out labels.csv
    bench run --task face --data prepared --set pairs.labels=labels.csv ...

drawing.py     which pairs are shown: those that training would draw
app.py         the page
agreement.py   how far labellers agree
The file itself is `benchmark.data.pair_labels`; training reads it by `benchmark.data.consistency`.
"""
