"""Histories on a tree's code: answered, judged, recorded, compared."""
