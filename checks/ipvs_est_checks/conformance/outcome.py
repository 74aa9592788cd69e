"""What became of one trace file."""

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from ipvs_est.answers.trace import TraceError
from ipvs_est.language.revision import Revision
from ipvs_est.language.violations import Violation
from ipvs_est.replay import Failed, Passed, replay
from ipvs_est_checks.cli import exit_codes


@dataclass(frozen=True, slots=True)
class Unusable:
    """A file that is no trace, or none that can be used."""

    error: TraceError


Outcome = Passed | Failed | Unusable


@dataclass(frozen=True, slots=True)
class Totals:
    """How many outcomes there are of each kind."""

    passed: int
    failed: int
    unusable: int


def outcome_of(path: Path, override: Revision | None) -> Outcome:
    """Replay a trace file; see `ipvs_est.replay.replay`."""
    try:
        return replay(path, override)
    except TraceError as error:
        return Unusable(error)


def totals_of(outcomes: Iterable[Outcome]) -> Totals:
    """Count them."""
    found = Counter(type(each) for each in outcomes)
    return Totals(found[Passed], found[Failed], found[Unusable])


def exit_code(totals: Totals) -> int:
    """Input that cannot be used wins over a failure: the caller's list is not what he thinks."""
    if totals.unusable:
        return exit_codes.BAD_INPUT
    return exit_codes.FAIL if totals.failed else exit_codes.PASS


def violations_by_kind(violations: Iterable[Violation]) -> dict[str, int]:
    """How many there are of each kind, sorted by it."""
    return dict(sorted(Counter(each.kind for each in violations).items()))
