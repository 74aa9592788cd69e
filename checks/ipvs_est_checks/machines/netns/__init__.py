"""The whole netns at the operation level, in random histories."""
