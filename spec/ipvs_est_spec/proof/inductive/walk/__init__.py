"""The walk of the calc phase over all rows of all kds (semantics section 11)."""
