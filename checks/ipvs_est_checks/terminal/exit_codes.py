"""What the exit code of `ipvs-est` says."""

PASS = 0
FAIL = 1
BAD_INPUT = 2
"""Usage or input that cannot be used; also what click exits with."""
INCOMPLETE = 3
"""Nothing failed, but not everything was looked at."""
INTERRUPTED = 130
"""Ctrl-C, as a shell reports it. After SIGTERM it is 143, after SIGHUP 129: see `signals`."""
DEAD_PIPE = 141
"""Nobody reads the output any more: as a shell reports it, and no verdict."""
