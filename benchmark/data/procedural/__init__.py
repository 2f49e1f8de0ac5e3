"""Rendered worlds: data sets that ship as code and know their own true answers."""
