"""Preference studies: people say which of two results they prefer (pix2pixSC Table 3, pix2pixHD sec 4.2).

    bench survey plan --preset pix2pixsc --detect 0.60
    bench survey build --run runs/face-demo --main pix2pixsc --out study
    bench survey serve study

design.py      what is asked, of how many, about what: the definition, frozen at build
material.py    which pictures: from a finished run, or from folders
pictures.py    one encoder, one size and one length of file for all of them
folder.py      a study folder: definition, keys, pictures, database
tables.py      the database; store.py opens it; every write is one transaction
allocation.py  who judges what: exactly N people a pair, both sides equally often
voting.py      a vote comes in, the next trial goes out
people.py      admission, consent, completion codes, forgetting
web/           the pages
pairs/         pairs of frames marked by hand (bench pairs)
"""
