"""F(.): what turns a photo into a label map. Heavy libraries are imported inside functions, behind extras."""
