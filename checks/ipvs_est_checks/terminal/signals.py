"""SIGTERM and SIGHUP end a command as ctrl-C does: what was found so far is reported."""

import signal
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
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
    for entry in ENDING:
        if signal.getsignal(entry) in (signal.SIG_DFL, signal.default_int_handler):
            before[entry] = signal.signal(entry, handle)
    try:
        yield ending
    finally:
        for entry, handler in before.items():
            signal.signal(entry, handler)


@dataclass(slots=True)
class Deferred:
    """A signal that waits."""

    number: int = 0
    """0 = none has come."""
    at: float = 0.0
    """By the monotonic clock."""
    handle: Callable[[], object] | None = None
    """What it would have done."""

    def act(self) -> None:
        """Do what the signal would have done, if one has come."""
        if self.handle is not None:
            handle, self.handle = self.handle, None
            handle()


@contextmanager
def deferred_signals() -> Iterator[Deferred]:
    """Meanwhile the first signal that ends a command waits until `act`; the next one does not."""
    deferred = Deferred()

    def handle(number: int, frame: FrameType | None) -> None:
        action, now = before[number], monotonic()
        if not deferred.number:
            deferred.number, deferred.at = number, now
            deferred.handle = partial(action, number, frame)
        elif now - deferred.at >= _SECONDS_OF_ONE:
            action(number, frame)

    before: dict[int, Callable[[int, FrameType | None], object]] = {}
    for entry in ENDING:
        known = signal.getsignal(entry)
        # One that is ignored stays so, and one that ends the process is not ours to hold.
        if callable(known):
            before[entry] = known
            signal.signal(entry, handle)
    try:
        yield deferred
    finally:
        for entry, known in before.items():
            signal.signal(entry, known)
    deferred.act()


def with_signal(code: int, ending: Ending) -> int:
    """The exit code that also tells which signal has interrupted."""
    if code == exit_codes.INTERRUPTED and ending.number:
        return 128 + ending.number
    return code
