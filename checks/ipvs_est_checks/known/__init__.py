"""The findings, and whether a failure is one of them."""
