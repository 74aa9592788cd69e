"""Theorems on counters and rates (semantics section 3)."""
