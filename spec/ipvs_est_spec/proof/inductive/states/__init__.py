"""Whole states in the proofs: symbols, formulas over them, and what is true of every one."""
