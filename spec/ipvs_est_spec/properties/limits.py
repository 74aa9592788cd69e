"""Limits: nothing is overfilled, and what the configuration determines is as it says."""

from typing import TypeVar

from ipvs_est_spec.state.abstract_state import AbstractState

B = TypeVar("B")
N = TypeVar("N")


def chains_within_limit(state: AbstractState[B, N]) -> B:
    """No chain has more than `chain_max` estimators."""
    a = state.algebra
    return state.every_slot(
        lambda slot: state.every_row(
            slot,
            lambda row: state.every_chain(
                slot,
                row,
                lambda cid: a.at_most(state.true_length(slot, row, cid), state.chain_max(slot)),
            ),
        )
    )


def ticks_within_limit(state: AbstractState[B, N]) -> B:
    """No tick has more than `tick_max` estimators."""
    a = state.algebra
    return state.every_slot(
        lambda slot: state.every_row(
            slot,
            lambda row: a.at_most(
                state.tick_length(slot, row),
                state.tick_max(slot),
            ),
        )
    )


def kthreads_within_limit(state: AbstractState[B, N]) -> B:
    """No kthread's `est_count` is above its `est_max_count`."""
    a = state.algebra
    return state.every_slot(
        lambda slot: a.at_most(state.est_count(slot), state.est_max_count(slot))
    )


def kthread_limits_from_chain_max(state: AbstractState[B, N]) -> B:
    """Each kd's limits are those that `est_chain_max` and the geometry give."""
    a = state.algebra
    params = state.params
    factor = params.chain_factor if params.preempt_rcu else 1
    return state.every_slot(
        lambda slot: a.implies(
            state.exists(slot),
            a.both(
                a.equal(state.chain_max(slot), a.times(a.number(factor), state.est_chain_max)),
                a.equal(
                    state.tick_max(slot),
                    a.times(a.number(params.tick_chains), state.chain_max(slot)),
                ),
                a.equal(
                    state.est_max_count(slot),
                    a.times(a.number(params.nticks), state.tick_max(slot)),
                ),
            ),
        )
    )


def max_threads_as_configured(state: AbstractState[B, N]) -> B:
    """While `enable` is set, `est_max_threads`, once computed, is max(1, 4 x the CPUs)."""
    a = state.algebra
    wanted = a.times(a.number(state.params.cpu_kthreads), state.kthread_cpus)
    positive = a.choose(a.less(wanted, a.number(1)), a.number(1), wanted)
    computed = a.both(state.enable, a.less(a.number(0), state.est_max_threads))
    return a.implies(computed, a.equal(state.est_max_threads, positive))


def stopped_as_configured(state: AbstractState[B, N]) -> B:
    """While `enable` is set, `est_stopped` is set exactly if run_estimation is 0 or a written
    cpulist is empty."""
    a = state.algebra
    empty = a.both(state.cpulist_valid, a.equal(state.kthread_cpus, a.number(0)))
    wanted = a.either(a.negate(state.run_estimation), empty)
    return a.implies(state.enable, a.same(state.est_stopped, wanted))


def limits_known(state: AbstractState[B, N]) -> B:
    """Before limits were computed every `est_count` is 0."""
    a = state.algebra
    zero = a.number(0)
    return a.implies(
        a.equal(state.est_chain_max, zero),
        state.every_slot(lambda slot: a.equal(state.est_count(slot), zero)),
    )


def kthreads_allowed(state: AbstractState[B, N]) -> B:
    """There are at most `est_max_threads` kthread contexts, once that is computed."""
    a = state.algebra
    limit = state.est_max_threads
    return a.either(a.equal(limit, a.number(0)), a.at_most(state.contexts, limit))
