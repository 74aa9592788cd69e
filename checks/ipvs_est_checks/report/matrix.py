"""The short table of `ipvs-est check`: what all engines together say of each property."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

from ipvs_est_checks.report.columns import aligned
from ipvs_est_checks.report.rows import Row
from ipvs_est_checks.report.verdict import Verdict
from ipvs_est_spec.catalogue import PROPERTIES

WIDTH = 100
"""Columns that it fits in."""
NOT_JUDGED = "-"
_MOST_FINDINGS = 2
_STRONGEST_FIRST = (
    Verdict.FAIL,
    Verdict.FINDING,
    Verdict.INCOMPLETE,
    Verdict.SAMPLED,
    Verdict.PASS,
)
_COLOURS = {
    Verdict.PASS: "green",
    Verdict.SAMPLED: "green",
    Verdict.FINDING: "cyan",
    Verdict.FAIL: "red",
    Verdict.INCOMPLETE: "yellow",
}
_IDS = tuple(each.id for each in PROPERTIES)


@dataclass(frozen=True, slots=True)
class Cell:
    """What is known of a property on a revision."""

    verdict: Verdict | None
    """None: nothing judged it."""
    findings: tuple[str, ...] = ()

    @property
    def text(self) -> str:
        """The findings' numbers, or the verdict."""
        if self.verdict is None:
            return NOT_JUDGED
        if self.verdict is Verdict.FINDING and self.findings:
            more = len(self.findings) - _MOST_FINDINGS
            shown = " ".join(self.findings[:_MOST_FINDINGS])
            return f"{shown} +{more}" if more > 0 else shown
        word: str = self.verdict.value
        return word if self.verdict is Verdict.FAIL else word.lower()


def cells(rows: Sequence[Row], revisions: Sequence[str]) -> dict[str, tuple[Cell, ...]]:
    """By id of a property that some row is about: a cell for each revision."""
    about: dict[tuple[str, str], list[Row]] = {}
    for row in rows:
        for property_id in row.properties or (row.id,):
            for revision in row.revision.split(", ") if row.revision else revisions:
                about.setdefault((property_id, revision), []).append(row)
    known = {property_id for property_id, _ in about}
    return {
        id_: tuple(_cell(about.get((id_, revision), ())) for revision in revisions)
        for id_ in _IDS
        if id_ in known
    }


def _cell(rows: Sequence[Row]) -> Cell:
    verdicts = {each.verdict for each in rows}
    verdict = next((each for each in _STRONGEST_FIRST if each in verdicts), None)
    return Cell(verdict, tuple(sorted({each for row in rows for each in row.findings})))


def matrix(
    rows: Sequence[Row],
    revisions: Sequence[str],
    colour: Callable[[str, str], str] = lambda text, colour: text,
) -> Iterator[str]:
    """A line for each property that does not hold everywhere, and one for all others.

    `colour` is given each verdict's text and the name of its colour.
    """
    found = cells(rows, revisions)
    if not found:
        return
    plain = {
        id_: line
        for id_, line in found.items()
        if any(each.verdict not in (Verdict.PASS, Verdict.SAMPLED) for each in line)
    }
    lines = [("property", *revisions)]
    lines += [(id_, *(each.text for each in line)) for id_, line in plain.items()]
    verdicts: list[tuple[Cell, ...] | None] = [None, *plain.values()]
    rest = len(found) - len(plain)
    if rest:
        label = f"{rest} others" if plain else f"{rest} properties"
        passed = Cell(Verdict.PASS)
        lines.append((label, *(passed.text for _ in revisions)))
        verdicts.append(tuple(passed for _ in revisions))
    widths = [max(len(line[column]) for line in lines) for column in range(len(lines[0]))]
    for text, line, of in zip(aligned(lines), lines, verdicts, strict=True):
        if of is None:
            yield text
            continue
        parts = [line[0].ljust(widths[0])]
        for cell, width in zip(of, widths[1:], strict=True):
            text = colour(cell.text, _COLOURS[cell.verdict]) if cell.verdict else cell.text
            parts.append(text + " " * (width - len(cell.text)))
        yield "  ".join(parts).rstrip()
