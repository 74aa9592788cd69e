"""What holds for all tests."""

import os
import signal

import pytest


def pytest_configure() -> None:
    """Let ctrl-C reach what tests start, also where pytest runs in a shell's background.

    Such a shell has its jobs ignore SIGINT, processes inherit that, and tests that interrupt a
    command would wait for ever.
    """
    if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
        signal.signal(signal.SIGINT, signal.default_int_handler)


_CHOICES = ("none", "one", "all")


def pytest_addoption(parser: pytest.Parser) -> None:
    """`--guests`; a gate sets IPVS_EST_GUEST_TESTS instead."""
    parser.addoption(
        "--guests",
        choices=_CHOICES,
        default=os.environ.get("IPVS_EST_GUEST_TESTS", "none"),
        help="Start guests with real kernels: none, the one of the gate, or all.",
    )
