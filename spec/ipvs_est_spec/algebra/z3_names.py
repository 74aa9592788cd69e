"""The one module that imports z3; all others take its names from here."""

import z3

__all__ = ["z3"]
