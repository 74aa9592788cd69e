"""Scenarios: the library's, and generated ones."""
