"""Running one scenario under one schedule, and many."""
