"""Engine: each recorded finding still shows, and shows nowhere else."""

import json
import shlex
from collections.abc import Iterator
from time import perf_counter

from ipvs_est.language.operation_json import operation_to_json
from ipvs_est_checks.history.explain import explain
from ipvs_est_checks.history.file import header_line
from ipvs_est_checks.history.geometry_text import geometry_text
from ipvs_est_checks.history.monitor import WatchedHistory
from ipvs_est_checks.history.operation_words import in_words
from ipvs_est_checks.known.by_history import BY_HISTORY, watch_finding
from ipvs_est_checks.known.finding import Finding
from ipvs_est_checks.report.rows import Problem, Request, Row, timed
from ipvs_est_checks.report.verdict import Verdict


def engine_findings(request: Request) -> Iterator[Row]:
    """A row for each finding, on each of the revisions that are checked."""
    chosen = [
        finding
        for finding in BY_HISTORY
        if request.properties is None or request.properties & set(finding.properties)
    ]
    for number, finding in enumerate(chosen):
        request.progress("findings", number, len(chosen))
        wanted = set(finding.properties)
        if request.properties is not None:
            wanted &= request.properties
        for revision in request.revisions:
            started = perf_counter()
            seen = watch_finding(finding, revision, properties=frozenset(wanted))
            broken = set(seen.failures)
            recorded = revision.name in finding.revisions
            if recorded:
                verdict = Verdict.FINDING if wanted <= broken else Verdict.FAIL
            else:
                verdict = Verdict.FAIL if wanted & broken else Verdict.PASS
            yield Row(
                finding.id,
                finding.title,
                revision.name,
                verdict,
                "history",
                len(seen.operations),
                timed(started),
                problems=tuple(_problems(finding, seen, wanted, verdict)),
                properties=tuple(prop for prop in finding.properties if prop in wanted),
                findings=(finding.id,) if verdict is Verdict.FINDING else (),
            )


def _problems(
    finding: Finding, seen: WatchedHistory, wanted: set[str], verdict: Verdict
) -> Iterator[Problem]:
    """What its history shows as recorded, or what is not as recorded."""
    if verdict is Verdict.PASS:
        return
    revision = seen.revision.name
    recorded = revision in finding.revisions
    for prop in finding.properties:
        failure = seen.failures.get(prop)
        as_recorded = (failure is not None) is recorded
        if prop not in wanted or as_recorded is not (verdict is Verdict.FINDING):
            continue
        if failure is None:
            detail = f"{finding.id} is recorded, and its history does not break this any more"
        elif recorded:
            detail = failure.detail
        else:
            detail = f"{failure.detail} ({finding.id} is not recorded on {revision})"
        params = seen.oracle.machine.params
        yield Problem(
            property=prop,
            revision=revision,
            detail=detail,
            operations=tuple(json.dumps(operation_to_json(step)) for step in seen.operations),
            failure=failure,
            found=explain(seen, prop),
            command=shlex.join(["ipvs-est", "findings", "--revision", revision, finding.id]),
            header=header_line(finding.id, revision, params),
            words=tuple(in_words(step) for step in seen.operations),
            geometry=geometry_text(params),
        )
