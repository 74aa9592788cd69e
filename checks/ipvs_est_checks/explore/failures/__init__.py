"""Failing schedules: their cause, the shortest one, token and report."""
