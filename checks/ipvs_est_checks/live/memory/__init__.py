"""Kernel memory, symbols and types, wherever they come from."""
