"""The states that predicates ask, and what a predicate says of one on which it fails."""
