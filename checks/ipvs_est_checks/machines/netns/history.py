"""One history of a netns: the system under watch, the naive model beside it."""

from collections.abc import Iterable
from dataclasses import dataclass, field

from ipvs_est import OperationError, Oracle, Params, Revision, Snapshot, ViolationError
from ipvs_est.answers.results import Deadlocked, Returned
from ipvs_est.language.operations import Operation
from ipvs_est_checks.broken_properties import is_chosen
from ipvs_est_checks.history.monitor import NewOracle, WatchedHistory, finish, step, watch
from ipvs_est_checks.history.subject_failure import SubjectFailure
from ipvs_est_checks.history.watchable import absent_of
from ipvs_est_checks.machines.naive.compare import SENTENCES, Difference, differences, wrong_answer
from ipvs_est_checks.machines.naive.model import NaiveModel, boot, live
from ipvs_est_checks.machines.naive.steps import (
    Heap,
    NaiveAnswer,
    follow,
    makes_sense,
    needs_netns,
    see,
)
from ipvs_est_checks.machines.netns.situations import Observer, observe

_SENSELESS = "model.senseless"
"""Id; it is seen in what is answered."""


@dataclass(slots=True)
class NetnsHistory:
    """What is known of a history while it goes on."""

    params: Params
    revision: Revision
    seen: WatchedHistory
    model: NaiveModel
    observer: Observer
    events: int = 0
    """How many of the recorded events are dealt with."""
    failing: dict[str, str] = field(default_factory=dict)
    """By property: what failed first."""


def begin(
    params: Params,
    revision: Revision,
    new_oracle: NewOracle = Oracle,
    properties: frozenset[str] | None = None,
) -> NetnsHistory:
    """Start one, before netns init; only these properties are looked at, None = all."""
    seen = watch(params, revision, new_oracle, properties)
    return NetnsHistory(params, revision, seen, boot(params, revision), Observer())


def do(history: NetnsHistory, operation: Operation) -> list[str]:
    """Apply one operation to both; answers the properties that failed by it for the first time."""
    seen, model = history.seen, history.model
    before = seen.before
    sensible = makes_sense(model, operation)
    known = set(live(model))
    result = step(seen, operation)
    events = (seen.oracle.machine.events or [])[history.events :]
    history.events += len(events)
    found: list[Difference] = []
    answer = NaiveAnswer()
    if isinstance(result, OperationError):
        if sensible or seen.oracle.snapshot() != before:
            found.append((_SENSELESS, f"{operation} gave: {result}"))
    elif not sensible:
        found.append((_SENSELESS, f"{operation} was done"))
    elif not isinstance(result, ViolationError | Deadlocked | SubjectFailure):
        heap = Heap(before.memory.allocations, before.memory.failing)
        if isinstance(result, Returned) and _had_to_wait(before) and heap.failing is not None:
            # Whoever ran meanwhile may have allocated as well: the model cannot know who
            # met the failure, so the answer decides.
            heap = Heap(0, (1, 1) if result.ret else None)
        answer = follow(model, operation, heap)
        unknown = see(model, events, known)
        if unknown:
            found.append(("model.estimated", f"objects {unknown} were estimated"))
        if _compares(history):
            found += wrong_answer(answer, result, seen.before)
            found += differences(model, seen.before)
    for sentence in SENTENCES if _compares(history) else (_SENSELESS,):
        if is_chosen(seen.properties, sentence):
            seen.checks[sentence] += 1
    if not isinstance(result, OperationError | SubjectFailure):
        observe(history.observer, operation, result, answer, before, seen.before, events)
    return _note(history, found)


def end(history: NetnsHistory) -> list[str]:
    """End it with a quiet time; answers the properties that failed by it for the first time."""
    finish(history.seen)
    return _note(history, [])


def ended(history: NetnsHistory) -> bool:
    """Nothing defined follows."""
    return bool(history.seen.oracle.ended)


def failures_of(
    params: Params,
    revision: Revision,
    operations: Iterable[Operation],
    new_oracle: NewOracle = Oracle,
    properties: frozenset[str] | None = None,
) -> dict[str, str]:
    """By property: what fails in a whole history; nothing in one that no netns can have."""
    history = begin(params, revision, new_oracle, properties)
    for operation in operations:
        if needs_netns(operation) and not history.model.initialised:
            return {}
        do(history, operation)
        if ended(history) or lost(history):
            break
    end(history)
    return history.failing


def _compares(history: NetnsHistory) -> bool:
    """Whether something that only the naive model states is looked at, and can be: it follows the
    estimations by the events, and reads the whole state."""
    system, properties = history.seen.oracle, history.seen.properties
    if system.machine.events is None or absent_of(system):
        return False
    return properties is None or not properties.isdisjoint(SENTENCES)


def lost(history: NetnsHistory) -> bool:
    """Model and system have parted: what follows would only repeat it."""
    return any(name in SENTENCES for name in history.failing)


def _had_to_wait(before: Snapshot) -> bool:
    return any(mutex.owner is not None for mutex in before.mutexes)


def _note(history: NetnsHistory, found: list[Difference]) -> list[str]:
    fresh: list[str] = []
    for name, failure in history.seen.failures.items():
        if name not in history.failing:
            history.failing[name] = failure.detail
            fresh.append(name)
    for name, text in found:
        if name not in history.failing and is_chosen(history.seen.properties, name):
            history.failing[name] = f"{SENTENCES[name]} Found: {text}."
            fresh.append(name)
    return fresh
