"""Counterexamples of theorems and of their twins, executed in the model."""
