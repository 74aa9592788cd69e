"""Who goes next: exhaustive, probabilistic and random schedulers."""
