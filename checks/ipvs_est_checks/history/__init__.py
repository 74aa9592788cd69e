"""Histories: read from files, run under watch, told in words."""
