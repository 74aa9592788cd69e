"""Inductive invariants: what holds initially and is preserved by each step, for any number of
estimators and kthreads and any chain_max."""
