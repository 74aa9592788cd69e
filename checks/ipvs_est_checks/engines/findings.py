"""Engine: each recorded finding still shows, and shows nowhere else."""

import json
import shlex
from collections.abc import Iterator
from time import perf_counter

from ipvs_est.language.operation_json import operation_to_json
from ipvs_est_checks.history.explain import explain
from ipvs_est_checks.history.monitor import Watch
from ipvs_est_checks.known.findings import FINDINGS, watch_finding
from ipvs_est_checks.report.rows import Problem, Request, Row, Verdict, timed


def engine_findings(request: Request) -> Iterator[Row]:
    """A row for each finding, on each of the revisions that are checked."""
    chosen = [
        each
        for each in FINDINGS
        if request.properties is None or request.properties & set(each.properties)
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
            problems: tuple[Problem, ...] = ()
            if verdict is not Verdict.PASS:
                problems = tuple(
                    Problem(
                        property=each,
                        revision=revision.name,
                        detail=_detail(seen, each),
                        operations=tuple(
                            json.dumps(operation_to_json(step)) for step in seen.operations
                        ),
                        failure=seen.failures.get(each),
                        found=explain(seen, each),
                        command=shlex.join(
                            ["ipvs-est", "findings", "--revision", revision.name, finding.id]
                        ),
                    )
                    for each in finding.properties
                    if each in wanted
                )
            yield Row(
                id=finding.id,
                sentence=finding.title,
                revision=revision.name,
                verdict=verdict,
                how="history",
                cases=len(seen.operations),
                seconds=timed(started),
                problems=problems,
            )


def _detail(seen: Watch, property_id: str) -> str:
    failure = seen.failures.get(property_id)
    if failure is None:
        return "the recorded history does not break this property any more"
    return failure.detail
