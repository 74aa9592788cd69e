"""Makes the table: which steps preserve which invariants, and the least that each proof needs.

`python -m ipvs_est_spec.proof.inductive.derive > table.tsv`; some minutes. Which finding refutes
a row is not for z3 to say: it is taken over from the table that is there.
"""

import sys
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from typing import Protocol

from ipvs_est.language.revision import REVISIONS
from ipvs_est_spec.algebra.z3_names import z3
from ipvs_est_spec.proof.framework.solve import Decision, Options, ask
from ipvs_est_spec.proof.framework.theorem import Goal
from ipvs_est_spec.proof.inductive.goals import INVARIANTS, change_of, held_before, preserved
from ipvs_est_spec.proof.inductive.states.geometries import GEOMETRIES
from ipvs_est_spec.proof.inductive.states.symbols import INPUTS, any_state
from ipvs_est_spec.proof.inductive.steps import STEPS
from ipvs_est_spec.proof.inductive.table import ProofKind, ProofRow, table, written
from ipvs_est_spec.proof.inductive.theorems import ALL_FACTS, same_formula

GoalOf = Callable[[Sequence[str], Sequence[str]], Goal]
"""Invariants before the step and facts that are used -> the goal."""


def rows_of(invariant: str, step: str) -> tuple[ProofRow, ...]:
    """The rows of an invariant and a step, cases, geometries and revisions in their order."""
    (build,) = (inductive_step.build for inductive_step in STEPS if inductive_step.id == step)
    state = any_state(next(iter(GEOMETRIES.values())))
    cases = dict.fromkeys(
        case for revision in REVISIONS.values() for case in build(state, revision, INPUTS)
    )
    found: list[ProofRow] = []
    for case in cases:

        def row_of(geometry: str, revision: str, known: KnownFacts, case: str = case) -> ProofRow:
            return _row(invariant, step, case, geometry, revision, known)

        found += in_groups(row_of)
    return tuple(found)


class RowOf(Protocol):
    """What is said of one geometry and one revision; None: it does not have that case."""

    def __call__(self, geometry: str, revision: str, known: "KnownFacts", /) -> ProofRow | None:
        """`known`: what was found for other revisions."""
        ...


def in_groups(row_of: RowOf) -> tuple[ProofRow, ...]:
    """The rows for all geometries and revisions, as few as can say it."""
    found: list[ProofRow] = []
    for geometry in GEOMETRIES:
        known = KnownFacts()
        of_geometry: list[ProofRow] = []
        for name in REVISIONS:
            row = row_of(geometry, name, known)
            if row is not None:
                _merge(of_geometry, row, lambda one, other: _with_revisions(one, other.revisions))
        for row in of_geometry:
            _merge(found, row, lambda one, other: _with_geometries(one, other.geometries))
    return tuple(found)


def _with_revisions(row: ProofRow, more: tuple[str, ...]) -> ProofRow:
    return replace(row, revisions=(*row.revisions, *more))


def _with_geometries(row: ProofRow, more: tuple[str, ...]) -> ProofRow:
    return replace(row, geometries=(*row.geometries, *more))


def _merge(
    rows: list[ProofRow], row: ProofRow, together: Callable[[ProofRow, ProofRow], ProofRow]
) -> None:
    """Add a row, to another one if a row can say both."""
    for index, other in enumerate(rows):
        both = together(other, row)
        if both in (
            replace(row, revisions=both.revisions, geometries=row.geometries),
            replace(row, revisions=row.revisions, geometries=both.geometries),
        ):
            rows[index] = both
            return
    rows.append(row)


class KnownFacts:
    """What was found for the formulas of other revisions, which are often the same."""

    def __init__(self) -> None:
        self._rows: list[tuple[Goal, ProofRow]] = []

    def judge(self, row: ProofRow, whole: Goal, judged: Callable[[], ProofRow]) -> ProofRow:
        """What is said of that formula."""
        for other, found in self._rows:
            if same_formula(whole, other):
                return replace(found, revisions=row.revisions)
        found = judged()
        self._rows.append((whole, found))
        return found


