"""Engine: every property on randomized histories (the state machines)."""

import json
from collections.abc import Iterator
from functools import partial
from multiprocessing import get_context

from ipvs_est import REVISIONS, Revision
from ipvs_est.header import FORMAT, params_to_json
from ipvs_est.operation_json import operation_to_json
from ipvs_est_checks.check import Problem, Request, Row, Verdict
from ipvs_est_checks.findings import explained
from ipvs_est_checks.machines.reach import NotReachedError, reach_table, require_reached
from ipvs_est_checks.machines.report import FailureRecord, MachineReport
from ipvs_est_checks.machines.run import run_machines
from ipvs_est_checks.monitor import Failure, run
from ipvs_est_spec.catalogue import PROPERTIES

_HOW = "sampled"


def engine_machines(request: Request) -> Iterator[Row]:
    """A row for each property and revision, for each property that a naive model adds, and one
    for what the histories reached."""
    work = partial(_run, request.profile, request.seed)
    if request.jobs == 1:
        for revision in request.revisions:
            yield from _rows(request, revision, work(revision))
        return
    jobs = min(request.jobs, len(request.revisions))
    with get_context("spawn").Pool(jobs) as pool:
        reports = pool.imap(work, request.revisions)
        for revision, report in zip(request.revisions, reports, strict=True):
            yield from _rows(request, revision, report)


def _run(profile: str, seed: int, revision: Revision) -> MachineReport:
    return run_machines(revision, profile, seed)


def _rows(request: Request, revision: Revision, report: MachineReport) -> Iterator[Row]:
    checks = dict(report.checks)
    sentences = {each.id: each.sentence for each in PROPERTIES}
    listed = {each.property for each in report.failures} | checks.keys()
    for property_id in [*sentences, *sorted(listed - sentences.keys())]:
        if request.properties is not None and property_id not in request.properties:
            continue
        failures = tuple(each for each in report.failures if each.property == property_id)
        sentence = sentences.get(property_id, "The model says the same as the naive one.")
        yield _row(property_id, sentence, revision, report, failures)
    if request.properties is None:
        yield _reach_row(revision, report)


def _row(
    property_id: str,
    sentence: str,
    revision: Revision,
    report: MachineReport,
    failures: tuple[FailureRecord, ...],
) -> Row:
    count = dict(report.checks).get(property_id, 0)
    if any(not each.reason for each in failures):
        verdict = Verdict.FAIL
    elif failures or explained(revision.name, property_id):
        # Whether or not these histories came across it: its own history confirms it.
        verdict = Verdict.FINDING
    else:
        # A property that was never evaluated has not passed.
        verdict = Verdict.PASS if count else Verdict.INCOMPLETE
    problems = tuple(
        _problem(each, report)
        for each in failures
        if not (each.reason and explained(revision.name, property_id))
    )
    return Row(
        property_id, sentence, revision.name, verdict, _HOW, count, report.seconds, "", problems
    )


def _problem(found: FailureRecord, report: MachineReport) -> Problem:
    steps = tuple(json.dumps(operation_to_json(each)) for each in found.operations)
    return Problem(
        property=found.property,
        revision=found.revision,
        detail=(found.reason or found.sentence) + ("" if steps else f" ({found.params})"),
        operations=steps or found.steps,
        failure=_states(found),
        command=f"ipvs-est check --revision {found.revision} --profile {report.profile}"
        f" --seed {report.seed} --property {found.property}",
        header=_header(found) if steps else "",
    )


def _states(found: FailureRecord) -> Failure | None:
    """The states around the failure; None if the operations alone do not bring it about."""
    if not found.operations:
        return None
    seen = run(found.params, REVISIONS[found.revision], found.operations)
    return seen.failures.get(found.property)


def _header(found: FailureRecord) -> str:
    return json.dumps(
        {
            "trace": found.property,
            "format": FORMAT,
            "kernel": found.revision,
            "seed": 0,
            "params": params_to_json(found.params),
        }
    )


def _reach_row(revision: Revision, report: MachineReport) -> Row:
    verdict = Verdict.PASS
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
    )
