"""The page of all theorems."""

from collections.abc import Iterator

from ipvs_est_checks.documents import anchor, linked
from ipvs_est_checks.proving.counterexamples.registry import kind_of
from ipvs_est_spec.proof.framework.theorem import Theorem
from ipvs_est_spec.proof.registry import THEOREMS

_ABOUT = """\
`ipvs-est prove` decides them with z3: each with premises that can be satisfied, without each of its
assumptions once (it then has to fail), and in a mutated version that has to be refuted. The
counterexamples are executed in the model, as what the last column says: numbers, a loaded state, a
schedule or a history. [Proofs](../explanation/proofs.md) explains how to read and to doubt them.
"""
_HEAD = ("| id | theorem | on | about | source | replayed |", "|---|---|---|---|---|---|")


def theorems_page() -> Iterator[str]:
    """The lines of the page: in each group a table for each thing that theorems are for."""
    yield from ("# Theorems", "", *_ABOUT.splitlines())
    for group in dict.fromkeys(theorem.group for theorem in THEOREMS):
        yield from ("", f"## {group}")
        theorems = [theorem for theorem in THEOREMS if theorem.group == group]
        for range_ in dict.fromkeys(map(_range, theorems)):
            yield from ("", f"For {_cell(range_)}:", "", *_HEAD)
            yield from (_row(theorem) for theorem in theorems if _range(theorem) == range_)


def _row(theorem: Theorem) -> str:
    refuted = f" (refuted: {linked(', '.join(theorem.refuted_by))})" if theorem.refuted_by else ""
    about = ", ".join(f"[`{name}`](properties.md#{anchor(name)})" for name in theorem.properties)
    cells = (
        f"`{theorem.id}`",
        _cell(theorem.sentence),
        (theorem.revision or "all revisions") + refuted,
        about,
        linked(theorem.source),
        kind_of(theorem).value,
    )
    return f"| {' | '.join(cells)} |"


def _range(theorem: Theorem) -> str:
    return f"{theorem.scope}{f'; up to {theorem.bound}' if theorem.bound else ''}"


def _cell(text: str) -> str:
    return text.replace("|", "\\|").replace("*", "\\*")