def _row(
    invariant: str, step: str, case: str, geometry: str, revision: str, known: KnownFacts
) -> ProofRow:
    params = GEOMETRIES[geometry]
    change = change_of(step, case, REVISIONS[revision], params)

    def goal(needs: Sequence[str], facts: Sequence[str]) -> Goal:
        return preserved(invariant, step, change, params, needs, facts, "")

    whole = goal(tuple(INVARIANTS), ALL_FACTS)
    named = (invariant, step, case, (geometry,), (revision,))
    if whole.conclusion.eq(held_before(invariant, step, params)):
        return ProofRow(*named, ProofKind.UNTOUCHED, "", (), ())
    row = ProofRow(*named, ProofKind.PROVED, "", (), ())
    return known.judge(row, whole, lambda: judged(row, goal, tuple(INVARIANTS), ALL_FACTS, table()))


def judged(
    row: ProofRow,
    goal: GoalOf,
    invariants: Sequence[str],
    facts: Sequence[str],
    recorded: Sequence[ProofRow],
) -> ProofRow:
    """The row, with what z3 says of it."""

    def proved(needs: Sequence[str], used: Sequence[str]) -> bool:
        return ask(goal(needs, used), Options()).status is Decision.PROVED

    if not proved(invariants, facts):
        return replace(row, kind=ProofKind.REFUTED, finding=_finding(row, recorded))
    # The invariant itself goes last: it is the first that one expects to be needed.
    order = sorted(invariants, key=lambda invariant: invariant == row.invariant)
    core = _core(goal, order, facts)
    some = [fact for fact in facts if fact in core]
    needs = _least([name for name in order if name in core], lambda kept: proved(kept, some))
    used = _least(some, lambda kept: proved(needs, kept))
    return replace(
        row, needs=tuple(invariant for invariant in invariants if invariant in needs), facts=used
    )


def _core(goal: GoalOf, invariants: Sequence[str], facts: Sequence[str]) -> frozenset[str]:
    """Invariants and facts that are enough."""
    bare = goal((), ())
    terms = {
        **{assumption.id: assumption.term for assumption in goal(invariants, ()).assumptions},
        **dict(zip(facts, goal((), facts).definitions, strict=False)),
    }
    solver = z3.Solver()
    solver.add(*bare.definitions, z3.Not(bare.conclusion))
    labels = {term: z3.Bool(f"label {term}") for term in terms}
    solver.add(*(z3.Implies(labels[name], term) for name, term in terms.items()))
    if solver.check(*labels.values()) != z3.unsat:
        return frozenset(terms)
    core = solver.unsat_core()
    return frozenset(name for name, label in labels.items() if any(label.eq(x) for x in core))


def _least(all_: Sequence[str], enough: Callable[[Sequence[str]], bool]) -> tuple[str, ...]:
    """A part that is enough, of which nothing can be left out."""
    kept = list(all_)
    for name in all_:
        rest = [other for other in kept if other != name]
        if enough(rest):
            kept = rest
    return tuple(kept)


def _finding(wanted: ProofRow, recorded: Sequence[ProofRow]) -> str:
    for row in recorded:
        same = (row.invariant, row.step, row.case) == (wanted.invariant, wanted.step, wanted.case)
        if same and row.finding and set(wanted.revisions) <= set(row.revisions):
            return row.finding
    return "?"


def all_rows() -> Iterator[ProofRow]:
    """The whole table."""
    for invariant in INVARIANTS:
        for step in STEPS:
            print(invariant, step.id, file=sys.stderr)
            # That the others are untouched the theorems see for themselves.
            rows = rows_of(invariant, step.id)
            yield from (row for row in rows if row.kind is not ProofKind.UNTOUCHED)


if __name__ == "__main__":
    print(written(tuple(all_rows())), end="")
