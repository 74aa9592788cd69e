"""Makes the table: which steps preserve which invariants, and the least that each proof needs.

`python -m ipvs_est_spec.proof.inductive.derive > table.tsv`; some minutes. Which finding refutes
a row is not for z3 to say: it is taken over from the table that is there.
"""

import sys
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import replace

from ipvs_est.revision import REVISIONS
from ipvs_est_spec.proof.inductive.goals import (
    INVARIANTS,
    change_of,
    held_before,
    preserved,
)
from ipvs_est_spec.proof.inductive.steps import STEPS
from ipvs_est_spec.proof.inductive.symbols import INPUTS, any_state
from ipvs_est_spec.proof.inductive.table import Kind, Row, table, written
from ipvs_est_spec.proof.inductive.theorems import ALL_FACTS, PARAMS
from ipvs_est_spec.proof.solve import Options, Status, ask
from ipvs_est_spec.proof.theorem import Goal


def rows_of(invariant: str, step: str) -> tuple[Row, ...]:
    """The rows of an invariant and a step, cases and revisions in their order."""
    (build,) = (each.build for each in STEPS if each.id == step)
    state = any_state(PARAMS)
    cases = dict.fromkeys(
        case for each in REVISIONS.values() for case in build(state, each, INPUTS)
    )
    found: list[Row] = []
    for case in cases:
        of_case: list[Row] = []
        for name in REVISIONS:
            row = _row(invariant, step, case, name)
            for index, other in enumerate(of_case):
                if replace(row, revisions=()) == replace(other, revisions=()):
                    of_case[index] = replace(other, revisions=(*other.revisions, name))
                    break
            else:
                of_case.append(row)
        found += of_case
    return tuple(found)


def _row(invariant: str, step: str, case: str, revision: str) -> Row:
    whole = _goal(invariant, step, case, revision, tuple(INVARIANTS), ALL_FACTS)
    named = (invariant, step, case, (revision,))
    if whole.conclusion.eq(held_before(invariant, step, PARAMS)):
        return Row(*named, Kind.UNTOUCHED, "", (), ())
    if ask(whole, Options()).status is not Status.PROVED:
        return Row(*named, Kind.REFUTED, _finding(*named), (), ())
    # The invariant itself goes last: it is the first that one expects to be needed.
    order = [*(each for each in INVARIANTS if each != invariant), invariant]

    def proved(needs: Sequence[str], facts: Sequence[str]) -> bool:
        goal = _goal(invariant, step, case, revision, needs, facts)
        return ask(goal, Options()).status is Status.PROVED

    needs = _least(order, lambda kept: proved(kept, ALL_FACTS))
    facts = _least(ALL_FACTS, lambda kept: proved(needs, kept))
    return Row(*named, Kind.PROVED, "", tuple(each for each in INVARIANTS if each in needs), facts)


def _goal(
    invariant: str,
    step: str,
    case: str,
    revision: str,
    needs: Sequence[str],
    facts: Sequence[str],
) -> Goal:
    change = change_of(step, case, REVISIONS[revision], PARAMS)
    return preserved(invariant, step, change, PARAMS, needs, facts, "")


def _least(all_: Iterable[str], enough: Callable[[Sequence[str]], bool]) -> tuple[str, ...]:
    """A part that is enough, of which nothing can be left out."""
    kept = list(all_)
    # Halves first: nearly all can go.
    for size in (len(kept) // 2, len(kept) // 4, 4, 2, 1):
        index = 0
        while size and index < len(kept):
            rest = kept[:index] + kept[index + size :]
            if enough(rest):
                kept = rest
            else:
                index += size
    return tuple(kept)


def _finding(invariant: str, step: str, case: str, revisions: tuple[str, ...]) -> str:
    for row in table():
        same = (row.invariant, row.step, row.case) == (invariant, step, case)
        if same and row.finding and set(revisions) <= set(row.revisions):
            return row.finding
    return "?"


def all_rows() -> Iterator[Row]:
    """The whole table."""
    for invariant in INVARIANTS:
        for step in STEPS:
            print(invariant, step.id, file=sys.stderr)
            yield from rows_of(invariant, step.id)


if __name__ == "__main__":
    print(written(tuple(all_rows())), end="")
