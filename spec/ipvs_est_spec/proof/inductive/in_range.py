"""The searches of enqueueing find a row and a chain; and what comes of new limits that leave flags
as they were.

That the searches stay inside the bitmap if there is something to find is proved bit by bit
(`rows.in-range`, `rows.chain`); here, that there is.
"""

from collections.abc import Iterator, Sequence
from dataclasses import replace
from functools import cache

from ipvs_est.language.params import Params
from ipvs_est.language.revision import MAINLINE, MERGED, REVISIONS, Revision
from ipvs_est_spec.algebra.z3_names import z3
from ipvs_est_spec.proof.framework.theorem import Assumption, Goal, Theorem, Twin
from ipvs_est_spec.proof.inductive import changes
from ipvs_est_spec.proof.inductive.changes import Change
from ipvs_est_spec.proof.inductive.goals import (
    INVARIANTS,
    Before,
    formulas_of,
    own_place,
    shown,
    terms_of,
)
from ipvs_est_spec.proof.inductive.states.facts import FACTS
from ipvs_est_spec.proof.inductive.states.formula import Formula
from ipvs_est_spec.proof.inductive.states.geometries import FULL, GEOMETRIES, SCOPE
from ipvs_est_spec.proof.inductive.states.symbols import INPUTS, Z3State, any_state
from ipvs_est_spec.proof.inductive.steps import BY_ID, draining
from ipvs_est_spec.proof.inductive.theorems import GROUP, distinct
from ipvs_est_spec.proof.inductive.twins import NAMED

_STEP = "drain"
_ALL_FACTS = tuple(fact.id for fact in FACTS)
Z3Change = Change[Formula, z3.ArithRef]

ONE_IN_A_TICK = Params(chain_factor=1)
"""One chain whose limit is chain_max itself: in no kernel, and the smallest of all worlds."""


@cache
def _before(params: Params) -> Before:
    """Any state before the drain; each kd has a row of which one can speak, each tick a chain."""
    state = any_state(params)
    first = (z3.IntVal(0),)
    terms = replace(terms_of(own_place(_STEP)), every_kd=first, every_tick=first)
    # Rows before the chains that there are in them.
    witnesses = ("ticks-long", "chains-long", "bitmaps.avail")
    return Before(state, terms, formulas_of(state, FACTS), witnesses)


def a_chain_is_found(state: Z3State, slot: z3.ArithRef, row: z3.ArithRef) -> Formula:
    """If the row is available, it has no tick or a chain that is not full."""
    a = state.algebra
    none = state.every_chain(slot, row, lambda cid: state.full(slot, row, cid))
    return a.either(
        a.negate(state.avail(slot, row)), a.negate(state.tick_exists(slot, row)), a.negate(none)
    )


def both_are_found(state: Z3State, slot: z3.ArithRef) -> Formula:
    """The kd has an available row, and in each that is a chain is found."""
    a = state.algebra
    no_row = state.every_row(slot, lambda row: a.negate(state.avail(slot, row)))
    return a.both(
        a.negate(no_row), state.every_row(slot, lambda row: a_chain_is_found(state, slot, row))
    )


def _goal(
    params: Params,
    premise: Formula,
    conclusion: Formula,
    needs: Sequence[str],
    facts: Sequence[str],
) -> Goal:
    known = _before(params)
    denial = known.instances.apart().deny("conclusion", conclusion)
    taken = known.instances.apart().assume("premise", premise)
    return Goal(
        "",
        tuple(Assumption(name, INVARIANTS[name].sentence, known.holds(name)) for name in needs),
        z3.Not(denial),
        (*(known.holds(fact) for fact in facts), taken),
        shown(known.state),
    )


def named_kd_has_a_place(
    params: Params, revision: Revision, needs: Sequence[str], facts: Sequence[str]
) -> Goal:
    """Kthread 0 takes an estimator off the temp list; est_add_ktid names a kd."""
    state = _before(params).state
    a, named = state.algebra, state.est_add_ktid
    premise = a.both(draining(state, revision, INPUTS), state.exists(named))
    return _goal(params, premise, both_are_found(state, named), needs, facts)


def new_kd_has_a_place(params: Params, revision: Revision) -> Goal:
    """So it does in a kd that was just added."""
    added = changes.context_added(_before(params).state, revision, INPUTS.slot)
    return _goal(params, added.premise, both_are_found(added.after, INPUTS.slot), (), ())


def _named(geometry: str, revision: Revision) -> Goal:
    """With what is needed: on v7 kthread 0 may drain before limits were computed."""
    needs = ["counts.est-count", "bitmaps.full", "bitmaps.avail", "limits.computed", "aux.room"]
    if not revision.returns_after_aborted_calc_phase:
        needs += ["counts.tick-len", "counts.tick", "limits.tick"]
    facts = ("chains-long" if geometry == FULL else "chain-in-tick", "ticks-long")
    return named_kd_has_a_place(GEOMETRIES[geometry], revision, needs, facts)


