"""Kernels for tests: trees, guests, and memory that a test makes."""
