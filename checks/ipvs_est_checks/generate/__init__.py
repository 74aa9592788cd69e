"""Histories and scenarios made from a seed, for any use."""
