"""What holds for all tests."""

import signal


def pytest_configure() -> None:
    """Let ctrl-C reach what tests start, also where pytest runs in a shell's background.

    Such a shell has its jobs ignore SIGINT, processes inherit that, and tests that interrupt a
    command would wait for ever.
    """
    if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
        signal.signal(signal.SIGINT, signal.default_int_handler)
