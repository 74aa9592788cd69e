"""Locks: their order, and what is changed only under them."""

from collections.abc import Iterator, Sequence
from typing import TypeVar

from ipvs_est.language.events import Enqueued, Event, LockTaken, Paused, Relinked, Started, Stopped
from ipvs_est.language.params import Params
from ipvs_est_spec.algebra.algebra import Algebra
from ipvs_est_spec.property import Case
from ipvs_est_spec.record.by_kind import of_kind, of_kinds
from ipvs_est_spec.record.runs import EST_MUTEX, SERVICE_MUTEX, changes, runs

B = TypeVar("B")
N = TypeVar("N")

_TAKES = (LockTaken, Paused)
_MOVES = (Started, Stopped, Enqueued, Relinked)


def order_cases(params: Params, events: Sequence[Event]) -> Iterator[Case]:
    """For each time that a task takes the service mutex or begins to wait for it: 1 if it holds
    est_mutex."""
    del params
    for event, run in runs(events):
        if run is not None and isinstance(event, _TAKES) and event.mutex in SERVICE_MUTEX:
            yield (int(EST_MUTEX in run.held),)


def is_zero(a: Algebra[B, N], case: Sequence[N]) -> B:
    """The number is 0."""
    (number,) = case
    return a.equal(number, a.number(0))


def kthread_cases(params: Params, events: Sequence[Event]) -> Iterator[Case]:
    """For each time that a kthread takes a mutex or begins to wait for one: its id."""
    del params
    for event in of_kinds(events, *_TAKES):
        if isinstance(event, _TAKES) and event.mutex and event.ktid is not None:
            yield (event.ktid,)


def list_cases(params: Params, events: Sequence[Event]) -> Iterator[Case]:
    """For each change of the temp list or a chain: 1 if the task that makes it holds the service
    mutex, 1 if it is a control process with no kthread and no reload work alive."""
    del params
    for event, run in runs(events):
        if run is not None and isinstance(event, _MOVES):
            yield int(not SERVICE_MUTEX.isdisjoint(run.held)), int(run.guarded.alone)


def locked_or_alone(a: Algebra[B, N], case: Sequence[N]) -> B:
    """It holds the mutex, or nobody else is there."""
    held, alone = case
    return a.either(a.equal(held, a.number(1)), a.equal(alone, a.number(1)))


def est_field_cases(params: Params, events: Sequence[Event]) -> Iterator[Case]:
    """For each change of a field that est_mutex guards: 1 if the task that makes it holds it,
    1 if that is a control process with no kthread and no reload work alive."""
    del params
    for change in changes(events):
        if change.before.est != change.after.est:
            yield int(EST_MUTEX in change.run.held), int(change.before.alone and change.after.alone)


def service_field_cases(params: Params, events: Sequence[Event]) -> Iterator[Case]:
    """The same for the fields that the service mutex guards."""
    del params
    for change in changes(events):
        if change.before.service != change.after.service:
            held = not SERVICE_MUTEX.isdisjoint(change.run.held)
            yield int(held), int(change.before.alone and change.after.alone)


def wait_cases(params: Params, events: Sequence[Event]) -> Iterator[Case]:
    """For each wait of a task that is no kthread, other than for a mutex or for such a task: 1
    if it waits for time to pass, 1 if it waits for a kthread that was asked to stop."""
    del params
    for event in of_kind(events, Paused):
        if event.ktid is not None:
            continue
        if event.sleeps or event.exit_of is not None:
            yield int(event.sleeps), int(event.asked)


def only_for_the_stopped(a: Algebra[B, N], case: Sequence[N]) -> B:
    """It waits for a kthread that was asked to stop."""
    sleeps, asked = case
    return a.both(a.equal(sleeps, a.number(0)), a.equal(asked, a.number(1)))
