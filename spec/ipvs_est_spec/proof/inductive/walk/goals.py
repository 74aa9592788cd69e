"""Goals about the walk of the calc phase: what holds while it is under way, after each step."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cache, partial

from ipvs_est.language.params import Params
from ipvs_est.language.revision import Revision
from ipvs_est_spec.algebra.z3_names import z3
from ipvs_est_spec.proof.framework.theorem import Assumption, Goal
from ipvs_est_spec.proof.inductive import steps
from ipvs_est_spec.proof.inductive.goals import (
    INVARIANTS,
    WITNESSES,
    Before,
    Terms,
    formulas_of,
    shown,
)
from ipvs_est_spec.proof.inductive.states.facts import EMPTY, FACTS
from ipvs_est_spec.proof.inductive.states.formula import Formula, Ground
from ipvs_est_spec.proof.inductive.states.symbols import INPUTS, OTHER, any_state, place_of
from ipvs_est_spec.proof.inductive.walk.steps import (
    Stride,
    Walk,
    Walking,
    WalkPredicate,
    kd0_is_there,
    moves_on,
    nearer_to_its_end,
    passed_chains_are_empty,
    passed_rows_are_empty,
    place_is_its_own,
    strides,
)

Z3Walking = Walking[Formula, z3.ArithRef]
Z3Stride = Stride[Formula, z3.ArithRef]

WALK: Walk[Formula, z3.ArithRef] = Walk(
    delay=z3.Int("walk: delay"),
    id=z3.Int("walk: id"),
    in_row=Ground(z3.Bool("walk: in a row")),
    row=z3.Int("walk: row"),
    cid=z3.Int("walk: cid"),
    in_break=Ground(z3.Bool("walk: in a break")),
    same_kd=Ground(z3.Bool("walk: same kd")),
    same_tick=Ground(z3.Bool("walk: same tick")),
)


KD0 = "walk.kd0"
ENDS = "walk.ends"
COMPLETE = "walk.complete"


@dataclass(frozen=True, slots=True)
class WalkInvariant:
    """What holds from the beginning to the end of the walk."""

    id: str
    sentence: str
    predicate: WalkPredicate


WALK_INVARIANTS: dict[str, WalkInvariant] = {
    walk_invariant.id: walk_invariant
    for walk_invariant in (
        WalkInvariant(
            "walk.rows",
            "No row that was passed has a tick, but for one of kd 0 with its last estimator.",
            passed_rows_are_empty,
        ),
        WalkInvariant(
            "walk.chains",
            "In the row that the walk is in, no chain before the one that is visited next has any"
            " estimator.",
            passed_chains_are_empty,
        ),
        WalkInvariant(
            "walk.place",
            "Whenever a chain is visited, its slot, row and chain id are in range, and its kd and"
            " tick are those that were found.",
            place_is_its_own,
        ),
        WalkInvariant(
            KD0,
            "While kthread 0 walks, kd 0 exists and the calc phase is requested.",
            kd0_is_there,
        ),
    )
}

KNOWN = (*INVARIANTS, *WALK_INVARIANTS)
"""Ids of all that can be assumed before a step."""
ALL_FACTS = tuple(fact.id for fact in (*FACTS, EMPTY))


def sentence_of(id_: str) -> str:
    """Of an invariant of states or of the walk."""
    return (INVARIANTS.get(id_) or WALK_INVARIANTS[id_]).sentence


def _terms() -> Terms:
    """Slots: those of the walk, of the estimator that is stopped, and where it is denied."""
    here = (WALK.id, WALK.row, WALK.cid)
    places = ((OTHER.slot, OTHER.row, OTHER.chain), here, place_of(INPUTS.est))
    slots = (z3.IntVal(0), WALK.id - 1, *(place[0] for place in places))
    rows: dict[int, tuple[z3.ArithRef, ...]] = {slot.get_id(): (row,) for slot, row, _ in places}
    chains: dict[tuple[int, int], tuple[z3.ArithRef, ...]] = {
        (slot.get_id(), row.get_id()): (cid,) for slot, row, cid in places
    }
    in_row = WALK.id.get_id(), WALK.row.get_id()
    chains[in_row] = tuple(place[2] for place in places)
    return Terms(slots, rows, chains, (INPUTS.est,))


@dataclass(frozen=True, slots=True)
class BeforeStride:
    """Any state, and anywhere in the walk."""

    now: Z3Walking
    known: Before


@cache
def before_stride(params: Params) -> BeforeStride:
    """What can be assumed before a step while the walk is under way."""
    now = Walking(any_state(params), WALK)
    formulas: dict[str, Callable[[], Formula]] = {
        **formulas_of(now.state, (*FACTS, EMPTY)),
        **{
            invariant.id: partial(invariant.predicate, now)
            for invariant in WALK_INVARIANTS.values()
        },
    }
    known = Before(now.state, _terms(), formulas, (*WITNESSES, EMPTY.id))
    return BeforeStride(now, known)


def stride_of(step: str, case: str, revision: Revision, params: Params) -> Z3Stride:
    """A step while the walk is under way."""
    return _strides(revision, params)[step][case]


@cache
def _strides(revision: Revision, params: Params) -> Mapping[str, Mapping[str, Z3Stride]]:
    return strides(before_stride(params).now, revision, INPUTS)


def holds_after(
    conclusion: Callable[[Z3Walking], Formula],
    stride: Z3Stride,
    params: Params,
    needs: Sequence[str],
    facts: Sequence[str],
) -> Goal:
    """What is concluded holds after a step, if the needed ones hold before it."""
    known = before_stride(params).known
    denial = known.instances.apart().deny("conclusion", conclusion(stride.after))
    premise = known.instances.apart().assume("premise", stride.premise)
    return Goal(
        "",
        tuple(Assumption(name, sentence_of(name), known.holds(name)) for name in needs),
        z3.Not(denial),
        (*(known.holds(fact) for fact in facts), premise),
        (*_SHOWN, *shown(known.state)),
    )


def kept(
    invariant: str, stride: Z3Stride, params: Params, needs: Sequence[str], facts: Sequence[str]
) -> Goal:
    """The invariant of the walk holds after the step."""
    return holds_after(WALK_INVARIANTS[invariant].predicate, stride, params, needs, facts)


@cache
def held_before_stride(invariant: str, params: Params) -> z3.BoolRef:
    """The conclusion of a goal, of the state before the step."""
    now, known = before_stride(params).now, before_stride(params).known
    predicate = WALK_INVARIANTS[invariant].predicate
    return z3.Not(known.instances.apart().deny("conclusion", predicate(now)))


def nearer(
    step: str,
    case: str,
    stride: Z3Stride,
    params: Params,
    needs: Sequence[str],
    facts: Sequence[str],
) -> Goal:
    """The step brings the walk nearer to its end, or at least not farther from it."""
    now, strictly = before_stride(params).now, moves_on(step, case)

    def conclusion(after: Z3Walking) -> Formula:
        return nearer_to_its_end(now, after, strictly=strictly)

    return holds_after(conclusion, stride, params, needs, facts)


def excluded(goal: Goal) -> Goal:
    """The step cannot be taken; its premise is the last of the definitions."""
    *facts, premise = goal.definitions
    return replace(goal, definitions=tuple(facts), conclusion=z3.Not(premise))


def stride_goal(
    conclusion: str,
    step: str,
    case: str,
    revision: Revision,
    params: Params,
    needs: Sequence[str],
    facts: Sequence[str],
) -> Goal:
    """What a line of the walk's table says."""
    if conclusion == COMPLETE:
        return completed(params, needs, facts)
    stride = stride_of(step, case, revision, params)
    if conclusion == ENDS:
        return nearer(step, case, stride, params, needs, facts)
    return kept(conclusion, stride, params, needs, facts)


def completed(params: Params, needs: Sequence[str], facts: Sequence[str]) -> Goal:
    """What the step that applies new limits presumes is so when the walk is complete."""
    now = before_stride(params).now
    a = now.state.algebra
    end = Stride(a.less(now.walk.delay, a.number(0)), now)

    def presumed(after: Z3Walking) -> Formula:
        return steps.relinked(after.state)

    return holds_after(presumed, end, params, needs, facts)


def ground(formula: Formula) -> z3.BoolRef:
    """A formula without quantifiers as a term."""
    assert isinstance(formula, Ground)
    return formula.term


_SHOWN: tuple[tuple[str, z3.ExprRef], ...] = (
    ("delay", WALK.delay),
    ("id", WALK.id),
    ("in a row", ground(WALK.in_row)),
    ("row of the walk", WALK.row),
    ("cid of the walk", WALK.cid),
    ("in a break", ground(WALK.in_break)),
)
