"""Place: every estimator is where its fields say, and nowhere else."""

from typing import TypeVar

from ipvs_est_spec.state.abstract_state import AbstractState

B = TypeVar("B")
N = TypeVar("N")


def on_one_list(state: AbstractState[B, N]) -> B:
    """A live object's estimator is on exactly one list, and nothing else is on any."""
    a = state.algebra
    return state.every_estimator(
        lambda est: a.equal(
            state.times_listed(est),
            a.choose(state.is_object(est), a.number(1), a.number(0)),
        )
    )


def fields_name_the_place(state: AbstractState[B, N]) -> B:
    """`ktid` of a live object's listed estimator is -1 on the temp list; in a chain `ktid`,
    `ktrow` and `ktcid` name it."""
    a = state.algebra
    return state.every_estimator(
        lambda est: a.implies(
            a.both(state.is_object(est), a.less(a.number(0), state.times_listed(est))),
            a.choose_truth(
                a.equal(state.ktid(est), a.number(-1)),
                state.on_temp_list(est),
                state.on_chain(est, state.ktid(est), state.ktrow(est), state.ktcid(est)),
            ),
        )
    )


def total_in_kd0(state: AbstractState[B, N]) -> B:
    """With limits computed, no calc phase pending and nothing waiting, the total's `ktid` is 0."""
    a = state.algebra
    drained = a.both(
        a.less(a.number(0), state.est_chain_max),
        a.equal(state.temp_length, a.number(0)),
        a.negate(state.est_calc_phase),
    )
    return state.every_estimator(
        lambda est: a.implies(
            a.both(drained, state.is_total(est)), a.equal(state.ktid(est), a.number(0))
        )
    )
