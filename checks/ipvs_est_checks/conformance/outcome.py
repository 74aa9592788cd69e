"""What became of one trace file."""

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from ipvs_est.answers.trace import TraceError
from ipvs_est.language.revision import Revision
from ipvs_est.language.violations import Violation
from ipvs_est.replay import Failed, Passed, replay, replay_bytes
from ipvs_est_checks.terminal import exit_codes
from ipvs_est_checks.workers import Lost


@dataclass(frozen=True, slots=True)
class Unusable:
    """A file that is no trace, or none that can be used."""

    error: TraceError


@dataclass(frozen=True, slots=True)
class Piped:
    """A trace from standard input."""

    data: bytes

    def __str__(self) -> str:
        return STDIN


STDIN = "-"
"""What the command line calls standard input."""


@dataclass(frozen=True, slots=True)
class NotAsked:
    """A trace that a subject does not take, for its operations or its machine."""

    file: str
    why: str


Outcome = Passed | Failed | Unusable | Lost | NotAsked
"""Lost: the process that replayed the file, which gives its name, died."""


@dataclass(frozen=True, slots=True)
class Totals:
    """How many outcomes there are of each kind."""

    passed: int
    failed: int
    unusable: int
    lost: int
    not_asked: int


def outcome_of(source: Path | Piped, override: Revision | None) -> Passed | Failed | Unusable:
    """Replay a trace; see `ipvs_est.replay.replay`."""
    try:
        if isinstance(source, Piped):
            return replay_bytes(str(source), source.data, override)
        return replay(source, override)
    except TraceError as error:
        return Unusable(error)


def totals_of(outcomes: Iterable[Outcome]) -> Totals:
    """Count them."""
    found = Counter(type(outcome) for outcome in outcomes)
    return Totals(found[Passed], found[Failed], found[Unusable], found[Lost], found[NotAsked])


def exit_code(totals: Totals) -> int:
    """Input that cannot be used wins over a failure: the caller's list is not what he thinks."""
    if totals.unusable:
        return exit_codes.BAD_INPUT
    if totals.failed:
        return exit_codes.FAIL
    # Where nothing was asked, nothing is known.
    nothing = totals.not_asked and not totals.passed
    return exit_codes.INCOMPLETE if totals.lost or nothing else exit_codes.PASS


def violations_by_kind(violations: Iterable[Violation]) -> dict[str, int]:
    """How many there are of each kind, sorted by it."""
    return dict(sorted(Counter(violation.kind for violation in violations).items()))
