"""The predicates of the catalogue, one module for each group."""
