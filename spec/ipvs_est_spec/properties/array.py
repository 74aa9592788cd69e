"""Array: the slots of est_kt_arr."""

from typing import TypeVar

from ipvs_est_spec.state.abstract_state import AbstractState

B = TypeVar("B")
N = TypeVar("N")


def no_trailing_hole(state: AbstractState[B, N]) -> B:
    """The last slot is never empty, unless it is slot 0."""
    a = state.algebra
    last = a.minus(state.est_kt_count, a.number(1))
    return a.implies(a.less(a.number(0), last), state.exists(last))


def add_ktid_in_array(state: AbstractState[B, N]) -> B:
    """`est_add_ktid` is at most `est_kt_count`."""
    return state.algebra.at_most(state.est_add_ktid, state.est_kt_count)


def add_ktid_usable(state: AbstractState[B, N]) -> B:
    """`est_add_ktid` names a kthread whose `est_count` is below its `est_max_count`, if there is
    one."""
    a = state.algebra

    def has_space(slot: N) -> B:
        return a.both(state.exists(slot), a.less(state.est_count(slot), state.est_max_count(slot)))

    nobody = state.every_slot(lambda slot: a.negate(has_space(slot)))
    return a.either(nobody, has_space(state.est_add_ktid))


def kd0_outlives_the_rest(state: AbstractState[B, N]) -> B:
    """If an estimator waits on the temp list or any kd above 0 exists, kd 0 exists."""
    a = state.algebra
    zero = a.number(0)
    others = a.negate(
        state.every_slot(lambda slot: a.implies(a.less(zero, slot), a.negate(state.exists(slot))))
    )
    waiting = a.less(zero, state.temp_length)
    return a.implies(a.either(waiting, others), state.exists(zero))
