"""What schedules on a tree's code show: accesses in conflict."""