def _in_range() -> tuple[Goal, ...]:
    pairs = [(geometry, revision) for geometry in GEOMETRIES for revision in REVISIONS.values()]
    named = distinct((g, revision.name, _named(g, revision)) for g, revision in pairs)
    new = distinct(
        (g, revision.name, new_kd_has_a_place(GEOMETRIES[g], revision)) for g, revision in pairs
    )
    return (
        *(replace(goal, name=f"{NAMED} {where}") for goal, where in named),
        *(replace(goal, name=f"into a new kd {where}") for goal, where in new),
    )


def after_one_more(params: Params, revision: Revision, needs: Sequence[str]) -> Goal:
    """After an estimator was enqueued into the kd that est_add_ktid names, another one of that row
    finds a chain."""
    state = _before(params).state
    named = state.est_add_ktid
    change = BY_ID[_STEP].build(state, revision, INPUTS)[NAMED]
    conclusion = a_chain_is_found(change.after, named, INPUTS.row)
    return _goal(params, change.premise, conclusion, needs, _ALL_FACTS)


def limits_then_enqueued(revision: Revision) -> Z3Change:
    """New limits are applied, then an estimator is enqueued."""
    state = _before(ONE_IN_A_TICK).state
    a = state.algebra
    limited = BY_ID["finish"].build(state, revision, INPUTS)[""]
    enqueued = BY_ID[_STEP].build(limited.after, revision, INPUTS)[NAMED]
    return Change(a.both(limited.premise, enqueued.premise), enqueued.after)


_LEFT_BY_FINISH = tuple(invariant for invariant in INVARIANTS if invariant != "bitmaps.full")
"""On a merged revision these survive new limits (`induction.bitmaps.full.F02`)."""


def _out_of_range() -> Iterator[Goal]:
    """A flag of other limits is all it takes."""
    goals = (
        (FULL, revision.name, after_one_more(GEOMETRIES[FULL], revision, _LEFT_BY_FINISH))
        for revision in MERGED
    )
    for goal, where in distinct(goals):
        yield replace(goal, name=f"two estimators for one row {where}")


def tick_after_new_limits(revision: Revision) -> Goal:
    """No tick is over its limit."""
    change = limits_then_enqueued(revision)
    conclusion = INVARIANTS["limits.tick"].predicate(change.after)
    return _goal(ONE_IN_A_TICK, change.premise, conclusion, tuple(INVARIANTS), _ALL_FACTS)


def _over_its_limit() -> Iterator[Goal]:
    goals = (
        ("1 chain, factor 1", revision.name, tick_after_new_limits(revision)) for revision in MERGED
    )
    for goal, where in distinct(goals):
        yield replace(goal, name=f"new limits, then an estimator is enqueued {where}")


_TWIN = Twin(
    "The flag of a chain may be of other limits (F01).",
    lambda: after_one_more(GEOMETRIES[FULL], MAINLINE, _LEFT_BY_FINISH),
)

THEOREMS = (
    Theorem(
        "induction.bitmaps.in-range",
        GROUP,
        "Where all invariants hold, an estimator that is taken off the temp list finds a row, and a"
        " chain in whichever available row it gets: no search answers the bitmap's size.",
        SCOPE,
        "5, 10; D01",
        _in_range,
        _TWIN,
        properties=("bitmaps.in-range",),
        second_solver=True,
        over_functions=True,
    ),
    Theorem(
        "induction.bitmaps.in-range.F01",
        GROUP,
        "With what new limits leave of the invariants, all but bitmaps.full: after one estimator"
        " was enqueued, the next one of that row finds no chain (F01).",
        SCOPE.partition(", and")[0],
        "5, 11",
        lambda: tuple(_out_of_range()),
        _TWIN,
        revision="v7, v7-unwind, stable, mainline",
        properties=("bitmaps.in-range",),
        refuted_by=("F01",),
        statement="induction.bitmaps.in-range",
        over_functions=True,
    ),
    Theorem(
        "induction.limits.tick.F20",
        GROUP,
        "New limits, then an estimator is enqueued: a tick is over its limit (F20). Only where a"
        " tick is one chain of chain_max, which no kernel has.",
        "any number of estimators, kthreads and slots, any chain_max >= 1; 50 rows of 1 chain, not"
        " 48 times as long",
        "5, 11",
        lambda: tuple(_over_its_limit()),
        _TWIN,
        revision="v7, v7-unwind, stable, mainline",
        properties=("limits.tick",),
        refuted_by=("F20",),
        statement="induction.limits.tick",
        over_functions=True,
    ),
)
