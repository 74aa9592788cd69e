"""Engine: the recorded traces are reproduced."""

import lzma
import shlex
import tarfile
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from time import perf_counter

from ipvs_est.answers.trace import TraceError
from ipvs_est.replay import Failed, replay_bytes
from ipvs_est_checks.conformance.recordings import Recording, read_directory, recordings
from ipvs_est_checks.conformance.replay_text import difference_text
from ipvs_est_checks.report.rows import Problem, Request, Row, timed
from ipvs_est_checks.report.verdict import Verdict

_ID = "conformance"
_SENTENCE = "The model answers what the kernel answered, operation by operation."
_HOW = "recorded"


@dataclass(slots=True)
class _Found:
    """What became of the traces of one revision."""

    operations: int = 0
    seconds: float = 0.0
    problems: list[Problem] = field(default_factory=list)


def engine_conformance(request: Request) -> Iterator[Row]:
    """A row for each revision that there are recordings of.

    The recordings of the package, or those of the directory asked for. Without any, the check
    is not complete.
    """
    if request.properties is not None:
        return
    try:
        traces = recordings() if request.traces is None else read_directory(request.traces)
    except (OSError, tarfile.TarError, lzma.LZMAError) as error:
        reason = f"the recordings of the package cannot be read: {error}"
        yield Row(_ID, _SENTENCE, "", Verdict.INCOMPLETE, _HOW, 0, 0.0, remark=reason)
        return
    by_revision: dict[str, _Found] = {}
    for number, trace in enumerate(traces):
        request.progress("recorded traces", number, len(traces))
        started = perf_counter()
        revision, count, problem = _replay(trace, request.traces)
        found = by_revision.setdefault(revision, _Found())
        found.operations += count
        found.seconds += timed(started)
        if problem is not None:
            found.problems.append(problem)
    wanted = {revision.name for revision in request.revisions}
    for revision, found in sorted(by_revision.items()):
        if revision not in wanted and revision:
            continue
        yield Row(
            _ID,
            _SENTENCE,
            revision,
            Verdict.FAIL if found.problems else Verdict.PASS,
            _HOW,
            found.operations,
            found.seconds,
            problems=tuple(found.problems),
        )


def _replay(recording: Recording, directory: Path | None) -> tuple[str, int, Problem | None]:
    """Revision ('' if the trace is unusable), operations, and what went wrong."""
    file = recording.name if directory is None else str(directory / recording.name)
    command = "" if directory is None else shlex.join(["ipvs-est", "replay", file])
    try:
        outcome = replay_bytes(file, recording.data)
    except TraceError as error:
        return "", 0, Problem(_ID, "", str(error), (), None, command)
    name = outcome.header.revision.name
    if not isinstance(outcome, Failed):
        return name, outcome.operations, None
    # As recorded, so that what is saved of it fails again.
    header, *operations = recording.data.decode().splitlines()[: outcome.line]
    detail = difference_text(outcome)
    return (
        name,
        outcome.operations,
        Problem(_ID, name, detail, tuple(operations), None, command, header),
    )
