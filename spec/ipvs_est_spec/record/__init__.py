"""What a record of events tells: its events by what they are, and the runs of tasks."""
