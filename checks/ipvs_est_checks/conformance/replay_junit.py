"""The JUnit XML report of `ipvs-est replay`; the same outcomes give the same bytes."""

from collections.abc import Sequence
from typing import assert_never
from xml.etree import ElementTree

from ipvs_est.replay import Failed, Passed
from ipvs_est_checks.cli.printable import printable
from ipvs_est_checks.conformance.outcome import Outcome, Unusable, totals_of
from ipvs_est_checks.conformance.replay_text import details, difference_text, name

_SUITE = "ipvs-est replay"
# CI systems take what stands before the last dot for a package.
_CLASS = "ipvs_est.replay"


def junit_report(outcomes: Sequence[Outcome], stopped: str = "") -> str:
    """The report as text, to be written as UTF-8.

    `stopped` says why not all files were replayed, if they were not; it is an error of the
    suite, so that a part is not taken for the whole.
    All texts are printable, and no printable character is forbidden in XML. There are no
    times, which would differ from run to run.
    """
    totals = totals_of(outcomes)
    counts = {
        "tests": str(len(outcomes) + bool(stopped)),
        "failures": str(totals.failed),
        "errors": str(totals.unusable + bool(stopped)),
        "skipped": "0",
    }
    root = ElementTree.Element("testsuites", counts)
    suite = ElementTree.SubElement(root, "testsuite", {"name": _SUITE, **counts})
    for outcome in outcomes:
        _add_case(suite, outcome)
    if stopped:
        _problem(_case(suite, "stopped", ""), "error", "stopped", printable(stopped))
    ElementTree.indent(root, " ")
    text = ElementTree.tostring(root, encoding="unicode")
    return f'<?xml version="1.0" encoding="utf-8"?>\n{text}\n'


def _add_case(suite: ElementTree.Element, outcome: Outcome) -> None:
    match outcome:
        case Passed(file):
            _case(suite, name(outcome), file)
        case Failed(file):
            case = _case(suite, name(outcome), file)
            _problem(case, "failure", "difference", difference_text(outcome))
        case Unusable(error):
            case = _case(suite, printable(error.file), error.file)
            _problem(case, "error", "unusable", details(outcome))
        case _:
            assert_never(outcome)


def _case(suite: ElementTree.Element, title: str, file: str) -> ElementTree.Element:
    attributes = {"classname": _CLASS, "name": title, "file": printable(file)}
    return ElementTree.SubElement(suite, "testcase", attributes)


def _problem(case: ElementTree.Element, tag: str, kind: str, text: str) -> None:
    ElementTree.SubElement(case, tag, {"type": kind, "message": text}).text = text
