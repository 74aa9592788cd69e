"""Engine: every property on randomized histories (the state machines)."""

import json
from collections.abc import Iterator, Sequence

from ipvs_est import REVISIONS, Revision
from ipvs_est.language.operation_json import operation_to_json
from ipvs_est.language.operations import Advance
from ipvs_est_checks.broken_properties import is_chosen
from ipvs_est_checks.history.explain import explain
from ipvs_est_checks.history.file import header_line
from ipvs_est_checks.history.geometry_text import geometry_text
from ipvs_est_checks.history.monitor import Failure, WatchedHistory, run
from ipvs_est_checks.history.operation_words import in_words
from ipvs_est_checks.known.by_history import explained
from ipvs_est_checks.known.registry import findings_of
from ipvs_est_checks.machines.reach import NotReachedError, reach_table, require_reached
from ipvs_est_checks.machines.report import FailureRecord, MachineReport, merged
from ipvs_est_checks.machines.run import SENTENCES, concerned
from ipvs_est_checks.machines.sampling import Plan, Sample, sample
from ipvs_est_checks.report.rows import Problem, Request, Row
from ipvs_est_checks.report.verdict import Verdict
from ipvs_est_checks.workers import Lost
from ipvs_est_spec.catalogue import PROPERTIES

_HOW = "sampled"


def engine_machines(request: Request) -> Iterator[Row]:
    """A row for each property and revision, for each property that a naive model adds, and one
    for what the histories reached.

    Only machines that check a property asked for are run. An interrupted run yields what it
    found until then, and passes nothing.
    """
    plan = Plan(
        revisions=request.revisions,
        machines=concerned(request.properties),
        profile=request.profile,
        seed=request.seed,
        jobs=request.jobs,
        properties=request.properties,
        minutes=request.minutes,
        round=request.round,
    )
    found = Sample()
    try:
        if plan.machines:
            sample(plan, found, request.progress)
    except KeyboardInterrupt:
        yield from _all_rows(request, found, complete=False)
        raise
    yield from _all_rows(request, found, complete=True)


def _all_rows(request: Request, found: Sample, *, complete: bool) -> Iterator[Row]:
    for revision in request.revisions:
        rounds, lost = found.of(revision), found.lost_on(revision)
        if rounds:
            yield from _rows(request, revision, merged(rounds), complete=complete and not lost)
        if lost:
            yield _lost_row(request, revision, lost)


def _lost_row(request: Request, revision: Revision, lost: Sequence[Lost]) -> Row:
    command = (
        f"ipvs-est check --revision {revision.name} --profile {request.profile}"
        f" --seed {request.seed}"
    )
    return Row(
        "sampling",
        "Each round of random histories comes to its end.",
        revision.name,
        Verdict.INCOMPLETE,
        _HOW,
        len(lost),
        0.0,
        problems=tuple(
            Problem("sampling", revision.name, str(one_lost), (), None, command)
            for one_lost in lost
        ),
    )


def _rows(
    request: Request, revision: Revision, report: MachineReport, *, complete: bool
) -> Iterator[Row]:
    # What nothing explains is told whether it was asked for or not.
    listed = dict.fromkeys(prop.id for prop in PROPERTIES)
    listed.update(dict.fromkeys(sorted({id_ for id_, _ in report.checks})))
    listed.update(dict.fromkeys(failure.property for failure in report.failures))
    unexpected = {failure_record.property for failure_record in report.unexpected}
    for property_id in listed:
        if is_chosen(request.properties, property_id) or property_id in unexpected:
            failures = tuple(
                failure for failure in report.failures if failure.property == property_id
            )
            yield _row(property_id, revision, report, failures, complete=complete)
    if request.round is None:
        yield _reach_row(revision, report, complete=complete)


def _row(
    property_id: str,
    revision: Revision,
    report: MachineReport,
    failures: tuple[FailureRecord, ...],
    *,
    complete: bool,
) -> Row:
    count = dict(report.checks).get(property_id, 0)
    if any(not failure.reason for failure in failures):
        verdict = Verdict.FAIL
    elif failures or explained(revision.name, property_id):
        # Whether or not these histories came across it: its own history confirms it.
        verdict = Verdict.FINDING
    else:
        # A property that was never evaluated has not passed.
        verdict = Verdict.PASS if count and complete else Verdict.INCOMPLETE
    problems = tuple(
        _problem(failure, report)
        for failure in failures
        if not (failure.reason and explained(revision.name, property_id))
    )
    return Row(
        property_id,
        SENTENCES[property_id],
        revision.name,
        verdict,
        _HOW,
        count,
        # All properties are looked at in the same histories: their time is that of `situations`.
        0.0,
        problems=problems,
        remark=_why(report, count, complete=complete) if verdict is Verdict.INCOMPLETE else "",
        findings=findings_of(revision.name, property_id) if verdict is Verdict.FINDING else (),
    )


def _why(report: MachineReport, count: int, *, complete: bool) -> str:
    """Why nothing can be said of a property."""
    if not complete:
        return ""
    if report.unexpected:
        broken = ", ".join(
            dict.fromkeys(failure_record.property for failure_record in report.unexpected)
        )
        return f"the histories on {report.revision} end at the failure of {broken}"
    return "" if count else "no history came to what it is about"


def _problem(found: FailureRecord, report: MachineReport) -> Problem:
    seen = _again(found)
    failure = None if seen is None else seen.failures.get(found.property)
    operations = (*found.operations, *_quiet_time(failure))
    steps = tuple(json.dumps(operation_to_json(operation)) for operation in operations)
    return Problem(
        property=found.property,
        revision=found.revision,
        detail=found.reason or found.sentence,
        geometry=geometry_text(found.params),
        operations=steps or found.steps,
        failure=failure,
        command=f"ipvs-est check --revision {found.revision} --profile {report.profile}"
        f" --seed {report.seed} --round {found.round} --property {found.property}",
        header=header_line(found.property, found.revision, found.params) if steps else "",
        words=tuple(in_words(operation) for operation in operations),
        found="" if seen is None else explain(seen, found.property),
    )


def _quiet_time(failure: Failure | None) -> tuple[Advance, ...]:
    """What a history needs to show a failure that only time brings out."""
    if failure is None or failure.step >= 0:
        return ()
    passed = failure.after.now - failure.before.now
    return (Advance(passed),) if passed > 0 else ()


def _again(found: FailureRecord) -> WatchedHistory | None:
    """The history once more, for the states around the failure; None if it is not one of
    operations."""
    if not found.operations:
        return None
    only = frozenset({found.property})
    return run(found.params, REVISIONS[found.revision], found.operations, properties=only)


def _reach_row(revision: Revision, report: MachineReport, *, complete: bool) -> Row:
    verdict = Verdict.PASS if complete else Verdict.INCOMPLETE
    problems: tuple[Problem, ...] = ()
    try:
        require_reached(report)
    except NotReachedError as error:
        verdict = Verdict.INCOMPLETE
        problems = (Problem("situations", revision.name, str(error), (), None, ""),)
    return Row(
        "situations",
        "The histories reach every situation that is listed.",
        revision.name,
        verdict,
        _HOW,
        len(report.reach),
        report.seconds,
        "",
        problems,
        tuple(reach_table(report.reach).splitlines()),
        remark=_why(report, 1, complete=complete) if verdict is Verdict.INCOMPLETE else "",
    )
