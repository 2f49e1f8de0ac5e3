"""Deep Photo Style Transfer behind pix2pixHD, the SC paper's second baseline (spec: systems 5).

method.py is the registered method, transfer.py the transfer of a batch; each other file is one of its parts.
"""
