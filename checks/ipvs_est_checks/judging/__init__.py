"""Properties on what somebody has: states, traces and events from whatever source."""
