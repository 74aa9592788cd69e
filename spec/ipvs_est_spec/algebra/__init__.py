"""What predicates are written with, for Python's own values and for z3's terms."""
