"""Traces from files on a subject, as outcomes of a replay."""

from collections.abc import Generator, Sequence
from pathlib import Path
from typing import assert_never

from ipvs_est.answers.trace import TraceError, lines_of, read_lines
from ipvs_est.language.revision import Revision
from ipvs_est.replay import Failed, Passed
from ipvs_est_checks.conformance.outcome import NotAsked, Outcome, Piped, Unusable
from ipvs_est_checks.subjects.keeper import Keeper, running
from ipvs_est_checks.subjects.trace import NotTaken, OnSubject, Refused, Unanswered, replay_on
from ipvs_est_checks.workers import Lost


def outcomes_on_subject(
    files: Sequence[Path | Piped | Unusable],
    keeper: Keeper,
    override: Revision | None,
) -> Generator[Outcome]:
    """The outcome of each file, in their order.

    One that the subject does not take is not asked; one on which the subject failed is lost.
    """
    for file in files:
        if isinstance(file, Unusable):
            yield file
            continue
        name = str(file)
        try:
            lines = lines_of(name, file.data) if isinstance(file, Piped) else read_lines(file)
            outcome: Outcome = _outcome(replay_on(running(keeper), name, lines, override))
        except TraceError as error:
            outcome = Unusable(error)
        yield outcome


def _outcome(found: OnSubject) -> Outcome:
    match found:
        case Passed() | Failed():
            return found
        case Unanswered(file, _, line, failure):
            return Lost(file, f"line {line}: {failure.kind.value}: {failure.detail}")
        case NotTaken(file, _, operation):
            return NotAsked(file, f"the subject does not take {operation}")
        case Refused(file, _, message):
            return NotAsked(file, f"the subject is no such machine: {message}")
        case _:
            assert_never(found)
