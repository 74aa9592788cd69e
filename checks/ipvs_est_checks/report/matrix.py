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
_IDS = tuple(prop.id for prop in PROPERTIES)


@dataclass(frozen=True, slots=True)
class MatrixCell:
    """What is known of a property on a revision."""

    verdict: Verdict | None
    """None: nothing judged it."""
    findings: tuple[str, ...] = ()
    recorded: tuple[str, ...] = ()
    """Findings that are recorded for it, where nothing of this run showed one."""

    @property
    def text(self) -> str:
        """The findings' numbers, or the verdict; in brackets findings that were not met."""
        if self.verdict is None:
            return NOT_JUDGED
        if self.verdict is Verdict.FINDING and self.findings:
            return _ids(self.findings)
        if self.recorded:
            return f"({_ids(self.recorded)})"
        word: str = self.verdict.value
        return word if self.verdict is Verdict.FAIL else word.lower()


Recorded = Callable[[str, str], tuple[str, ...]]
"""Ids of the findings that are recorded for a revision and a property."""


def nothing_recorded(_revision: str, _property_id: str) -> tuple[str, ...]:
    """For rows that are about no revision."""
    return ()


def _ids(findings: Sequence[str]) -> str:
    more = len(findings) - _MOST_FINDINGS
    shown = " ".join(findings[:_MOST_FINDINGS])
    return f"{shown} +{more}" if more > 0 else shown


def cells(
    rows: Sequence[Row], revisions: Sequence[str], recorded: Recorded = nothing_recorded
) -> dict[str, tuple[MatrixCell, ...]]:
    """By id of a property that some row is about: a cell for each revision.

    A finding may need more preemptions, or longer histories, than the run had: a property that
    passes and for which one is recorded names it.
    """
    about: dict[tuple[str, str], list[Row]] = {}
    for row in rows:
        for property_id in row.properties or (row.id,):
            for revision in row.revision.split(", ") if row.revision else revisions:
                about.setdefault((property_id, revision), []).append(row)
    known = {property_id for property_id, _ in about}
    return {
        id_: tuple(
            _cell(about.get((id_, revision), ()), recorded(revision, id_)) for revision in revisions
        )
        for id_ in _IDS
        if id_ in known
    }


def _cell(rows: Sequence[Row], recorded: tuple[str, ...]) -> MatrixCell:
    verdicts = {row.verdict for row in rows}
    verdict = next((verdict for verdict in _STRONGEST_FIRST if verdict in verdicts), None)
    findings = tuple(sorted({finding for row in rows for finding in row.findings}))
    passes = verdict in (Verdict.PASS, Verdict.SAMPLED)
    return MatrixCell(verdict, findings, recorded if passes else ())


def matrix(
    rows: Sequence[Row],
    revisions: Sequence[str],
    colour: Callable[[str, str], str] = lambda text, colour: text,
    recorded: Recorded = nothing_recorded,
) -> Iterator[str]:
    """A line for each property that fails somewhere, and one for all others of which the same is
    said; a last one explains brackets, where there are any.

    What was judged nowhere is left out: why, the remarks say.
    `colour` is given each verdict's text and the name of its colour.
    """
    found = {
        id_: line
        for id_, line in cells(rows, revisions, recorded).items()
        if any(matrix_cell.verdict is not None for matrix_cell in line)
    }
    if not found:
        return
    lines: list[tuple[str, ...]] = [("property", *revisions)]
    verdicts: list[tuple[MatrixCell, ...] | None] = [None]
    alike: dict[tuple[MatrixCell, ...], list[str]] = {}
    for id_, line in found.items():
        if any(
            matrix_cell.verdict in (Verdict.FAIL, Verdict.FINDING) or matrix_cell.recorded
            for matrix_cell in line
        ):
            lines.append((id_, *(matrix_cell.text for matrix_cell in line)))
            verdicts.append(line)
        else:
            alike.setdefault(line, []).append(id_)
    for line, ids in alike.items():
        label = ids[0] if len(ids) == 1 else f"{len(ids)} others"
        lines.append((label, *(matrix_cell.text for matrix_cell in line)))
        verdicts.append(line)
    widths = [max(map(len, column)) for column in zip(*lines, strict=True)]
    for text, words, of in zip(aligned(lines), lines, verdicts, strict=True):
        if of is None:
            yield text
            continue
        parts = [words[0].ljust(widths[0])]
        for cell, width in zip(of, widths[1:], strict=True):
            word = colour(cell.text, _COLOURS[cell.verdict]) if cell.verdict else cell.text
            parts.append(word + " " * (width - len(cell.text)))
        yield "  ".join(parts).rstrip()
    deeper = sorted(
        {id_ for line in found.values() for matrix_cell in line for id_ in matrix_cell.recorded}
    )
    if deeper:
        yield (
            "in brackets: recorded, and not met within the bounds of this run;"
            f" ipvs-est findings {' '.join(deeper)}"
        )
