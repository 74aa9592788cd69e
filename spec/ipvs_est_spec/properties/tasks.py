"""Tasks and limits at the moment when something happens, from the record of events."""

from collections.abc import Iterator, Sequence
from typing import TypeVar

from ipvs_est.language.events import (
    ContextAdded,
    Event,
    ExitBegun,
    ExitEnded,
    RelinkingBegun,
    RelinkingEnded,
    TaskStarted,
)
from ipvs_est.language.params import Params
from ipvs_est_spec.algebra.algebra import Algebra
from ipvs_est_spec.property import Case
from ipvs_est_spec.record.by_kind import of_kind, of_kinds
from ipvs_est_spec.state.abstract_state import AbstractState

B = TypeVar("B")
N = TypeVar("N")


def start_cases(params: Params, events: Sequence[Event]) -> Iterator[Case]:
    """For each start of a kthread: `enable`, slot, 1 while estimators are relinked, 1 during
    netns exit."""
    del params
    relinking = exiting = 0
    kinds = (RelinkingBegun, RelinkingEnded, ExitBegun, ExitEnded, TaskStarted)
    for event in of_kinds(events, *kinds):
        if isinstance(event, RelinkingBegun):
            relinking = 1
        elif isinstance(event, RelinkingEnded):
            relinking = 0
        elif isinstance(event, ExitBegun):
            exiting = 1
        elif isinstance(event, ExitEnded):
            exiting = 0
        elif isinstance(event, TaskStarted):
            yield int(event.enable), event.ktid, relinking, exiting


def started_while_enabled(a: Algebra[B, N], case: Sequence[N]) -> B:
    """`enable` is 1, and netns exit has not begun."""
    enable, _, _, exiting = case
    return a.both(a.equal(enable, a.number(1)), a.equal(exiting, a.number(0)))


def started_outside_relinking(a: Algebra[B, N], case: Sequence[N]) -> B:
    """It is kthread 0, or nothing is being relinked."""
    _, slot, relinking, _ = case
    return a.either(a.equal(slot, a.number(0)), a.equal(relinking, a.number(0)))


def publication_cases(params: Params, events: Sequence[Event]) -> Iterator[Case]:
    """For each context published: contexts then, `est_max_threads` then."""
    del params
    for event in of_kind(events, ContextAdded):
        yield event.contexts, event.max_threads


def published_within_limit(a: Algebra[B, N], case: Sequence[N]) -> B:
    """No more contexts than threads are allowed, once a limit is computed."""
    contexts, max_threads = case
    return a.either(a.equal(max_threads, a.number(0)), a.at_most(contexts, max_threads))


def task_is_referenced(state: AbstractState[B, N]) -> B:
    """A kd's `task` points to a task that is not freed, but for one that was asked to stop: who
    asked waits for its exit, and then clears the pointer."""
    a = state.algebra
    return state.every_slot(
        lambda slot: a.implies(state.task_freed(slot), state.task_stopping(slot))
    )
