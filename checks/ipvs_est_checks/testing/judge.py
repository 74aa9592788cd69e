"""One history on a subject, judged while it goes on."""

from dataclasses import dataclass, field

from ipvs_est import MAINLINE, OperationError, Oracle, Params, Revision, ViolationError
from ipvs_est.answers.results import Deadlocked, Result, result_to_json
from ipvs_est.language.difference import first_difference
from ipvs_est.language.operations import Advance, Dump, Operation, Read, Traffic
from ipvs_est.language.violations import describe
from ipvs_est_checks.history import monitor
from ipvs_est_checks.history.monitor import Outcome, WatchedHistory
from ipvs_est_checks.history.subject_failure import SENTENCES, SubjectError, SubjectFailure
from ipvs_est_checks.testing.errors import SubjectProblem
from ipvs_est_checks.testing.subject import CommandSubject, MakesSubject, StartedSubject, start
from ipvs_est_spec.catalogue import PROPERTIES

ANSWER = "subject.answer"


@dataclass(slots=True)
class HistoryJudge:
    """What is known of the history so far."""

    started: StartedSubject
    params: Params
    revision: Revision
    """Compared with, or else mainline: what fails there too is a finding, no failure."""
    model: Oracle | None
    """Answers what the subject has to answer; None: properties alone count."""
    seen: WatchedHistory | None
    """None: the subject gives no states, so nothing can be watched."""
    operations: list[Operation] = field(default_factory=list)
    answers: int = 0
    """How many were compared."""
    known: dict[str, str] = field(default_factory=dict)
    """By property: what fails on the revision as well."""
    over: bool = False
    """Nothing defined follows."""
    counted: dict[int, None] = field(default_factory=dict)


def judge(
    subject: CommandSubject | MakesSubject,
    params: Params,
    compare: Revision | None,
    properties: frozenset[str] | None,
) -> HistoryJudge:
    """Begin a history. Raises SubjectError and RefusedError."""
    revision = compare or MAINLINE
    started = start(subject, params, revision)
    seen = None
    if "snapshot" in started.gives:
        seen = monitor.watch(params, revision, lambda *_: started.run, properties)
    model = None if compare is None else Oracle(params, compare)
    return HistoryJudge(started, params, revision, model, seen)


def apply(judged: HistoryJudge, operation: Operation) -> SubjectProblem | None:
    """Apply one operation, and look at what came of it; an operation that the revision refuses,
    or that the subject does not take, is left out."""
    if judged.over or operation.op not in judged.started.operations:
        return None
    expected = _expected(judged, operation)
    if isinstance(expected, OperationError):
        return None
    judged.operations.append(operation)
    if isinstance(expected, ViolationError) and judged.seen is None:
        # Nothing defined follows, and there is nothing to see.
        judged.over = True
        return None
    problem = _compared(judged, expected, _outcome(judged, operation))
    problem = problem or _failed(judged)
    if problem is None and not judged.over:
        problem = _looked(judged, operation)
    return problem


def end(judged: HistoryJudge) -> SubjectProblem | None:
    """End the history with a quiet time, if it is watched."""
    if judged.seen is None or any(failure in SENTENCES for failure in judged.seen.failures):
        return None
    monitor.finish(judged.seen)
    return _failed(judged)


def not_judged(judged: HistoryJudge) -> dict[str, str]:
    """By property of the catalogue: why it was not judged."""
    if judged.seen is None:
        return {prop.id: "the subject gives no snapshot" for prop in PROPERTIES}
    checked = judged.seen.checks
    return {prop.id: "nothing came to it" for prop in PROPERTIES if not checked[prop.id]}


def _expected(judged: HistoryJudge, operation: Operation) -> Result | Exception | None:
    if judged.model is None:
        return None
    try:
        return judged.model.apply(operation)
    except (OperationError, ViolationError) as error:
        return error


def _outcome(judged: HistoryJudge, operation: Operation) -> Outcome:
    if judged.seen is not None:
        return monitor.step(judged.seen, operation)
    try:
        return judged.started.run.apply(operation)
    except (OperationError, ViolationError) as error:
        return error
    except SubjectError as error:
        return error.failure


def _compared(
    judged: HistoryJudge, expected: Result | Exception | None, outcome: Outcome
) -> SubjectProblem | None:
    if isinstance(outcome, SubjectFailure):
        judged.over = True
        return SubjectProblem(outcome.kind.value, SENTENCES[outcome.kind.value], outcome.detail)
    judged.over = isinstance(outcome, ViolationError | Deadlocked) or isinstance(
        expected, ViolationError | Deadlocked
    )
    if expected is None or isinstance(expected, ViolationError):
        return None
    assert not isinstance(expected, Exception)
    judged.answers += 1
    if isinstance(outcome, OperationError):
        return _wrong(judged, f"refused: {outcome}")
    if isinstance(outcome, ViolationError):
        return _wrong(judged, f"no result: {describe(outcome.violation)}")
    found = first_difference(result_to_json(expected), result_to_json(outcome))
    if found is None:
        return None
    at = f"{found.path}: " if found.path else ""
    return _wrong(judged, f"{at}{found.computed}, not {found.recorded}")


def _wrong(judged: HistoryJudge, detail: str) -> SubjectProblem:
    sentence = f"The subject answers what {judged.revision.name} answers."
    return SubjectProblem(ANSWER, sentence, detail[:200])


def _failed(judged: HistoryJudge) -> SubjectProblem | None:
    """The first property that fails, and not on the revision as well."""
    if judged.seen is None:
        return None
    for id_, failure in judged.seen.failures.items():
        if id_ in judged.known:
            continue
        if id_ in SENTENCES:
            return SubjectProblem(id_, SENTENCES[id_], failure.detail)
        wanted = frozenset({id_})
        same = monitor.run(
            judged.params, judged.revision, judged.operations, properties=wanted
        ).failures
        if id_ not in same:
            return SubjectProblem(id_, failure.detail, "")
        judged.known[id_] = failure.detail
    return None


def _looked(judged: HistoryJudge, operation: Operation) -> SubjectProblem | None:
    """What the revision tells when it is looked at, the subject tells too."""
    if judged.model is None:
        return None
    if isinstance(operation, Traffic):
        judged.counted[operation.id] = None
    looks: list[Operation] = [Dump()]
    if isinstance(operation, Advance):
        looks += map(Read, judged.counted)
    for look in looks:
        if look.op not in judged.started.operations:
            continue
        expected = _expected(judged, look)
        if isinstance(expected, Exception):
            continue
        try:
            outcome: Outcome = judged.started.run.apply(look)
        except (OperationError, ViolationError) as error:
            outcome = error
        except SubjectError as error:
            outcome = error.failure
        problem = _compared(judged, expected, outcome)
        if problem is not None:
            # The look that shows it is told with the history.
            judged.operations.append(look)
            return problem
    return None
