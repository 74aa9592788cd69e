"""Theorems on the choice of row and chain (semantics section 5)."""
