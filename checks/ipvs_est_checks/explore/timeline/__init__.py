"""A schedule told as a timeline."""
