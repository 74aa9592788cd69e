"""The theorems on the walk of the calc phase, made from their table."""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from functools import partial

from ipvs_est.language.revision import REVISIONS
from ipvs_est_spec.algebra.z3_names import z3
from ipvs_est_spec.proof.framework.theorem import Assumption, Goal, Theorem
from ipvs_est_spec.proof.inductive.states.geometries import GEOMETRIES, SCOPE
from ipvs_est_spec.proof.inductive.states.symbols import INPUTS
from ipvs_est_spec.proof.inductive.table import ProofKind, ProofRow, walk_table
from ipvs_est_spec.proof.inductive.theorems import distinct, title
from ipvs_est_spec.proof.inductive.walk.goals import (
    ALL_FACTS,
    COMPLETE,
    ENDS,
    KNOWN,
    WALK_INVARIANTS,
    excluded,
    ground,
    kept,
    sentence_of,
    stride_goal,
)
from ipvs_est_spec.proof.inductive.walk.twins import kthread_goes_on, twin_of

GROUP = "walk"
WALK_SCOPE = f"{SCOPE}; breaks before any visit, any starts and stops in them"


def goals_of(row: ProofRow) -> tuple[Goal, ...]:
    """One for each different formula that the row's geometries and revisions have."""
    proved = row.kind is not ProofKind.REFUTED
    needs = row.needs if proved else KNOWN
    facts = row.facts if proved else ALL_FACTS

    def goal(geometry: str, revision: str) -> Goal:
        made = stride_goal(
            row.invariant,
            row.step,
            row.case,
            REVISIONS[revision],
            GEOMETRIES[geometry],
            needs,
            facts,
        )
        return excluded(made) if row.kind is ProofKind.EXCLUDED else made

    goals = ((g, name, goal(g, name)) for g in row.geometries for name in row.revisions)
    return tuple(replace(goal, name=f"{title(row)} {where}") for goal, where in distinct(goals))


def _rows(conclusion: str, *kinds: ProofKind) -> Iterator[ProofRow]:
    return (
        proof_row
        for proof_row in walk_table()
        if proof_row.invariant == conclusion and proof_row.kind in kinds
    )


def _holds(conclusion: str) -> tuple[Goal, ...]:
    found = tuple(
        goal
        for row in _rows(conclusion, ProofKind.PROVED, ProofKind.EXCLUDED)
        for goal in goals_of(row)
    )
    return (*found, *_rows_stand_still()) if conclusion == "walk.rows" else found


def _rows_stand_still() -> Iterator[Goal]:
    """That no kthread goes on meanwhile is proved of the protocol."""
    still = Assumption(
        "protocol.relinking",
        "While estimators are relinked no kthread above 0 is alive (protocol.relinking).",
        z3.Not(ground(INPUTS.flag)),
    )
    for geometry, params in GEOMETRIES.items():
        stride = kthread_goes_on(params)
        goal = kept("walk.rows", stride, params, ("walk.rows",), ())
        assumptions = (*goal.assumptions, still)
        yield replace(goal, name=f"a kthread's next row ({geometry})", assumptions=assumptions)


def _fails(conclusion: str, finding: str) -> tuple[Goal, ...]:
    rows = (row for row in _rows(conclusion, ProofKind.REFUTED) if row.finding == finding)
    return tuple(goal for row in rows for goal in goals_of(row))


@dataclass(frozen=True, slots=True)
class _Statement:
    id: str
    sentence: str
    source: str


_WHEN = "When the calc phase begins to relink, and after every step of it that is not refuted"
_STATEMENTS = (
    *(
        _Statement(invariant.id, f"{_WHEN}: {invariant.sentence}", "7, 11; R7")
        for invariant in WALK_INVARIANTS.values()
    ),
    _Statement(
        COMPLETE,
        "When the walk is complete, all estimators are on the temp list but for one of kd 0: what"
        " the induction's step presumes that applies new limits.",
        "11",
    ),
    _Statement(
        ENDS,
        "Each step of the walk leaves less to be done, and what others do in a break adds nothing:"
        " it ends unless it gives up or waits for the service mutex for ever.",
        "11",
    ),
)


def _theorems() -> Iterator[Theorem]:
    """One for each statement, and one for each finding that breaks it."""
    for statement in _STATEMENTS:
        refuted = list(_rows(statement.id, ProofKind.REFUTED))
        twin = twin_of(statement.id)
        yield Theorem(
            statement.id,
            GROUP,
            statement.sentence,
            WALK_SCOPE,
            statement.source,
            partial(_holds, statement.id),
            twin,
            second_solver=statement.id == COMPLETE,
            over_functions=True,
        )
        for finding in dict.fromkeys(row.finding for row in refuted):
            here = [row for row in refuted if row.finding == finding]
            what = ", ".join(dict.fromkeys(row.step for row in here))
            on = [name for name in REVISIONS if any(name in row.revisions for row in here)]
            yield Theorem(
                f"{statement.id}.{finding}",
                GROUP,
                f"Not preserved by {what} ({finding}): {sentence_of(statement.id)}",
                WALK_SCOPE,
                statement.source,
                partial(_fails, statement.id, finding),
                twin,
                revision=", ".join(on),
                refuted_by=(finding,),
                statement=statement.id,
                over_functions=True,
            )


THEOREMS: tuple[Theorem, ...] = tuple(_theorems())
