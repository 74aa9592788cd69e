"""The reports of `ipvs-est check` for machines: JSON and JUnit XML."""

from collections.abc import Sequence

from ipvs_est.answers.snapshot import snapshot_to_json
from ipvs_est_checks.report.causes import SharedCause, causes
from ipvs_est_checks.report.json_text import json_text
from ipvs_est_checks.report.junit import INTERRUPTED, Case, Suite, junit_text
from ipvs_est_checks.report.matrix import cells
from ipvs_est_checks.report.problem_text import problem_lines
from ipvs_est_checks.report.repeat import disagreements
from ipvs_est_checks.report.rows import Problem, Report, Row
from ipvs_est_checks.report.verdict import Verdict, worst

REPORT_VERSION = 1
_NAME = "ipvs-est check"


def json_report(report: Report) -> str:
    """The whole report, states before and after each failure included."""
    return json_text(_NAME, REPORT_VERSION, _report(report))


def json_reports(reports: Sequence[Report]) -> str:
    """Several runs, and the subjects on which they differ."""
    written = {
        "runs": [
            {"report": _NAME, "version": REPORT_VERSION, **_report(report)} for report in reports
        ],
        "differences": [
            {
                "id": disagreement.id,
                "how": disagreement.how,
                "revision": disagreement.revision or None,
                "verdicts": [
                    None if said is None else said.value for said in disagreement.verdicts
                ],
            }
            for disagreement in disagreements(reports)
        ],
    }
    return json_text(f"{_NAME}, repeated", REPORT_VERSION, written)


def _report(report: Report) -> dict[str, object]:
    revisions = list(report.request.names)
    return {
        "complete": report.complete,
        "profile": report.request.profile,
        "seed": report.request.seed,
        "revisions": revisions,
        "verdict": _verdict(report).value,
        "seconds": round(report.seconds, 3),
        "causes": [_cause(cause) for cause in causes(report.rows)],
        "matrix": {
            id_: {
                revision: {
                    "verdict": None if matrix_cell.verdict is None else matrix_cell.verdict.value,
                    "findings": list(matrix_cell.findings),
                }
                for revision, matrix_cell in zip(revisions, line, strict=True)
            }
            for id_, line in cells(report.rows, revisions).items()
        },
        "rows": [_row(row) for row in report.rows],
    }


def _verdict(report: Report) -> Verdict:
    """What was not looked at has not passed."""
    found = worst(row.verdict for row in report.rows)
    return found if report.complete or found is Verdict.FAIL else Verdict.INCOMPLETE


def _cause(cause: SharedCause) -> dict[str, object]:
    return {
        "title": cause.title,
        "properties": list(cause.properties),
        "revisions": list(cause.revisions),
        "problems": cause.problems,
        "shortest": _problem(cause.problem),
    }


def _row(row: Row) -> dict[str, object]:
    return {
        "id": row.id,
        "sentence": row.sentence,
        "revision": row.revision or None,
        "verdict": row.verdict.value,
        "findings": list(row.findings),
        "remark": row.remark or None,
        "how": row.how,
        "cases": row.cases,
        "seconds": round(row.seconds, 3),
        "command": row.command or None,
        "problems": [_problem(problem) for problem in row.problems],
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
        "command": problem.command or None,
    }


def junit_report(reports: Sequence[Report]) -> str:
    """A test suite for each run, a test case for each row."""
    return junit_text([_suite(report) for report in reports])


def _suite(report: Report) -> Suite:
    cases = tuple(_case(row) for row in report.rows)
    return Suite(_NAME, cases, "" if report.complete else INTERRUPTED)


def _case(row: Row) -> Case:
    failed = row.verdict is Verdict.FAIL
    lines = [line for problem in row.problems for line in problem_lines(problem)] if failed else []
    reason = row.remark or row.command or next((problem.detail for problem in row.problems), "")
    return Case(
        f"ipvs_est.check.{row.how}",
        f"{row.id} {row.revision}".strip(),
        row.verdict,
        row.seconds,
        row.sentence if failed else reason or row.verdict.value,
        "\n".join(lines),
        row.findings,
    )
