"""What `ipvs-est replay` tells people: lines without colour or newline."""

from collections import Counter
from collections.abc import Iterable, Iterator
from typing import assert_never

from ipvs_est.language.operation_json import operation_to_json
from ipvs_est.language.violations import Violation, describe
from ipvs_est.replay import Failed, Passed
from ipvs_est_checks.conformance.outcome import NotAsked, Outcome, Totals, Unusable
from ipvs_est_checks.terminal.printable import printable, short_json, shorten
from ipvs_est_checks.workers import Lost


def verdict(outcome: Outcome) -> str:
    """The word that a line begins with."""
    match outcome:
        case Passed():
            return "PASS"
        case Failed():
            return "FAIL"
        case Unusable():
            return "ERROR"
        case Lost():
            return "LOST"
        case NotAsked():
            return "NOT ASKED"
        case _:
            assert_never(outcome)


def details(outcome: Outcome) -> str:
    """The rest of the line."""
    match outcome:
        case Passed():
            return name(outcome)
        case Failed():
            return f"{name(outcome)}: {difference_text(outcome)}"
        case Unusable(error):
            message = f"{error.field}: {error.message}" if error.field else error.message
            place = f"{error.file}:{error.line}" if error.line else error.file
            return f"{printable(place)}: {shorten(printable(message))}"
        case Lost(file, why) | NotAsked(file, why):
            return f"{printable(file)}: {printable(why)}"
        case _:
            assert_never(outcome)


def name(outcome: Passed | Failed) -> str:
    """The trace's name, or its file's if it has none."""
    return shorten(printable(outcome.header.trace)) or printable(outcome.file)


def difference_text(failed: Failed) -> str:
    """Where the first difference is, in which operation, and what it is."""
    difference = failed.difference
    operation = short_json(operation_to_json(failed.operation))
    path = shorten(printable(difference.path)) or "result"
    return (
        f"{printable(failed.file)}:{failed.line}: {operation}: {path}:"
        f" recorded {short_json(difference.recorded)}, computed {short_json(difference.computed)}"
    )


def violation_lines(violations: Iterable[Violation]) -> Iterator[str]:
    """One line for all violations that are alike, in the order of the first of each."""
    for text, times in Counter(map(describe, violations)).items():
        yield f"  {times} x {printable(text)}"


def closing_line(totals: Totals) -> str:
    """The last line."""
    line = f"{totals.passed} passed, {totals.failed} failed"
    if totals.unusable:
        line = f"{line}, {totals.unusable} unusable"
    if totals.lost:
        line = f"{line}, {totals.lost} lost"
    return f"{line}, {totals.not_asked} not asked" if totals.not_asked else line
