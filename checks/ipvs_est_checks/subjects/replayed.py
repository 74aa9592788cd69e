"""Traces from files on a subject, as outcomes of a replay."""

from collections.abc import Generator, Sequence
from pathlib import Path

from ipvs_est.answers.trace import TraceError, lines_of, read_lines
from ipvs_est.language.revision import Revision
from ipvs_est.replay import Failed, Passed
from ipvs_est_checks.conformance.outcome import Outcome, Piped, Unusable
from ipvs_est_checks.subjects.keeper import Keeper, running
from ipvs_est_checks.subjects.trace import NotAsked, OnSubject, Refused, Unanswered, replay_on
from ipvs_est_checks.workers import Lost


def outcomes_on_subject(
    files: Sequence[Path | Piped | Unusable],
    keeper: Keeper,
    override: Revision | None,
    left: list[str],
) -> Generator[Outcome]:
    """The outcome of each file, in their order.

    One that the subject does not take, for its operations or its machine, is no outcome: why is
    told in `left`. One on which the subject failed is lost.
    """
    for file in files:
        if isinstance(file, Unusable):
            yield file
            continue
        name = str(file)
        try:
            lines = lines_of(name, file.data) if isinstance(file, Piped) else read_lines(file)
            outcome = _outcome(replay_on(running(keeper), name, lines, override), left)
        except TraceError as error:
            outcome = Unusable(error)
        if outcome is not None:
            yield outcome


def _outcome(found: OnSubject, left: list[str]) -> Outcome | None:
    match found:
        case Passed() | Failed():
            return found
        case Unanswered(file, _, line, failure):
            return Lost(file, f"line {line}: {failure.kind.value}: {failure.detail}")
        case NotAsked(file, _, operation):
            left.append(f"{file}: the subject does not take {operation}")
        case Refused(file, _, message):
            left.append(f"{file}: the subject is no such machine: {message}")
    return None
