"""Rendered worlds: data sets that ship as code and know their own true answers."""

# data.seed of the pictures that the shipped labelers have learnt (scripts/train_procedural_labeler.py)
LABELER_SEED = 1
