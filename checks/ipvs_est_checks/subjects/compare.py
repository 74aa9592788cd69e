"""A subject beside a revision of the model: random histories, answered by both."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from ipvs_est import OperationError, Oracle, Params, Revision, ViolationError
from ipvs_est.answers.results import Deadlocked, Result
from ipvs_est.answers.trace import write_trace
from ipvs_est.language.header import Header
from ipvs_est.language.operations import Advance, Dump, Operation, Read, Traffic
from ipvs_est.replay import Failed
from ipvs_est_checks.generate.histories import Made
from ipvs_est_checks.history.subject_failure import FailureKind
from ipvs_est_checks.machines.shorten import shortest
from ipvs_est_checks.subjects.keeper import Keeper, running
from ipvs_est_checks.subjects.trace import Unanswered, replay_on


@dataclass(frozen=True, slots=True)
class Differs:
    """A history that the subject answers otherwise than the revision, or not at all."""

    params: Params
    operations: tuple[Operation, ...]
    """What differs is the answer to the last one."""
    what: str
    """One line."""
    kind: str
    """`subject.answer`, or the id of the subject's failure."""


def first_difference(keeper: Keeper, revision: Revision, made: Made) -> tuple[int, Differs | None]:
    """How many answers were compared, and the first difference, if there is one.

    The judge looks behind each operation, as far as the subject answers that: at the state, and
    at what has counted. Of these looks a history that differs holds only the last.
    """
    return _first(keeper, revision, made.params, made.operations, looks=True)


def shortened(keeper: Keeper, revision: Revision, first: Differs, attempts: int) -> Differs:
    """The shortest history found that differs in the same way, after at most `attempts` tries."""

    def failure(candidate: tuple[Operation, ...]) -> str:
        _, found = _first(keeper, revision, first.params, candidate, looks=True)
        return "" if found is None or found.kind != first.kind else found.what

    whole = Differs(first.params, first.operations, first.what, first.kind)
    patience = keeper.seconds
    if first.kind == FailureKind.SILENCE.value:
        # Waiting for as long each time would take minutes; what is found has to last in the end.
        _wait(keeper, min(patience, max(_LEAST_PATIENCE, 20 * running(keeper).channel.slowest)))
    try:
        found = shortest(whole.operations, failure, attempts)
    finally:
        _wait(keeper, patience)
    # First without the looks before the last one: they are not part of the history.
    _, shown = _first(keeper, revision, first.params, found.operations, looks=True)
    for looks in (False, True):
        operations = (shown or whole).operations
        _, last = _first(keeper, revision, first.params, operations, looks=looks)
        if last is not None and last.kind == first.kind:
            return last
    return whole


_LEAST_PATIENCE = 0.5
"""Seconds; a process may have to wait that long for its CPU."""


def _wait(keeper: Keeper, seconds: float) -> None:
    keeper.seconds = seconds
    if keeper.subject is not None:
        keeper.subject.seconds = seconds


def _with_looks(operations: Sequence[Operation]) -> Iterator[tuple[Operation, bool]]:
    """Each operation, and whether the judge has added it."""
    counted: dict[int, None] = {}
    for operation in operations:
        yield operation, False
        if isinstance(operation, Traffic):
            counted[operation.id] = None
        if isinstance(operation, Advance):
            # Of what is gone meanwhile the model says so, and it is not asked.
            yield from ((Read(number), True) for number in counted)
        if not isinstance(operation, Dump):
            yield Dump(), True


def _first(
    keeper: Keeper,
    revision: Revision,
    params: Params,
    operations: Sequence[Operation],
    *,
    looks: bool,
) -> tuple[int, Differs | None]:
    taken = running(keeper).handshake.operations
    seen = _with_looks(operations) if looks else ((operation, False) for operation in operations)
    asked = [(operation, added) for operation, added in seen if operation.op in taken]
    steps = list(_answers(revision, params, asked))
    header = Header("compared", revision.name, 0, params, revision)
    trace = write_trace(header, [(operation, result) for operation, result, _ in steps])
    found = replay_on(running(keeper), "compared", list(trace))
    match found:
        case Failed():
            difference = found.difference
            at = f"{difference.path}: " if difference.path else ""
            what = f"{at}{_shown(difference.computed)}, not {_shown(difference.recorded)}"
            done, kind = found.operations, "subject.answer"
        case Unanswered():
            what, kind = found.failure.detail, found.failure.kind.value
            done = max(0, found.line - 1)
        case _:
            return len(steps), None
    own = [operation for operation, _, added in steps[: done - 1] if not added] if done else []
    last = [steps[done - 1][0]] if done else []
    return len(steps), Differs(params, (*own, *last), what, kind)


def _answers(
    revision: Revision, params: Params, operations: Sequence[tuple[Operation, bool]]
) -> Iterator[tuple[Operation, Result, bool]]:
    """What the model answers, as long as the history has a defined continuation."""
    oracle = Oracle(params, revision)
    for operation, added in operations:
        try:
            result = oracle.apply(operation)
        except OperationError:
            # Without an operation before it, it makes no sense here.
            continue
        except ViolationError:
            return
        yield operation, result, added
        if isinstance(result, Deadlocked):
            return


def _shown(value: object) -> str:
    text = str(value)
    return text if len(text) <= 100 else f"{text[:100]}..."
