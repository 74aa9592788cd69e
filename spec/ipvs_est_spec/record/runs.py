"""Whose doing an event is: the runs of tasks in a record, with the mutexes that they hold."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from ipvs_est.language.events import Event, Guarded, LockReleased, LockTaken, Paused, Resumed

SERVICE_MUTEX = frozenset({"__ip_vs_mutex", "service_mutex"})
"""Its names: before mainline it is one for all netns, then each netns has its own."""
EST_MUTEX = "est_mutex"
ENTRIES = (LockTaken, LockReleased, Paused)
"""What shows the guarded fields while a run goes on, or at its end."""
_LOCKS = (LockTaken, LockReleased)


@dataclass(frozen=True, slots=True)
class TaskRun:
    """The task that runs."""

    task: str
    ktid: int | None
    """The kthread's id; None for other tasks."""
    held: frozenset[str]
    """Names of the mutexes that it holds."""
    guarded: Guarded
    """Guarded fields at the last entry of this run."""


_Marked = Sequence[tuple[Event, TaskRun | None]]


def runs(events: Sequence[Event]) -> _Marked:
    """Each event with the run that it belongs to, as it was just before; None: not known."""
    last = _last[0]
    if last is None or last[0] is not events or len(last[1]) != len(events):
        _last[0] = last = events, _runs(events)
    return last[1]


# Several properties ask about the same record, one after the other.
_last: list[tuple[Sequence[Event], _Marked] | None] = [None]


def _runs(events: Sequence[Event]) -> _Marked:
    marked: list[tuple[Event, TaskRun | None]] = []
    held: dict[str, frozenset[str]] = {}
    run: TaskRun | None = None
    nothing: frozenset[str] = frozenset()
    for event in events:
        marked.append((event, run))
        if isinstance(event, Resumed):
            locks = held.get(event.task, nothing)
            run = TaskRun(event.task, event.ktid, locks, event.guarded)
        elif isinstance(event, _LOCKS):
            locks = held.get(event.task, nothing)
            one = frozenset({event.mutex})
            locks = locks | one if isinstance(event, LockTaken) else locks - one
            held[event.task] = locks
            run = TaskRun(event.task, event.ktid, locks, event.guarded)
        elif isinstance(event, Paused):
            run = None
    return marked


@dataclass(frozen=True, slots=True)
class FieldChange:
    """A stretch of one run at whose end guarded fields differ from its beginning."""

    run: TaskRun
    """As it was all along."""
    before: Guarded
    after: Guarded


def changes(events: Sequence[Event]) -> Iterator[FieldChange]:
    """Each such stretch."""
    for event, run in runs(events):
        if run is not None and isinstance(event, ENTRIES) and event.guarded != run.guarded:
            yield FieldChange(run, run.guarded, event.guarded)
