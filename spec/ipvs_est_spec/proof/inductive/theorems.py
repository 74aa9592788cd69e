"""The theorems of the induction, made from its table."""

from collections.abc import Iterable, Iterator
from dataclasses import replace
from functools import cache, partial

from ipvs_est.language.revision import REVISIONS
from ipvs_est_spec.proof.framework.theorem import Goal, Theorem, Twin
from ipvs_est_spec.proof.inductive.goals import (
    INVARIANTS,
    before,
    change_of,
    changes_of,
    held_after,
    held_before,
    initially,
    preserved,
)
from ipvs_est_spec.proof.inductive.states import sums
from ipvs_est_spec.proof.inductive.states.facts import FACTS
from ipvs_est_spec.proof.inductive.states.geometries import FULL, GEOMETRIES, SCOPE
from ipvs_est_spec.proof.inductive.steps import BY_ID, STEPS
from ipvs_est_spec.proof.inductive.table import ProofKind, ProofRow, table
from ipvs_est_spec.proof.inductive.twins import WRONG_STEPS, wrong_change

ALL_FACTS = tuple(fact.id for fact in FACTS)

GROUP = "induction"


def goals_of(row: ProofRow) -> tuple[Goal, ...]:
    """One for each different formula that the row's geometries and revisions have.

    Of a proved row: what it needs implies what follows. Of a refuted one: not even all invariants
    and facts do.
    """
    proved = row.kind is ProofKind.PROVED
    needs = row.needs if proved else tuple(INVARIANTS)
    facts = row.facts if proved else ALL_FACTS
    goals: list[tuple[str, str, Goal]] = []
    for geometry in row.geometries:
        for name in row.revisions:
            params = GEOMETRIES[geometry]
            change = change_of(row.step, row.case, REVISIONS[name], params)
            goal = preserved(row.invariant, row.step, change, params, needs, facts, "")
            goals.append((geometry, name, goal))
    return tuple(replace(goal, name=f"{title(row)} {where}") for goal, where in distinct(goals))


def title(row: ProofRow) -> str:
    """The step, and its case if it has several."""
    return f"{row.step}, {row.case}" if row.case else row.step


def distinct(goals: Iterable[tuple[str, str, Goal]]) -> Iterator[tuple[Goal, str]]:
    """Each formula once, with the geometries and revisions that have it."""
    made: list[tuple[Goal, list[str], list[str]]] = []
    for geometry, revision, goal in goals:
        for other, geometries, revisions in made:
            if same_formula(goal, other):
                geometries.append(geometry)
                revisions.append(revision)
                break
        else:
            made.append((goal, [geometry], [revision]))
    for goal, geometries, revisions in made:
        named = (*dict.fromkeys(geometries), *dict.fromkeys(revisions))
        yield goal, f"({', '.join(named)})"


def same_formula(left: Goal, right: Goal) -> bool:
    """The two are term by term the same."""
    mine = (left.conclusion, *left.definitions)
    theirs = (right.conclusion, *right.definitions)
    return len(mine) == len(theirs) and all(x.eq(y) for x, y in zip(mine, theirs, strict=True))


def _holds(invariant: str) -> tuple[Goal, ...]:
    rows = _rows(invariant, ProofKind.PROVED)
    first = ((geometry, "", initially(invariant, GEOMETRIES[geometry])) for geometry in GEOMETRIES)
    return (
        *(replace(goal, name=f"initially {where}") for goal, where in distinct(first)),
        *(goal for row in rows for goal in goals_of(row)),
        *_changed_and_unrecorded(invariant),
    )


def _changed_and_unrecorded(invariant: str) -> Iterator[Goal]:
    """What is not in the table has to leave the invariant the same formula. Where a step does not,
    nothing is assumed, so that the theorem fails."""
    for step, case, geometry, name in unrecorded(invariant):
        params = GEOMETRIES[geometry]
        change = change_of(step, case, REVISIONS[name], params)
        after = held_after(invariant, step, change, params)
        if not after.eq(held_before(invariant, step, params)):
            where = f"{step}, {case}: not in the table ({geometry}, {name})"
            yield preserved(invariant, step, change, params, (), (), where)


def unrecorded(invariant: str) -> Iterator[tuple[str, str, str, str]]:
    """Step, case, geometry and revision of what the table leaves out."""
    known = {
        (row.step, row.case, geometry, name)
        for row in table()
        if row.invariant == invariant
        for geometry in row.geometries
        for name in row.revisions
    }
    for step in STEPS:
        for geometry in GEOMETRIES:
            for name in REVISIONS:
                for case in _cases(step.id, name):
                    place = (step.id, case, geometry, name)
                    if place not in known:
                        yield place


def _cases(step: str, revision: str) -> tuple[str, ...]:
    """The same in every geometry."""
    return tuple(changes_of(step, REVISIONS[revision], GEOMETRIES[FULL]))


def _fails(invariant: str, finding: str) -> tuple[Goal, ...]:
    rows = (row for row in _rows(invariant, ProofKind.REFUTED) if row.finding == finding)
    return tuple(goal for row in rows for goal in goals_of(row))


def _twin(invariant: str) -> Goal:
    """A wrong step, all invariants and facts before it."""
    wrong = WRONG_STEPS[invariant]
    params = GEOMETRIES[FULL]
    change = wrong_change(before(params, wrong.step).state, wrong)
    return preserved(invariant, wrong.step, change, params, tuple(INVARIANTS), ALL_FACTS, "")


def _rows(invariant: str, kind: ProofKind) -> Iterable[ProofRow]:
    return (
        proof_row
        for proof_row in table()
        if proof_row.invariant == invariant and proof_row.kind is kind
    )


@cache
def theorems() -> tuple[Theorem, ...]:
    """One for each invariant, one for each finding that breaks it, and those on sums."""
    made: list[Theorem] = []
    for id_, invariant in INVARIANTS.items():
        properties = () if id_.startswith("aux.") else (id_,)
        twin = Twin(WRONG_STEPS[id_].sentence, partial(_twin, id_))
        made.append(
            Theorem(
                f"induction.{id_}",
                GROUP,
                f"Initially and after every step that is not refuted: {invariant.sentence}",
                SCOPE,
                "4 to 14",
                partial(_holds, id_),
                twin,
                properties=properties,
                second_solver=True,
                over_functions=True,
            )
        )
        refuted = list(_rows(id_, ProofKind.REFUTED))
        for finding in dict.fromkeys(proof_row.finding for proof_row in refuted):
            if finding == "config":
                continue
            here = [proof_row for proof_row in refuted if proof_row.finding == finding]
            steps = ", ".join(dict.fromkeys(proof_row.step for proof_row in here))
            on = [
                name for name in REVISIONS if any(name in proof_row.revisions for proof_row in here)
            ]
            made.append(
                Theorem(
                    f"induction.{id_}.{finding}",
                    GROUP,
                    f"Not preserved by {steps} ({finding}): {invariant.sentence}",
                    SCOPE,
                    ", ".join(dict.fromkeys(BY_ID[proof_row.step].source for proof_row in here)),
                    partial(_fails, id_, finding),
                    twin,
                    revision=", ".join(on),
                    properties=properties,
                    refuted_by=(finding,),
                    statement=f"induction.{id_}",
                    over_functions=True,
                )
            )
    return (*made, *sums.THEOREMS)
