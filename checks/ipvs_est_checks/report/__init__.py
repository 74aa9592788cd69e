"""Rows, verdicts and reports, for people and for programs."""
