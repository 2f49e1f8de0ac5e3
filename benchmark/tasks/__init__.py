"""The tasks of the benchmark, and the methods that `--methods all` means for each of them."""

METHODS = (  # in the order of a report's rows; a method that a task cannot serve says so there
    "real",
    "copy-exemplar",
    "pix2pix",
    "crn",
    "pg2",
    "munit",
    "paired-munit",
    "pix2pixhd",
    "pix2pixhd-dpst",
    "pix2pixsc-no-adaptive",
    "pix2pixsc-no-sc",
    "pix2pixsc-no-scadv",
    "pix2pixsc",
)
