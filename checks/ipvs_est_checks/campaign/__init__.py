"""Campaigns: generated cases for a long time, and a corpus of those that are worth keeping."""
