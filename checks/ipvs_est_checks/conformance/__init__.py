"""Replaying recorded traces."""
