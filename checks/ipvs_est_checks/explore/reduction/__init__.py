"""Which orders of steps come to the same: what steps touch, and what follows for a search."""
