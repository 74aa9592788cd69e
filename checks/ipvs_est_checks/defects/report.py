"""The table of known defects, as text, JSON and JUnit XML."""

import json
from collections.abc import Iterator, Sequence
from xml.etree import ElementTree

from ipvs_est import REVISIONS
from ipvs_est_checks.cli.printable import printable
from ipvs_est_checks.defects.run import Cell, RowResult, Shown
from ipvs_est_checks.defects.table import Kind
from ipvs_est_checks.report.rows import Verdict

REPORT_VERSION = 1
HEADINGS = (
    "id",
    *REVISIONS,
    "",
    "scenario",
    "schedules",
    "seconds",
    "preempt",
    "switches",
    "told",
    "what",
)


def table(results: Sequence[RowResult]) -> Iterator[str]:
    """A line for each row: what it shows on each revision, where and how fast."""
    lines = [HEADINGS, *(_line(each) for each in results)]
    widths = [max(len(line[column]) for line in lines) for column in range(len(HEADINGS) - 1)]
    for line in lines:
        cells = [f"{cell:<{width}}" for cell, width in zip(line[:-1], widths, strict=True)]
        yield "  ".join([*cells, line[-1]])


def _line(result: RowResult) -> tuple[str, ...]:
    row = result.row
    words = dict.fromkeys(REVISIONS, "-")
    for cell in result.cells:
        word = _word(row.kind, cell)
        before = words[cell.revision]
        words[cell.revision] = word if before == "-" else f"{before}/{word}"
    shown = first_shown(result)
    return (
        row.id,
        *words.values(),
        result.verdict.value,
        row.scenarios[0] if shown is None else shown.scenario,
        str(sum(each.schedules for each in result.cells) if shown is None else shown.schedules),
        f"{max(each.seconds for each in result.cells) if shown is None else shown.seconds:.1f}",
        "" if shown is None else str(shown.preemptions),
        "" if shown is None else str(shown.switches),
        "" if row.told is None else str(row.told),
        row.title,
    )


def _word(kind: Kind, cell: Cell) -> str:
    if kind is Kind.BOUND and cell.shown is not None:
        return "bound"
    if cell.shown is not None:
        return "found" if cell.wanted else "FOUND"
    if cell.stray:
        return "STRAY"
    if cell.wanted:
        return "MISSED"
    return "silent" if cell.exhausted else "open"


def first_shown(result: RowResult) -> Shown | None:
    """Of the first revision that shows it."""
    return next((each.shown for each in result.cells if each.shown is not None), None)


def details(result: RowResult) -> Iterator[str]:
    """How it shows and how to see it again; what is wrong with the row."""
    row = result.row
    yield f"{row.id} {row.title}"
    if row.note:
        yield f"  {row.note}"
    for cell in result.cells:
        if cell.shown is not None:
            yield f"  {cell.revision}: {cell.shown.text}"
            if cell.shown.fewest is not None:
                yield f"    {_length(cell.shown)}"
            if cell.shown.token:
                yield f"    ipvs-est explore --replay {cell.shown.token}"
        for text in cell.stray:
            yield f"  {cell.revision}: {text}"
        if cell.verdict is not Verdict.PASS:
            yield f"  {cell.verdict.value} on {cell.revision}"


def _length(shown: Shown) -> str:
    number = shown.context_switches
    proved = "no schedule fails so with fewer" if shown.fewest else "not proved to be the fewest"
    return f"{number} context switch{'es' if number != 1 else ''}, time's included ({proved})"


def summary(results: Sequence[RowResult]) -> str:
    """The closing line."""
    counts = {each: sum(result.verdict is each for result in results) for each in Verdict}
    rows = ", ".join(f"{count} {each.value.lower()}" for each, count in counts.items() if count)
    schedules = sum(cell.schedules for result in results for cell in result.cells)
    return f"{rows}; {schedules} schedules"


def json_report(results: Sequence[RowResult], preemptions: int, *, complete: bool) -> str:
    """Everything."""
    written = {
        "report": "ipvs-est defects",
        "version": REPORT_VERSION,
        "complete": complete,
        "preemptions": preemptions,
        "rows": [_row_json(each) for each in results],
    }
    return json.dumps(written, indent=1) + "\n"


def _row_json(result: RowResult) -> dict[str, object]:
    row = result.row
    return {
        "id": row.id,
        "kind": row.kind.value,
        "title": row.title,
        "verdict": result.verdict.value,
        "note": row.note or None,
        "told_switches": row.told,
        "cells": [_cell_json(row.kind, each) for each in result.cells],
    }


def _cell_json(kind: Kind, cell: Cell) -> dict[str, object]:
    shown = cell.shown
    return {
        "revision": cell.revision,
        "wanted": cell.wanted,
        "result": _word(kind, cell),
        "verdict": cell.verdict.value,
        "exhausted": cell.exhausted,
        "schedules": cell.schedules,
        "seconds": round(cell.seconds, 3),
        "stray": list(cell.stray),
        "shown": None
        if shown is None
        else {
            "scenario": shown.scenario,
            "property": shown.property or None,
            "text": shown.text,
            "schedules": shown.schedules,
            "seconds": round(shown.seconds, 3),
            "preemptions": shown.preemptions,
            "switches": shown.switches,
            "context_switches": shown.context_switches,
            "fewest": shown.fewest,
            "steps": shown.steps,
            "token": shown.token or None,
        },
    }


def junit_report(results: Sequence[RowResult], *, complete: bool) -> str:
    """A test case for each row."""
    bad = sum(each.verdict is Verdict.FAIL for each in results)
    skipped = sum(each.verdict is Verdict.INCOMPLETE for each in results)
    counts = {
        "tests": str(len(results) + (not complete)),
        "failures": str(bad),
        "errors": str(int(not complete)),
        "skipped": str(skipped),
    }
    root = ElementTree.Element("testsuites", counts)
    suite = ElementTree.SubElement(root, "testsuite", {"name": "ipvs-est defects", **counts})
    for result in results:
        name = printable(f"{result.row.id} {result.row.title}")
        case = ElementTree.SubElement(
            suite, "testcase", {"classname": "ipvs_est.defects", "name": name}
        )
        text = "\n".join(printable(line) for line in details(result))
        if result.verdict is Verdict.FAIL:
            ElementTree.SubElement(case, "failure", {"message": "not as listed"}).text = text
        elif result.verdict is Verdict.INCOMPLETE:
            ElementTree.SubElement(case, "skipped", {"message": "schedules are left over"})
    if not complete:
        case = ElementTree.SubElement(suite, "testcase", {"name": "interrupted"})
        ElementTree.SubElement(case, "error", {"message": "interrupted"})
    ElementTree.indent(root, " ")
    text = ElementTree.tostring(root, encoding="unicode")
    return f'<?xml version="1.0" encoding="utf-8"?>\n{text}\n'
