"""The table of known defects, as text, JSON and JUnit XML."""

from collections.abc import Iterator, Sequence

from ipvs_est import REVISIONS
from ipvs_est_checks.defects.run import Cell, RowResult, ShownDefect
from ipvs_est_checks.defects.table import DefectKind
from ipvs_est_checks.report.columns import aligned
from ipvs_est_checks.report.json_text import json_text
from ipvs_est_checks.report.junit import INTERRUPTED, Case, Suite, junit_text
from ipvs_est_checks.report.verdict import Verdict, counted

REPORT_VERSION = 2
_NAME = "ipvs-est defects"
_MESSAGES = {Verdict.FAIL: "not as listed", Verdict.INCOMPLETE: "schedules are left over"}
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
    yield from aligned([HEADINGS, *(_line(result) for result in results)])


def bound_text(preemptions: int) -> str:
    """The bound of a search."""
    return f"{preemptions} preemption{'' if preemptions == 1 else 's'}"


def _line(result: RowResult) -> tuple[str, ...]:
    row = result.row
    words = dict.fromkeys(REVISIONS, "-")
    for cell in result.cells:
        word = _word(row.kind, cell)
        before = words[cell.revision]
        words[cell.revision] = word if before == "-" else f"{before}/{word}"
    shown = first_shown(result)
    longest = max((cell.seconds for cell in result.cells), default=0.0)
    return (
        row.id,
        *words.values(),
        result.verdict.value,
        row.scenarios[0] if shown is None else shown.scenario,
        str(sum(cell.schedules for cell in result.cells) if shown is None else shown.schedules),
        f"{longest if shown is None else shown.seconds:.1f}",
        "" if shown is None else str(shown.preemptions),
        "" if shown is None else str(shown.switches),
        "" if row.sentence_switches is None else str(row.sentence_switches),
        row.title,
    )


def _word(kind: DefectKind, cell: Cell) -> str:
    if kind is DefectKind.BOUND and cell.shown is not None:
        return "bound"
    if cell.shown is not None:
        return "found" if cell.wanted else "FOUND"
    if cell.stray:
        return "STRAY"
    if cell.wanted:
        return "MISSED"
    return "silent" if cell.exhausted else "open"


def first_shown(result: RowResult) -> ShownDefect | None:
    """Of the first revision that shows it."""
    return next((cell.shown for cell in result.cells if cell.shown is not None), None)


def details(result: RowResult) -> Iterator[str]:
    """How it shows and how to see it again; what is wrong with the row."""
    row = result.row
    yield f"{row.id} {row.title}"
    yield f"  searched to {bound_text(result.preemptions)}"
    if row.note:
        yield f"  {row.note}"
    if result.lost:
        yield f"  INCOMPLETE: {result.lost}"
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


def _length(shown: ShownDefect) -> str:
    number = shown.context_switches
    proved = "no schedule fails so with fewer" if shown.fewest else "not proved to be the fewest"
    return f"{number} context switch{'es' if number != 1 else ''}, time's included ({proved})"


def summary(results: Sequence[RowResult]) -> str:
    """The closing line."""
    rows = counted(result.verdict for result in results)
    schedules = sum(cell.schedules for result in results for cell in result.cells)
    bounds = sorted({result.preemptions for result in results})
    to = " or ".join(map(str, bounds))
    return f"{rows}; {schedules} schedules, to {to} preemption{'' if bounds == [1] else 's'}"


def json_report(results: Sequence[RowResult], *, complete: bool) -> str:
    """Everything."""
    return json_text(
        _NAME,
        REPORT_VERSION,
        {"complete": complete, "rows": [_row_json(result) for result in results]},
    )


def _row_json(result: RowResult) -> dict[str, object]:
    row = result.row
    return {
        "id": row.id,
        "kind": row.kind.value,
        "title": row.title,
        "verdict": result.verdict.value,
        "preemptions": result.preemptions,
        "note": row.note or None,
        "lost": result.lost or None,
        "told_switches": row.sentence_switches,
        "cells": [_cell_json(row.kind, cell) for cell in result.cells],
    }


def _cell_json(kind: DefectKind, cell: Cell) -> dict[str, object]:
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
    cases = tuple(
        Case(
            "ipvs_est.defects",
            f"{result.row.id} {result.row.title}",
            result.verdict,
            sum(cell.seconds for cell in result.cells),
            result.lost or _MESSAGES.get(result.verdict, ""),
            "\n".join(details(result)),
        )
        for result in results
    )
    return junit_text([Suite(_NAME, cases, "" if complete else INTERRUPTED)])
