"""What the estimator keeps: netns, kthread contexts, stats objects, and their machine."""
