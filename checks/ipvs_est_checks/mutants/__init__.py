"""Mistakes planted into the model, and which property finds each."""
