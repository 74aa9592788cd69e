"""Progress: what was asked for happens."""

from typing import TypeVar

from ipvs_est_spec.state.abstract_state import AbstractState

B = TypeVar("B")
N = TypeVar("N")


def none_waits_while_there_is_room(state: AbstractState[B, N]) -> B:
    """No estimator waits while a kthread has room, a slot is empty or one more is allowed."""
    a = state.algebra
    full = state.every_slot(
        lambda slot: a.both(
            state.exists(slot), a.at_most(state.est_max_count(slot), state.est_count(slot))
        )
    )
    at_limit = a.at_most(state.est_max_threads, state.est_kt_count)
    return a.either(a.equal(state.temp_length, a.number(0)), a.both(full, at_limit))


def recalculation_completes(state: AbstractState[B, N]) -> B:
    """While there is an estimator no calc phase is pending.

    Without one no task may run; kthread 0 then recalculates when the next one is started.
    """
    a = state.algebra
    zero = a.number(0)
    nothing = a.both(
        a.equal(state.temp_length, zero),
        state.every_slot(lambda slot: a.equal(state.est_count(slot), zero)),
    )
    return a.either(nothing, a.negate(state.est_calc_phase))


def wanted_tasks_run(state: AbstractState[B, N]) -> B:
    """Each kthread whose `est_count` is above 0 runs."""
    a = state.algebra
    return state.every_slot(
        lambda slot: a.implies(a.less(a.number(0), state.est_count(slot)), state.running(slot))
    )


def stopped_tasks_do_not_run(state: AbstractState[B, N]) -> B:
    """While `enable` is set, with `est_stopped` set no kthread runs."""
    a = state.algebra
    return a.implies(
        a.both(state.enable, state.est_stopped),
        state.every_slot(lambda slot: a.negate(state.running(slot))),
    )
