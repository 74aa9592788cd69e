"""How a tree is called in reports."""

TREE = "tree"
"""What stands for a revision in its rows."""
