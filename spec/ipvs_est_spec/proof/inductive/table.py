"""Which invariant is preserved by which step on which revision, and by what that is proved.

Read from `table.tsv`, which `derive` writes.
"""

import csv
from dataclasses import dataclass
from enum import Enum
from functools import cache
from importlib.resources import files

COLUMNS = (
    *("invariant", "step", "case", "geometries", "revisions"),
    *("verdict", "finding", "needs", "facts"),
)


class ProofKind(Enum):
    """What is said of one invariant and one case of a step."""

    UNTOUCHED = "untouched"
    """The step changes nothing that the invariant asks: before and after it is one formula. The
    table of the steps leaves these out."""
    PROVED = "proved"
    EXCLUDED = "excluded"
    """The step cannot be taken where what it needs holds."""
    REFUTED = "refuted"
    """There is a state in which all invariants hold and after the step this one does not."""


@dataclass(frozen=True, slots=True)
class ProofRow:
    """One line of the table."""

    invariant: str
    step: str
    case: str
    geometries: tuple[str, ...]
    revisions: tuple[str, ...]
    """In each of these geometries on each of these revisions it is so."""
    kind: ProofKind
    finding: str
    """Of a refuted one: the finding, the known defect, or `config` where the configuration
    itself may change so that the property has to fail for a while."""
    needs: tuple[str, ...]
    """Invariants before the step; without any one of them there is a counterexample."""
    facts: tuple[str, ...]
    """Facts about every state that the proof uses."""


def parse(text: str) -> tuple[ProofRow, ...]:
    """The rows of a table. Raises ValueError if it is none."""
    lines = list(csv.reader(text.splitlines(), delimiter="\t"))
    if not lines or tuple(lines[0]) != COLUMNS:
        raise ValueError(f"the columns are not {', '.join(COLUMNS)}")
    rows: list[ProofRow] = []
    for number, line in enumerate(lines[1:], 2):
        if len(line) != len(COLUMNS):
            raise ValueError(f"line {number}: {len(line)} columns, not {len(COLUMNS)}")
        invariant, step, case, geometries, revisions, kind, finding, needs, facts = line
        rows.append(
            ProofRow(
                invariant,
                step,
                case,
                _names(geometries),
                _names(revisions),
                ProofKind(kind),
                finding,
                _names(needs),
                _names(facts),
            )
        )
    return tuple(rows)


def written(rows: tuple[ProofRow, ...]) -> str:
    """The inverse of `parse`."""
    lines = ["\t".join(COLUMNS)]
    for row in rows:
        cells = (
            row.invariant,
            row.step,
            row.case,
            ",".join(row.geometries),
            ",".join(row.revisions),
            row.kind.value,
            row.finding,
            ",".join(row.needs),
            ",".join(row.facts),
        )
        lines.append("\t".join(cells))
    return "\n".join(lines) + "\n"


@cache
def table() -> tuple[ProofRow, ...]:
    """The recorded table of the steps."""
    return _read(__package__)


@cache
def walk_table() -> tuple[ProofRow, ...]:
    """That of the walk of the calc phase."""
    return _read(f"{__package__}.walk")


def _read(package: str) -> tuple[ProofRow, ...]:
    return parse((files(package) / "table.tsv").read_text(encoding="utf-8"))


def _names(cell: str) -> tuple[str, ...]:
    return tuple(cell.split(",")) if cell else ()
