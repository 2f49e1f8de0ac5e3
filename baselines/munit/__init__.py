"""MUNIT: unpaired multimodal translation from label pictures to photos; see method.py."""
