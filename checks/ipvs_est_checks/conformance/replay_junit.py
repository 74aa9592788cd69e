"""The JUnit XML report of `ipvs-est replay`; the same outcomes give the same bytes."""

from collections.abc import Sequence
from typing import assert_never

from ipvs_est.replay import Failed, Passed
from ipvs_est_checks.conformance.outcome import NotAsked, Outcome, Unusable
from ipvs_est_checks.conformance.replay_text import details, difference_text, name
from ipvs_est_checks.report.junit import Case, Suite, junit_text
from ipvs_est_checks.report.verdict import Verdict
from ipvs_est_checks.workers import Lost

_SUITE = "ipvs-est replay"
_CLASS = "ipvs_est.replay"


def junit_report(outcomes: Sequence[Outcome], stopped: str = "") -> str:
    """The report as text, to be written as UTF-8; `stopped` says why not all were replayed.

    There are no times, which would differ from run to run.
    """
    return junit_text([Suite(_SUITE, tuple(_case(outcome) for outcome in outcomes), stopped)])


def _case(outcome: Outcome) -> Case:
    match outcome:
        case Passed(file):
            return Case(_CLASS, name(outcome), Verdict.PASS, file=file)
        case Failed(file):
            text = difference_text(outcome)
            return Case(
                _CLASS,
                name(outcome),
                Verdict.FAIL,
                message=text,
                text=text,
                file=file,
                kind="difference",
            )
        case Unusable(error):
            text = details(outcome)
            return Case(
                _CLASS,
                error.file,
                Verdict.FAIL,
                message=text,
                text=text,
                file=error.file,
                kind="unusable",
                error=True,
            )
        case Lost(file):
            # As in the reports of all commands: what is incomplete is skipped, never passed.
            return Case(
                _CLASS,
                file,
                Verdict.INCOMPLETE,
                message=details(outcome),
                file=file,
                kind="lost",
            )
        case NotAsked(file):
            return Case(
                _CLASS,
                file,
                Verdict.NOT_JUDGED,
                message=details(outcome),
                file=file,
                kind="not-asked",
            )
        case _:
            assert_never(outcome)
