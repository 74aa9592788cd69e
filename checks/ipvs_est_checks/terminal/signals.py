"""SIGTERM and SIGHUP end a command as ctrl-C does: what was found so far is reported."""

import signal
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from time import monotonic
from types import FrameType

from ipvs_est_checks.terminal import exit_codes
from ipvs_est_checks.workers import ENDING

# `timeout` and terminals send a signal to the command and again to its process group: that is one.
_SECONDS_OF_ONE = 1.0


@dataclass(slots=True)
class Ending:
    """Whether a signal has asked for the end."""

    number: int = 0
    """Of the signal; 0 = none."""
    at: float = 0.0
    """By the monotonic clock."""


@contextmanager
def ending_signals() -> Iterator[Ending]:
    """Meanwhile the signals raise KeyboardInterrupt; those that are ignored stay so."""
    ending = Ending()

    def handle(number: int, _: FrameType | None) -> None:
        now = monotonic()
        if ending.number and now - ending.at < _SECONDS_OF_ONE:
            return
        # The first says how the command ends; another one is about the report that is written.
        ending.number = ending.number or number
        ending.at = now
        raise KeyboardInterrupt

    before = {}
    for each in ENDING:
        if signal.getsignal(each) in (signal.SIG_DFL, signal.default_int_handler):
            before[each] = signal.signal(each, handle)
    try:
        yield ending
    finally:
        for each, handler in before.items():
            signal.signal(each, handler)


def with_signal(code: int, ending: Ending) -> int:
    """The exit code that also tells which signal has interrupted."""
    if code == exit_codes.INTERRUPTED and ending.number:
        return 128 + ending.number
    return code
