"""Rendered worlds: data sets that ship as code and know their own true answers."""

LABELER_SEED = 1  # data.seed of the pictures that the shipped labelers have learnt (scripts/train_procedural_labeler.py)
