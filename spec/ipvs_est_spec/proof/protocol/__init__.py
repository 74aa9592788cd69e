"""The protocol of locks and tasks as a transition system (semantics sections 4 to 12, 14, 15)."""
