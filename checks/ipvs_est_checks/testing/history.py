"""A history or a recorded trace on a subject, as one call in a test."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from ipvs_est import MAINLINE, Params, Revision
from ipvs_est.language.header import header_from_json
from ipvs_est.language.json_input import parse_object
from ipvs_est.language.operation_json import operation_from_json
from ipvs_est.language.operations import Operation
from ipvs_est_checks.history.subject_failure import SENTENCES as FAILURES
from ipvs_est_checks.history.subject_failure import RefusedError, SubjectError
from ipvs_est_checks.machines.shorten import shortest
from ipvs_est_checks.testing import judge as judging
from ipvs_est_checks.testing.errors import HistoryError, SubjectProblem
from ipvs_est_checks.testing.subject import (
    AnySubject,
    CommandSubject,
    MakesSubject,
    as_subject,
)

ATTEMPTS = 200
"""Shorter histories that are tried when one fails."""


@dataclass(frozen=True, slots=True)
class Judged:
    """A history in which nothing is wrong."""

    answers: int
    """How many were compared with the revision's."""
    checks: Mapping[str, int]
    """Evaluations of each property."""
    known: Mapping[str, str]
    """By property: what fails in it on the revision as well, so is no fault of the subject."""
    not_judged: Mapping[str, str]
    """By property: why it was not judged, which is no pass."""


def check_history(
    subject: AnySubject,
    operations: Iterable[Operation],
    *,
    params: Params | None = None,
    compare: Revision | None = MAINLINE,
    properties: Iterable[str] | None = None,
    attempts: int = ATTEMPTS,
) -> Judged:
    """Do what the operations say on the subject, and judge it.

    `params` is the machine (None: the defaults). Every answer has to be that of `compare`, as has
    the state after each operation; None: properties alone count. `properties` are ids of those
    that are judged if the subject gives what they read; None = all. Operations that the revision
    refuses are left out.

    Raises HistoryError, an AssertionError, with the shortest failing history found in `attempts`.
    """
    machine = Params() if params is None else params
    chosen = None if properties is None else frozenset(properties)
    made = as_subject(subject)
    wanted = tuple(operations)
    judged, problem = _judged(made, wanted, machine, compare, chosen)
    if problem is None:
        assert judged is not None
        checks = {} if judged.seen is None else dict(judged.seen.checks)
        return Judged(judged.answers, checks, judged.known, judging.not_judged(judged))
    seen = (problem, wanted)

    def failure(candidate: tuple[Operation, ...]) -> str:
        nonlocal seen
        judged, found = _judged(made, candidate, machine, compare, chosen)
        if found is None or found.id != problem.id:
            return ""
        seen = (found, candidate if judged is None else tuple(judged.operations))
        return found.detail or found.sentence

    found = shortest(wanted, failure, attempts)
    failure(found.operations)
    raise HistoryError(seen[0], machine, seen[1], (compare or MAINLINE).name)


def check_trace(
    subject: AnySubject, lines: Sequence[str], *, properties: Iterable[str] | None = None
) -> Judged:
    """A recorded trace on the subject, beside the revision that has its kernel's behaviour.

    `lines` are those of the file. Raises InputError for a trace that is none, and HistoryError.
    """
    header = header_from_json(parse_object(lines[0]))
    steps = [operation_from_json(parse_object(line), extra=1) for line in lines[1:]]
    return check_history(
        subject, steps, params=header.params, compare=header.revision, properties=properties
    )


def _judged(
    subject: CommandSubject | MakesSubject,
    operations: Sequence[Operation],
    params: Params,
    compare: Revision | None,
    properties: frozenset[str] | None,
) -> tuple[judging.HistoryJudge | None, SubjectProblem | None]:
    judged: judging.HistoryJudge | None = None
    try:
        judged = judging.judge(subject, params, compare, properties)
        for operation in operations:
            problem = judging.apply(judged, operation)
            if problem is not None:
                return judged, problem
        return judged, judging.end(judged)
    except SubjectError as error:
        # Where no operation is to blame.
        id_ = error.failure.kind.value
        return judged, SubjectProblem(id_, FAILURES[id_], error.failure.detail)
    except RefusedError as error:
        id_ = "subject.no-answer"
        return judged, SubjectProblem(id_, FAILURES[id_], f"configure is refused: {error}")
