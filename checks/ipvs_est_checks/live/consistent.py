"""Readings of which it is known that they are one state: guarded, and made again until they are."""

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, nullcontext
from dataclasses import dataclass
from pathlib import Path

from ipvs_est_checks.live.memory.dump import open_dump
from ipvs_est_checks.live.memory.live import open_live
from ipvs_est_checks.live.memory.qemu import Guest, open_qemu, stopped
from ipvs_est_checks.live.memory.unreadable import TornError, UnmappedError
from ipvs_est_checks.live.reading.netns import Namespace, NetnsReading, Reader
from ipvs_est_checks.live.tracefs import Instance, guard_definitions, hits, probing

_SECONDS = 10.0
"""How long a consistent reading is tried for."""
_PAUSE = 0.02


@dataclass(frozen=True, slots=True)
class Looked:
    """What a look at a netns has brought."""

    reading: NetnsReading | None
    """None: in none of the tries it stood still."""
    tries: int
    seconds: float
    """The last try, from its first read to the snapshot."""
    changes: tuple[int, ...]
    """Hits of the probes; equal ones mean that nothing was configured between."""


@dataclass(frozen=True, slots=True)
class Target:
    """A kernel that can be looked at."""

    reader: Reader
    look: Callable[[Namespace], Looked]
    """Raises UnreadableError."""
    goes_on: bool
    """It runs between two looks: there is something to wait for."""
    watched: bool
    """`changes` tell of everything that is configured."""


@contextmanager
def live_target(*, probes: bool, root: Path = Path("/")) -> Iterator[Target]:
    """The running kernel. Raises UnreadableError."""
    with open_live(root) as kernel:
        reader = Reader(kernel)
        guard = probing(guard_definitions(), "ipvs_est")
        with guard if probes else nullcontext() as instance:
            yield Target(
                reader,
                lambda namespace: look_at_running(reader, namespace, instance),
                goes_on=True,
                watched=instance is not None,
            )


@contextmanager
def dump_target(path: Path) -> Iterator[Target]:
    """A dump. Raises UnreadableError."""
    with open_dump(path) as kernel:
        reader = Reader(kernel)
        yield Target(
            reader, lambda namespace: _look(reader, namespace), goes_on=False, watched=False
        )


@contextmanager
def qemu_target(path: Path) -> Iterator[Target]:
    """A guest, which stands still while it is looked at. Raises UnreadableError."""
    with open_qemu(path) as guest:
        with stopped(guest.qmp):
            reader = Reader(guest.kernel)
        yield Target(
            reader,
            lambda namespace: _look_at_guest(guest, reader, namespace),
            goes_on=True,
            watched=False,
        )


def _look(reader: Reader, namespace: Namespace) -> Looked:
    """At what stands still."""
    reader.kernel.forget()
    began = time.perf_counter()
    reading = reader.read(namespace)
    return Looked(reading, 1, time.perf_counter() - began, ())


def _look_at_guest(guest: Guest, reader: Reader, namespace: Namespace) -> Looked:
    with stopped(guest.qmp):
        return _look(reader, namespace)


def look_at_running(reader: Reader, namespace: Namespace, guard: Instance | None) -> Looked:
    """Until a reading is one state: nothing was started, stopped or reloaded from before it until
    after it, what it saw is still there at its end, and no mutex is held."""
    deadline = time.monotonic() + _SECONDS
    tries = 0
    while True:
        tries += 1
        before = () if guard is None else hits(guard)
        reader.kernel.forget()
        began = time.perf_counter()
        reading: NetnsReading | None = None
        try:
            reading = reader.read(namespace)
        except (TornError, UnmappedError):
            # What a change under our eyes looks like.
            reading = None
        seconds = time.perf_counter() - began
        if reading is not None:
            free = all(mutex.owner is None for mutex in reading.snapshot.mutexes)
            if free and reader.unchanged(reading):
                after = () if guard is None else hits(guard)
                if after == before:
                    return Looked(reading, tries, seconds, after)
        if time.monotonic() > deadline:
            return Looked(None, tries, seconds, ())
        time.sleep(_PAUSE)
