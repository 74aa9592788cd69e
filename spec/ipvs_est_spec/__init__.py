"""The properties of the estimator, each written once, and their proofs."""
