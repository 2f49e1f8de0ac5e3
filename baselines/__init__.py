"""Methods to compare with, and the reference rows."""
