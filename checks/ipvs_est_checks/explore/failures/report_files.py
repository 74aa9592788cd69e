"""The report of `ipvs-est explore` as JSON and JUnit XML; equal searches give equal bytes."""

import json
from collections.abc import Sequence
from dataclasses import asdict
from xml.etree import ElementTree

from ipvs_est.answers.snapshot import snapshot_to_json
from ipvs_est.language.violations import to_json
from ipvs_est_checks.cli.printable import printable
from ipvs_est_checks.explore.failures.report import (
    Row,
    Told,
    Verdict,
    figures_text,
    known_text,
    length_text,
    reach_text,
    tell,
)
from ipvs_est_checks.explore.timeline.steps import Timeline
from ipvs_est_checks.explore.timeline.text import timeline_lines

REPORT_VERSION = 1


def json_report(rows: Sequence[Row], *, complete: bool) -> str:
    """The whole report. No times: they differ from run to run."""
    written = {
        "report": "ipvs-est explore",
        "version": REPORT_VERSION,
        "complete": complete,
        "verdict": worst(rows, complete=complete).value,
        "rows": [_row(each) for each in rows],
    }
    return json.dumps(written, indent=1) + "\n"


def worst(rows: Sequence[Row], *, complete: bool) -> Verdict:
    """FAIL before INCOMPLETE before PASS; no search at all is no pass."""
    verdicts = {each.verdict for each in rows}
    if Verdict.FAIL in verdicts:
        return Verdict.FAIL
    if Verdict.INCOMPLETE in verdicts or not verdicts or not complete:
        return Verdict.INCOMPLETE
    return Verdict.PASS


def _row(row: Row) -> dict[str, object]:
    job, settings = row.job, row.job.settings
    guarantee = row.result.guarantee
    return {
        "scenario": job.scenario.name,
        "source": job.source,
        "about": job.scenario.about,
        "revision": job.revision.name,
        "verdict": row.verdict.value,
        "scheduler": settings.kind.value,
        "bounds": asdict(settings.bounds),
        "depth": settings.depth,
        "seed": settings.seed,
        "figures": asdict(row.result.outcome.figures),
        "reach": reach_text(row),
        "watched": sorted(job.watched),
        "guarantee": None if guarantee is None else asdict(guarantee),
        "passed_over": [asdict(each) for each in row.result.passed_over],
        "failures": [_failure(each) for each in tell(row)],
    }


def _failure(told: Told) -> dict[str, object]:
    found = told.failure.found
    return {
        "violation": to_json(found.violation),
        "context_switches": found.switches,
        "fewest": told.failure.fewest,
        "known": None if told.known is None else asdict(told.known),
        "preemptions": found.preemptions,
        "token": told.token,
        "command": told.command,
        "timeline": _timeline(told.timeline),
    }


def _timeline(told: Timeline) -> dict[str, object]:
    return {
        "columns": list(told.columns),
        "steps": [
            {
                "column": told.columns[each.column],
                "function": each.function or None,
                "action": each.action,
                "preempts": each.preempts,
                "unlocks": list(each.releases),
                "held": {mutex: told.columns[owner] for mutex, owner in each.holds},
                "jiffy": each.jiffy,
                "changes": list(each.changes),
            }
            for each in told.steps
        ],
        "standings": [
            {
                "column": told.columns[each.column],
                "function": each.function,
                "does": each.does,
                "waits_on": None if each.waits_on is None else told.columns[each.waits_on],
                "holds": list(each.holds),
            }
            for each in told.standings
        ],
        "before": snapshot_to_json(told.before),
        "after": snapshot_to_json(told.after),
    }


def junit_report(rows: Sequence[Row], *, complete: bool) -> str:
    """A test case for each search; what is incomplete is skipped, never passed."""
    failed = sum(row.verdict is Verdict.FAIL for row in rows)
    skipped = sum(row.verdict is Verdict.INCOMPLETE for row in rows)
    counts = {
        "tests": str(len(rows) + (not complete)),
        "failures": str(failed),
        "errors": str(int(not complete)),
        "skipped": str(skipped),
    }
    root = ElementTree.Element("testsuites", counts)
    suite = ElementTree.SubElement(root, "testsuite", {"name": "ipvs-est explore", **counts})
    for row in rows:
        name = f"{row.job.source} {row.job.revision.name}"
        attributes = {"classname": "ipvs_est.explore", "name": printable(name)}
        case = ElementTree.SubElement(suite, "testcase", attributes)
        reach = f"{figures_text(row.result.outcome.figures)}; {reach_text(row)}"
        if row.verdict is Verdict.FAIL:
            for told in tell(row):
                message = f"{told.failure.found.violation.kind}: {length_text(told.failure)}"
                failure = ElementTree.SubElement(case, "failure", {"message": message})
                lines = [
                    *timeline_lines(told.timeline),
                    known_text(told.known, row.job.revision),
                    f"again: {told.command}",
                ]
                failure.text = "\n".join(printable(each) for each in lines)
        elif row.verdict is Verdict.INCOMPLETE:
            ElementTree.SubElement(case, "skipped", {"message": printable(reach)})
        ElementTree.SubElement(case, "system-out").text = printable(reach)
    if not complete:
        case = ElementTree.SubElement(suite, "testcase", {"name": "interrupted"})
        ElementTree.SubElement(case, "error", {"message": "interrupted"})
    ElementTree.indent(root, " ")
    text = ElementTree.tostring(root, encoding="unicode")
    return f'<?xml version="1.0" encoding="utf-8"?>\n{text}\n'
