"""Theorems on `est_timer` and the time between estimations (semantics sections 2, 8 and 9)."""
