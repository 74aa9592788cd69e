"""Measuring the speed of the model and of the explorer."""
