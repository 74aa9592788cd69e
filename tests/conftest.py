"""What holds for all tests."""

import os
import signal
from collections.abc import Iterator

import pytest

from schema_check import checking_reports


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


@pytest.fixture(scope="session", autouse=True)
def _every_report_fits_its_schema() -> Iterator[None]:
    """Whatever report a test has written, it is held to the schema of its name."""
    with checking_reports():
        yield
