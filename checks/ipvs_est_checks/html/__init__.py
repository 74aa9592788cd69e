"""`check --html`: the report as a page that stands alone."""
