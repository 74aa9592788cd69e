"""Theorems on the limits test and on what estimating costs (semantics sections 2 and 11)."""
