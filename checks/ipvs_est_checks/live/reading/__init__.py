"""The estimators of a netns in kernel memory, as a snapshot."""
