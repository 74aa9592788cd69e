"""Whose doing an event is: the runs of tasks in a record, with the mutexes that they hold."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from ipvs_est.events import Event, Guarded, LockReleased, LockTaken, Paused, Resumed

SERVICE_MUTEX = "__ip_vs_mutex"
EST_MUTEX = "est_mutex"


@dataclass(frozen=True, slots=True)
class Run:
    """The task that runs."""

    task: str
    ktid: int | None
    """The kthread's id; None for other tasks."""
    held: frozenset[str]
    """Names of the mutexes that it holds."""
    guarded: Guarded
    """Guarded fields at the last entry of this run."""


def runs(events: Sequence[Event]) -> Iterator[tuple[Event, Run | None]]:
    """Each event with the run that it belongs to, as it was just before; None: not known."""
    held: dict[str, frozenset[str]] = {}
    run: Run | None = None
    nothing: frozenset[str] = frozenset()
    for event in events:
        yield event, run
        if isinstance(event, Resumed):
            locks = held.get(event.task, nothing)
            run = Run(event.task, event.ktid, locks, event.guarded)
        elif isinstance(event, LockTaken | LockReleased):
            locks = held.get(event.task, nothing)
            one = frozenset({event.mutex})
            locks = locks | one if isinstance(event, LockTaken) else locks - one
            held[event.task] = locks
            run = Run(event.task, event.ktid, locks, event.guarded)
        elif isinstance(event, Paused):
            run = None


@dataclass(frozen=True, slots=True)
class Change:
    """A stretch of one run at whose end guarded fields differ from its beginning."""

    run: Run
    """As it was all along."""
    before: Guarded
    after: Guarded


def changes(events: Sequence[Event]) -> Iterator[Change]:
    """Each such stretch."""
    for event, run in runs(events):
        if (
            run is not None
            and isinstance(event, LockTaken | LockReleased | Paused)
            and event.guarded != run.guarded
        ):
            yield Change(run, run.guarded, event.guarded)
