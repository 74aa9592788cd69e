"""The reports of `ipvs-est check` for machines: JSON and JUnit XML."""

import json
from collections.abc import Sequence
from xml.etree import ElementTree

from ipvs_est.answers.snapshot import snapshot_to_json
from ipvs_est_checks.cli.printable import printable
from ipvs_est_checks.engines.repeat import disagreements
from ipvs_est_checks.report.check_text import problem_lines
from ipvs_est_checks.report.rows import Problem, Report, Row, Verdict, worst

REPORT_VERSION = 1


def json_report(report: Report) -> str:
    """The whole report, states before and after each failure included."""
    return json.dumps(_report(report), indent=1) + "\n"


def json_reports(reports: Sequence[Report]) -> str:
    """Several runs, and the subjects on which they differ."""
    written = {
        "report": "ipvs-est check, repeated",
        "version": REPORT_VERSION,
        "runs": [_report(each) for each in reports],
        "differences": [
            {
                "id": each.id,
                "how": each.how,
                "revision": each.revision or None,
                "verdicts": [None if said is None else said.value for said in each.verdicts],
            }
            for each in disagreements(reports)
        ],
    }
    return json.dumps(written, indent=1) + "\n"


def _report(report: Report) -> dict[str, object]:
    return {
        "report": "ipvs-est check",
        "version": REPORT_VERSION,
        "complete": report.complete,
        "profile": report.request.profile,
        "seed": report.request.seed,
        "revisions": [each.name for each in report.request.revisions],
        "verdict": worst(report.rows).value,
        "seconds": round(report.seconds, 3),
        "rows": [_row(each) for each in report.rows],
    }


def _row(row: Row) -> dict[str, object]:
    return {
        "id": row.id,
        "sentence": row.sentence,
        "revision": row.revision or None,
        "verdict": row.verdict.value,
        "how": row.how,
        "cases": row.cases,
        "seconds": round(row.seconds, 3),
        "command": row.command or None,
        "problems": [_problem(each) for each in row.problems],
        "notes": list(row.notes),
    }


def _problem(problem: Problem) -> dict[str, object]:
    failure = problem.failure
    return {
        "property": problem.property,
        "revision": problem.revision or None,
        "detail": problem.detail,
        "found": problem.found or None,
        "header": problem.header or None,
        "history": list(problem.operations),
        "step": None if failure is None else failure.step,
        "before": None if failure is None else snapshot_to_json(failure.before),
        "after": None if failure is None else snapshot_to_json(failure.after),
        "command": problem.command,
    }


def junit_report(reports: Sequence[Report]) -> str:
    """A test suite for each run, a test case for each row; an interrupted run has an error of
    its own."""
    suites = [_suite(each) for each in reports]
    root = ElementTree.Element(
        "testsuites",
        {
            name: str(sum(int(each.get(name, "0")) for each in suites))
            for name in ("tests", "failures", "errors", "skipped")
        },
    )
    root.extend(suites)
    ElementTree.indent(root, " ")
    text = ElementTree.tostring(root, encoding="unicode")
    return f'<?xml version="1.0" encoding="utf-8"?>\n{text}\n'


def _suite(report: Report) -> ElementTree.Element:
    failed = sum(row.verdict is Verdict.FAIL for row in report.rows)
    skipped = sum(row.verdict in (Verdict.NOT_RUN, Verdict.INCOMPLETE) for row in report.rows)
    counts = {
        "tests": str(len(report.rows) + (not report.complete)),
        "failures": str(failed),
        "errors": str(int(not report.complete)),
        "skipped": str(skipped),
    }
    suite = ElementTree.Element("testsuite", {"name": "ipvs-est check", **counts})
    for row in report.rows:
        name = f"{row.id} {row.revision}".strip()
        attributes = {"classname": f"ipvs_est.check.{row.how}", "name": printable(name)}
        case = ElementTree.SubElement(suite, "testcase", attributes)
        text = "\n".join(line for each in row.problems for line in problem_lines(each))
        if row.verdict is Verdict.FAIL:
            element = ElementTree.SubElement(case, "failure", {"message": row.sentence})
            element.text = "\n".join(printable(line) for line in text.split("\n"))
        elif row.verdict in (Verdict.NOT_RUN, Verdict.INCOMPLETE):
            message = row.command or row.verdict.value
            ElementTree.SubElement(case, "skipped", {"message": printable(message)})
    if not report.complete:
        case = ElementTree.SubElement(suite, "testcase", {"name": "interrupted"})
        ElementTree.SubElement(case, "error", {"message": "interrupted"})
    return suite
