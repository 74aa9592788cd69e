"""Wrong steps of the walk, which must be refuted."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from functools import partial

from ipvs_est.language.params import Params
from ipvs_est.language.revision import MAINLINE, REPAIRED, V7
from ipvs_est_spec.algebra.z3_names import z3
from ipvs_est_spec.proof.framework.theorem import Goal, Twin
from ipvs_est_spec.proof.inductive import steps
from ipvs_est_spec.proof.inductive.changes import LAST, OTHERS
from ipvs_est_spec.proof.inductive.states.formula import Formula
from ipvs_est_spec.proof.inductive.states.geometries import FULL, GEOMETRIES
from ipvs_est_spec.proof.inductive.states.symbols import INPUTS
from ipvs_est_spec.proof.inductive.walk.goals import (
    ALL_FACTS,
    COMPLETE,
    ENDS,
    KNOWN,
    Z3Stride,
    Z3Walking,
    before_stride,
    holds_after,
    kept,
    nearer,
    stride_of,
)
from ipvs_est_spec.proof.inductive.walk.steps import (
    SAME_TICK,
    Stride,
    Walking,
    next_delay,
    next_row_estimated,
)

_PARAMS = GEOMETRIES[FULL]


@dataclass(frozen=True, slots=True)
class WrongStride:
    """A wrong step, and what is concluded of it."""

    sentence: str
    goal: Callable[[Params], Goal]


def twin_of(conclusion: str) -> Twin:
    """That of a theorem."""
    wrong = WRONG_STRIDES[conclusion]
    return Twin(wrong.sentence, partial(wrong.goal, _PARAMS))


def kthread_goes_on(params: Params) -> Z3Stride:
    """A kthread above 0 may be running, and go on to its next row."""
    return next_row_estimated(before_stride(params).now, INPUTS, INPUTS.flag)


def _kept(invariant: str, wrong: Callable[[Z3Walking, Params], Z3Stride]) -> Callable[..., Goal]:
    def goal(params: Params) -> Goal:
        stride = wrong(before_stride(params).now, params)
        return kept(invariant, stride, params, KNOWN, ALL_FACTS)

    return goal


def _leaves_two(now: Z3Walking, params: Params) -> Z3Stride:
    a, f, walk = now.state.algebra, now.state, now.walk
    zero = a.number(0)
    premise = a.both(
        a.negate(walk.in_row),
        a.at_most(zero, walk.delay),
        a.equal(walk.id, a.number(1)),
        f.exists(zero),
        a.at_most(f.est_count(zero), a.number(2)),
    )
    return Stride(premise, Walking(now.state, next_delay(now)))


def _takes_one_of_each_chain(now: Z3Walking, params: Params) -> Z3Stride:
    stride = stride_of("visit", f"relinked; {OTHERS}", REPAIRED, params)
    a, walk = now.state.algebra, stride.after.walk
    further = replace(walk, cid=a.plus(walk.cid, a.number(1)))
    return Stride(stride.premise, Walking(stride.after.state, further))


def _does_not_look_for_the_tick(now: Z3Walking, params: Params) -> Z3Stride:
    a, f, walk = now.state.algebra, now.state, now.walk
    premise = a.both(walk.in_row, walk.in_break, a.less(walk.id, f.est_kt_count), walk.same_kd)
    return Stride(premise, stride_of("take up", SAME_TICK, MAINLINE, params).after)


def _releases_kd0(now: Z3Walking, params: Params) -> Z3Stride:
    return stride_of("visit", f"relinked; {LAST}", V7, params)


def _begins_the_delay_again(params: Params) -> Goal:
    now, step, case = before_stride(params).now, "take up", "another kd or tick"
    stride = stride_of(step, case, REPAIRED, params)
    again = replace(stride.after.walk, id=now.state.est_kt_count)
    wrong = Stride(stride.premise, Walking(stride.after.state, again))
    return nearer(step, case, wrong, params, KNOWN, ALL_FACTS)


def _ends_at_delay_0(params: Params) -> Goal:
    now = before_stride(params).now
    a = now.state.algebra
    end: Stride[Formula, z3.ArithRef] = Stride(a.less(now.walk.delay, a.number(1)), now)
    return holds_after(lambda after: steps.relinked(after.state), end, params, KNOWN, ALL_FACTS)


WRONG_STRIDES: Mapping[str, WrongStride] = {
    "walk.rows": WrongStride(
        "Kd 0 is left alone with two estimators.", _kept("walk.rows", _leaves_two)
    ),
    "walk.chains": WrongStride(
        "After an estimator was relinked the next chain is visited.",
        _kept("walk.chains", _takes_one_of_each_chain),
    ),
    "walk.place": WrongStride(
        "After a break it is not looked whether the tick is the same (R7).",
        _kept("walk.place", _does_not_look_for_the_tick),
    ),
    "walk.kd0": WrongStride(
        "Kd 0 is released when nothing else is left (F23).", _kept("walk.kd0", _releases_kd0)
    ),
    ENDS: WrongStride(
        "After a break in which the tick went the delay is begun again.", _begins_the_delay_again
    ),
    COMPLETE: WrongStride("The walk ends before delay 0.", _ends_at_delay_0),
}
