"""The one writer of JUnit XML reports.

By hand: each report is a few elements that are only written, and what a library such as
junitparser adds is reading, merging and changing them, for one more dependency.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from xml.etree import ElementTree

from ipvs_est_checks.report.verdict import Verdict
from ipvs_est_checks.terminal.printable import printable

INTERRUPTED = "interrupted"


_SKIPPED = (Verdict.INCOMPLETE, Verdict.NOT_JUDGED, Verdict.NOT_RUN)


@dataclass(frozen=True, slots=True)
class Case:
    """One test case."""

    classname: str
    """Dotted: CI systems take what stands before the last dot for a package."""
    name: str
    verdict: Verdict
    seconds: float | None = None
    """None: equal runs are to give equal bytes, and times differ."""
    message: str = ""
    """One line: why it fails, or why it was skipped."""
    text: str = ""
    """All that is to be told of it."""
    findings: tuple[str, ...] = ()
    """Recorded findings that it shows: a property of the test case, which passes."""
    file: str = ""
    kind: str = ""
    """Type of the failure or error."""
    error: bool = False
    """It could not be judged at all: an error and no failure."""


@dataclass(frozen=True, slots=True)
class Suite:
    """The test cases of one run."""

    name: str
    cases: tuple[Case, ...]
    stopped: str = ""
    """Why it is not complete; '' = it is. An error of the suite, so that a part is not taken for
    the whole."""


def junit_text(suites: Sequence[Suite]) -> str:
    """The report as text, to be written as UTF-8.

    All texts are made printable, and no printable character is forbidden in XML.
    """
    elements = [_suite(suite) for suite in suites]
    root = ElementTree.Element(
        "testsuites",
        {
            name: str(sum(int(element.get(name, "0")) for element in elements))
            for name in ("tests", "failures", "errors", "skipped")
        },
    )
    root.extend(elements)
    ElementTree.indent(root, " ")
    text = ElementTree.tostring(root, encoding="unicode")
    return f'<?xml version="1.0" encoding="utf-8"?>\n{text}\n'


def _suite(suite: Suite) -> ElementTree.Element:
    cases = suite.cases
    if suite.stopped:
        stopped = Case(
            "", "stopped", Verdict.FAIL, None, suite.stopped, suite.stopped, (), "", "", True
        )
        cases = (*cases, stopped)
    tags = [_tag(case) for case in cases]
    element = ElementTree.Element(
        "testsuite",
        {
            "name": suite.name,
            "tests": str(len(cases)),
            "failures": str(tags.count("failure")),
            "errors": str(tags.count("error")),
            "skipped": str(tags.count("skipped")),
        },
    )
    times = [case.seconds for case in cases if case.seconds is not None]
    if times:
        element.set("time", f"{sum(times):.3f}")
    element.extend(_case(case) for case in cases)
    return element


def _tag(case: Case) -> str:
    """Of the element that says why it is no plain pass."""
    if case.verdict is Verdict.FAIL:
        return "error" if case.error else "failure"
    return "skipped" if case.verdict in _SKIPPED else ""


def _case(case: Case) -> ElementTree.Element:
    element = ElementTree.Element("testcase", dict(_attributes(case)))
    if case.findings:
        properties = ElementTree.SubElement(element, "properties")
        for finding in case.findings:
            ElementTree.SubElement(properties, "property", {"name": "finding", "value": finding})
    text = "\n".join(printable(line) for line in case.text.split("\n"))
    if tag := _tag(case):
        attributes = {"type": case.kind} if case.kind else {}
        attributes["message"] = printable(case.message)
        child = ElementTree.SubElement(element, tag, attributes)
        if case.verdict is Verdict.FAIL:
            child.text = text
            return element
    if text:
        ElementTree.SubElement(element, "system-out").text = text
    return element


def _attributes(case: Case) -> Iterator[tuple[str, str]]:
    if case.classname:
        yield "classname", printable(case.classname)
    yield "name", printable(case.name)
    if case.file:
        yield "file", printable(case.file)
    if case.seconds is not None:
        yield "time", f"{case.seconds:.3f}"
