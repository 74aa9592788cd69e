"""Parts of the system in random histories: one context, one counter group, cpulist text."""
