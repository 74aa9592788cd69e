"""Engine: the recorded traces are reproduced."""

import json
from collections.abc import Iterator
from pathlib import Path
from time import perf_counter

from ipvs_est.answers.trace import TraceError
from ipvs_est.language.operation_json import operation_to_json
from ipvs_est.replay import Passed, replay
from ipvs_est_checks.report.rows import Problem, Request, Row, Verdict, timed

_ID = "conformance"
_SENTENCE = "The model answers what the kernel answered, operation by operation."


def engine_conformance(request: Request) -> Iterator[Row]:
    """A row for each revision that there are recordings of."""
    if request.properties is not None:
        return
    if request.traces is None:
        command = "ipvs-est check --traces DIR (recorded traces)"
        yield Row(_ID, _SENTENCE, "", Verdict.NOT_RUN, "recorded", 0, 0.0, command)
        return
    wanted = {each.name for each in request.revisions}
    started = perf_counter()
    operations: dict[str, int] = {}
    problems: dict[str, list[Problem]] = {}
    files = sorted(request.traces.glob("*.jsonl"))
    for number, file in enumerate(files):
        request.progress("recorded traces", number, len(files))
        revision, count, problem = _replay(file)
        operations[revision] = operations.get(revision, 0) + count
        if problem is not None:
            problems.setdefault(revision, []).append(problem)
    for revision in sorted(operations):
        if revision not in wanted and revision:
            continue
        failed = tuple(problems.get(revision, ()))
        yield Row(
            _ID,
            _SENTENCE,
            revision,
            Verdict.FAIL if failed else Verdict.PASS,
            "recorded",
            operations[revision],
            timed(started),
            problems=failed,
        )


def _replay(file: Path) -> tuple[str, int, Problem | None]:
    """Revision ('' if the trace is unusable), operations, and what went wrong."""
    command = f"ipvs-est replay {file}"
    try:
        outcome = replay(file)
    except TraceError as error:
        return "", 0, Problem(_ID, "", str(error), (), None, command)
    name = outcome.header.revision.name
    if isinstance(outcome, Passed):
        return name, outcome.operations, None
    found = outcome.difference
    detail = (
        f"{file.name}:{outcome.line}: {found.path}: recorded {found.recorded!r},"
        f" computed {found.computed!r}"
    )
    operation = json.dumps(operation_to_json(outcome.operation))
    return name, outcome.operations, Problem(_ID, name, detail, (operation,), None, command)
