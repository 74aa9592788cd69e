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
from ipvs_est_checks.machines.shorten import shortest
from ipvs_est_checks.subjects.keeper import Keeper, running
from ipvs_est_checks.subjects.trace import Unanswered, replay_on


@dataclass(frozen=True, slots=True)
class Differs:
    """A history that the subject answers otherwise than the revision, or not at all."""

    params: Params
    operations: tuple[Operation, ...]
    """The shortest that was found; what differs is the answer to the last one."""
    what: str
    """One line."""
    kind: str
    """`subject.answer`, or the id of the subject's failure."""


def compared(
    keeper: Keeper, revision: Revision, made: Made, attempts: int
) -> tuple[int, Differs | None]:
    """How many answers were compared, and the first difference, if there is one.

    The state is asked for behind each operation, and what has counted is read whenever time has
    passed, as far as the subject answers that.
    Shortening tries at most `attempts` histories.
    """
    taken = running(keeper).handshake.operations
    looks = _with_looks(made.operations)
    watched = tuple(each for each in looks if each.op in taken)
    answered, first = _first(keeper, revision, made.params, watched)
    if first is None:
        return answered, None

    def failure(candidate: tuple[Operation, ...]) -> str:
        _, found = _first(keeper, revision, made.params, candidate)
        return "" if found is None or found.kind != first.kind else found.what

    found = shortest(first.operations, failure, attempts)
    _, last = _first(keeper, revision, made.params, found.operations)
    return answered, last or first


def _with_looks(operations: Sequence[Operation]) -> Iterator[Operation]:
    counted: dict[int, None] = {}
    for operation in operations:
        yield operation
        if isinstance(operation, Traffic):
            counted[operation.id] = None
        if isinstance(operation, Advance):
            # Of what is gone meanwhile the model says so, and it is not asked.
            yield from map(Read, counted)
        if not isinstance(operation, Dump):
            yield Dump()


def _first(
    keeper: Keeper, revision: Revision, params: Params, operations: Sequence[Operation]
) -> tuple[int, Differs | None]:
    steps = list(_answers(revision, params, operations))
    header = Header("compared", revision.name, 0, params, revision)
    found = replay_on(running(keeper), "compared", list(write_trace(header, steps)))
    asked = tuple(operation for operation, _ in steps)
    match found:
        case Failed():
            difference = found.difference
            at = f"{difference.path}: " if difference.path else ""
            what = f"{at}{_shown(difference.computed)}, not {_shown(difference.recorded)}"
            return len(steps), Differs(params, asked[: found.operations], what, "subject.answer")
        case Unanswered():
            failed = found.failure
            done = asked[: max(0, found.line - 1)]
            return len(steps), Differs(params, done, failed.detail, failed.kind.value)
        case _:
            return len(steps), None


def _answers(
    revision: Revision, params: Params, operations: Sequence[Operation]
) -> Iterator[tuple[Operation, Result]]:
    """What the model answers, as long as the history has a defined continuation."""
    oracle = Oracle(params, revision)
    for operation in operations:
        try:
            result = oracle.apply(operation)
        except OperationError:
            # Without an operation before it, it makes no sense here.
            continue
        except ViolationError:
            return
        yield operation, result
        if isinstance(result, Deadlocked):
            return


def _shown(value: object) -> str:
    text = str(value)
    return text if len(text) <= 100 else f"{text[:100]}..."
