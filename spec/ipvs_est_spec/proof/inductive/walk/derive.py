"""Makes the walk's table, as `derive` makes that of the steps.

`python -m ipvs_est_spec.proof.inductive.walk.derive > table.tsv`; a minute or two.
"""

import sys
from collections.abc import Iterator, Sequence
from dataclasses import replace
from functools import cache

from ipvs_est.language.params import Params
from ipvs_est.language.revision import REVISIONS
from ipvs_est_spec.proof.framework.solve import Decision, Options, Z3Solver
from ipvs_est_spec.proof.framework.theorem import Goal
from ipvs_est_spec.proof.inductive.derive import GoalOf, KnownFacts, in_groups, judged
from ipvs_est_spec.proof.inductive.states.geometries import GEOMETRIES
from ipvs_est_spec.proof.inductive.states.symbols import INPUTS
from ipvs_est_spec.proof.inductive.table import ProofKind, ProofRow, walk_table, written
from ipvs_est_spec.proof.inductive.walk.goals import (
    ALL_FACTS,
    COMPLETE,
    ENDS,
    KD0,
    KNOWN,
    WALK_INVARIANTS,
    before_stride,
    excluded,
    held_before_stride,
    stride_goal,
    stride_of,
)
from ipvs_est_spec.proof.inductive.walk.steps import remaining, strides


@cache
def cases_of(revision: str) -> dict[tuple[str, str], None]:
    """The steps and cases while the walk is under way."""
    now = before_stride(next(iter(GEOMETRIES.values()))).now
    found = strides(now, REVISIONS[revision], INPUTS)
    return dict.fromkeys((step, case) for step, cases in found.items() for case in cases)


def lines() -> Iterator[tuple[str, str, str]]:
    """Conclusion, step, case."""
    cases = dict.fromkeys(case for name in REVISIONS for case in cases_of(name))
    for conclusion in (*WALK_INVARIANTS, ENDS):
        for step, case in cases:
            # Before it begins nothing remains to be done.
            if (conclusion, step) != (ENDS, "begin"):
                yield conclusion, step, case
    yield COMPLETE, "end", ""


def untouched(conclusion: str, step: str, case: str, revision: str, params: Params) -> bool:
    """The step changes nothing that the conclusion is about."""
    if conclusion == COMPLETE or step == "begin":
        return False
    stride = stride_of(step, case, REVISIONS[revision], params)
    if conclusion == ENDS:
        parts = zip(remaining(before_stride(params).now), remaining(stride.after), strict=True)
        return all(old.eq(new) for old, new in parts)
    after = stride_goal(conclusion, step, case, REVISIONS[revision], params, (), ())
    return after.conclusion.eq(held_before_stride(conclusion, params))


def rows_of(conclusion: str, step: str, case: str) -> tuple[ProofRow, ...]:
    """The rows of a conclusion and a case, geometries and revisions in their order."""

    def row_of(geometry: str, revision: str, known: KnownFacts) -> ProofRow | None:
        if conclusion != COMPLETE and (step, case) not in cases_of(revision):
            return None
        params = GEOMETRIES[geometry]

        def goal(needs: Sequence[str], facts: Sequence[str]) -> Goal:
            given = REVISIONS[revision]
            return stride_goal(conclusion, step, case, given, params, needs, facts)

        row = ProofRow(
            conclusion, step, case, (geometry,), (revision,), ProofKind.PROVED, "", (), ()
        )
        if untouched(conclusion, step, case, revision, params):
            return replace(row, kind=ProofKind.UNTOUCHED)
        return known.judge(row, goal(KNOWN, ALL_FACTS), lambda: _judged(row, goal))

    return in_groups(row_of)


def _judged(row: ProofRow, goal: GoalOf) -> ProofRow:
    # Before it begins nothing holds of it; and kd 0 does not exist on all revisions.
    some = tuple(name for name in KNOWN if row.step != "begin" or name not in WALK_INVARIANTS)
    without_kd0 = tuple(name for name in some if name != KD0)
    found = judged(row, goal, without_kd0, ALL_FACTS, walk_table())
    if found.kind is not ProofKind.PROVED:
        found = judged(row, goal, some, ALL_FACTS, walk_table())
    made = goal(found.needs, found.facts)
    terms = (*made.definitions, *(assumption.term for assumption in made.assumptions))
    if (
        found.kind is ProofKind.PROVED
        and Z3Solver(Options()).contradiction(terms) is Decision.PROVED
    ):
        never = replace(row, kind=ProofKind.EXCLUDED)
        return judged(never, lambda *used: excluded(goal(*used)), some, ALL_FACTS, ())
    return found


def all_rows() -> Iterator[ProofRow]:
    """The whole table."""
    for line in lines():
        print(*line, file=sys.stderr)
        yield from rows_of(*line)


if __name__ == "__main__":
    print(written(tuple(all_rows())), end="")
