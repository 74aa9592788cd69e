"""Schedules on a tree's code: runs, searches, accesses in conflict."""
