"""The theorems: what holds for all states, counts, costs or interleavings, proved with z3."""
