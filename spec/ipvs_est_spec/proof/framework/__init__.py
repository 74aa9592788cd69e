"""What a theorem is and how z3 decides it."""
