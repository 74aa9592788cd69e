"""The estimator of a running kernel, of a crash dump or of a paused guest: read, and judged."""
