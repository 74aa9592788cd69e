"""A history under watch: every property of the catalogue at every point in its scope."""

from collections import Counter
from collections.abc import Callable, Iterable
from dataclasses import dataclass

from ipvs_est import OperationError, Oracle, Params, Revision, Snapshot, ViolationError
from ipvs_est.answers.results import Deadlocked, Result
from ipvs_est.language.operations import Advance, Operation, Settle
from ipvs_est.language.violations import describe
from ipvs_est_checks.broken_properties import (
    QUIET,
    broken_cases,
    broken_states,
    is_chosen,
    quiet_jiffies,
    record_properties,
    scopes_of,
)
from ipvs_est_checks.history.subject_failure import SubjectError, SubjectFailure
from ipvs_est_checks.history.watchable import Watchable, absent_of
from ipvs_est_checks.partly_known.known_states import broken_in
from ipvs_est_checks.partly_known.partial import Partial
from ipvs_est_spec.catalogue import VIOLATION_PROPERTIES

NewOracle = Callable[[Params, Revision], Watchable]
"""Makes the system under test: mutants make a changed one, subjects are programs."""


Outcome = Result | OperationError | ViolationError | SubjectFailure
"""What became of an operation."""


@dataclass(frozen=True, slots=True)
class Failure:
    """A property that does not hold."""

    property: str
    """Its id."""
    step: int
    """Index of the operation after which it failed, from 0; -1 = in the quiet time at the end
    or seen in the record as a whole."""
    detail: str
    before: Snapshot
    after: Snapshot


@dataclass(slots=True)
class WatchedHistory:
    """What watching a history has shown so far."""

    oracle: Watchable
    revision: Revision
    """The one asked for; a subject has a behaviour of its own."""
    checks: Counter[str]
    """Evaluations of each property."""
    failures: dict[str, Failure]
    """First failure of each property."""
    operations: list[Operation]
    """What was applied."""
    before: Snapshot
    properties: frozenset[str] | None = None
    """Ids of those that are checked; None = all."""


def watch(
    params: Params,
    revision: Revision,
    new_oracle: NewOracle = Oracle,
    properties: frozenset[str] | None = None,
) -> WatchedHistory:
    """Start watching a machine, for these properties; None = all."""
    oracle = new_oracle(params, revision)
    if isinstance(oracle, Oracle):
        # A subject records if it can; the model has to be told.
        oracle.machine.events = []
    return WatchedHistory(oracle, revision, Counter(), {}, [], oracle.snapshot(), properties)


def step(seen: WatchedHistory, operation: Operation) -> Outcome:
    """Apply one operation and check all that has to hold afterwards.

    An operation that makes no sense there is answered with its error and changes nothing.
    """
    oracle = seen.oracle
    known = len(oracle.violations)
    result: Outcome
    try:
        result = oracle.apply(operation)
    except OperationError as error:
        return error
    except ViolationError as error:
        result = error
    except SubjectError as error:
        return _failed(seen, operation, error.failure)
    seen.operations.append(operation)
    index = len(seen.operations) - 1
    try:
        after = oracle.snapshot()
    except SubjectError as error:
        return _failed(seen, operation, error.failure)
    _check_violations(seen, known, index, after)
    if not oracle.ended:
        settled = isinstance(operation, Advance | Settle)
        _check_state(seen, scopes_of(after, settled=settled), index, after)
    seen.before = after
    return result


def finish(seen: WatchedHistory) -> None:
    """End the history: a quiet time, if tasks may run, then the record as a whole."""
    oracle = seen.oracle
    state = seen.before.state
    if not oracle.ended and state.enable and not state.stopped:
        known = len(oracle.violations)
        quiet = Advance(quiet_jiffies(oracle.machine.params))
        answer: Result | None
        try:
            answer = oracle.apply(quiet)
        except ViolationError:
            answer = None
        except SubjectError as error:
            _fail(seen, error.failure.kind.value, -1, error.failure.detail, seen.before)
            return
        after = oracle.snapshot()
        _check_violations(seen, known, -1, after)
        if answer is not None and not isinstance(answer, Deadlocked):
            scopes = scopes_of(after, settled=True) | QUIET
            _check_state(seen, scopes, -1, after)
        seen.before = after
    _check_record(seen)


def run(
    params: Params,
    revision: Revision,
    operations: Iterable[Operation],
    new_oracle: NewOracle = Oracle,
    properties: frozenset[str] | None = None,
) -> WatchedHistory:
    """Watch a whole history, for these properties; None = all."""
    seen = watch(params, revision, new_oracle, properties)
    for operation in operations:
        step(seen, operation)
        if seen.oracle.ended:
            break
    finish(seen)
    return seen


def _failed(seen: WatchedHistory, operation: Operation, failure: SubjectFailure) -> SubjectFailure:
    """A subject that cannot be asked any more: its last state is the one before."""
    seen.operations.append(operation)
    _fail(seen, failure.kind.value, len(seen.operations) - 1, failure.detail, seen.before)
    return failure


def _check_state(seen: WatchedHistory, scopes: int, index: int, after: Snapshot) -> None:
    params = seen.oracle.machine.params
    absent = absent_of(seen.oracle)
    found = (
        broken_in(Partial(after, absent), scopes, seen.properties, seen.checks)
        if absent
        else broken_states(params, after, scopes, seen.properties, seen.checks)
    )
    for broken in found:
        _fail(seen, broken.id, index, broken.sentence, after)


def _check_violations(seen: WatchedHistory, known: int, index: int, after: Snapshot) -> None:
    found = seen.oracle.violations[known:]
    for prop in VIOLATION_PROPERTIES:
        if not is_chosen(seen.properties, prop.id):
            continue
        seen.checks[prop.id] += 1
        for violation in found:
            if isinstance(violation, prop.kinds):
                _fail(seen, prop.id, index, describe(violation), after)


def _check_record(seen: WatchedHistory) -> None:
    params = seen.oracle.machine.params
    events = seen.oracle.machine.events
    if events is None:
        return
    for prop in record_properties(seen.properties):
        for _ in broken_cases(prop, params, events, seen.checks):
            _fail(seen, prop.id, -1, prop.sentence, seen.before)


def _fail(seen: WatchedHistory, property_id: str, index: int, detail: str, after: Snapshot) -> None:
    if property_id not in seen.failures:
        seen.failures[property_id] = Failure(property_id, index, detail, seen.before, after)
