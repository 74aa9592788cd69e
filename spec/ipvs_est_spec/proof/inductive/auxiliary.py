"""Invariants that the induction needs besides those of the catalogue.

Each is checked on sampled states of the model, too.
"""

from dataclasses import dataclass
from typing import TypeVar

from ipvs_est_spec.property import Predicate
from ipvs_est_spec.state.abstract_state import AbstractState

B = TypeVar("B")
N = TypeVar("N")


def named_kd_has_room(state: AbstractState[B, N]) -> B:
    """With limits computed, the kd that est_add_ktid names has room."""
    a = state.algebra
    slot = state.est_add_ktid
    known = a.less(a.number(0), state.est_chain_max)
    return a.implies(
        a.both(known, state.exists(slot)), a.less(state.est_count(slot), state.est_max_count(slot))
    )


def one_slot_before_limits(state: AbstractState[B, N]) -> B:
    """Before limits were computed there is at most slot 0, which est_add_ktid names."""
    a = state.algebra
    zero = a.number(0)
    return a.implies(
        a.equal(state.est_chain_max, zero),
        a.both(a.at_most(state.est_kt_count, a.number(1)), a.equal(state.est_add_ktid, zero)),
    )


def nothing_in_an_empty_array(state: AbstractState[B, N]) -> B:
    """Without any slot est_add_ktid is 0."""
    a = state.algebra
    zero = a.number(0)
    return a.implies(a.equal(state.est_kt_count, zero), a.equal(state.est_add_ktid, zero))


def no_room_below_the_named(state: AbstractState[B, N]) -> B:
    """No kd in a slot below est_add_ktid has room."""
    a = state.algebra
    named = state.est_add_ktid
    return state.every_slot(
        lambda slot: a.either(
            a.at_most(named, slot),
            a.at_most(state.est_max_count(slot), state.est_count(slot)),
        )
    )


def only_a_kept_estimators_chain_is_flagged_wrong(state: AbstractState[B, N]) -> B:
    """A full bit is of other limits only if the chain is in kd 0 and has at most one estimator."""
    a = state.algebra

    def right(slot: N, row: N, cid: N) -> B:
        length = state.true_length(slot, row, cid)
        return a.either(
            a.negate(state.tick_exists(slot, row)),
            a.both(a.equal(slot, a.number(0)), a.at_most(length, a.number(1))),
            a.same(state.full(slot, row, cid), a.at_most(state.chain_max(slot), length)),
        )

    return state.every_slot(
        lambda slot: state.every_row(
            slot, lambda row: state.every_chain(slot, row, lambda cid: right(slot, row, cid))
        )
    )


def waiting_total_has_kd0(state: AbstractState[B, N]) -> B:
    """With limits computed and no calc phase requested, a total that waits is next for kd 0."""
    a = state.algebra
    zero = a.number(0)
    computed = a.both(a.less(zero, state.est_chain_max), a.negate(state.est_calc_phase))
    next_for_kd0 = a.both(state.exists(zero), a.equal(state.est_add_ktid, zero))
    return state.every_estimator(
        lambda est: a.implies(
            a.both(computed, state.is_object(est), state.is_total(est)),
            a.either(a.equal(state.ktid(est), zero), a.both(state.on_temp_list(est), next_for_kd0)),
        )
    )


def threads_of_the_configuration(state: AbstractState[B, N]) -> B:
    """`est_max_threads` is 0 or what the configuration says, also while `enable` is 0."""
    a = state.algebra
    wanted = a.times(a.number(state.params.cpu_kthreads), state.kthread_cpus)
    positive = a.choose(a.less(wanted, a.number(1)), a.number(1), wanted)
    threads = state.est_max_threads
    return a.either(a.equal(threads, a.number(0)), a.equal(threads, positive))


@dataclass(frozen=True, slots=True)
class Auxiliary:
    """An invariant of the proofs."""

    id: str
    sentence: str
    predicate: Predicate


AUXILIARY: tuple[Auxiliary, ...] = (
    Auxiliary(
        "aux.room",
        "With limits computed, the kd that est_add_ktid names has room.",
        named_kd_has_room,
    ),
    Auxiliary(
        "aux.one-slot",
        "Before limits were computed there is at most slot 0, which est_add_ktid names.",
        one_slot_before_limits,
    ),
    Auxiliary("aux.empty-array", "Without any slot est_add_ktid is 0.", nothing_in_an_empty_array),
    Auxiliary(
        "aux.lowest",
        "No kd in a slot below est_add_ktid has room.",
        no_room_below_the_named,
    ),
    Auxiliary(
        "aux.full",
        "A full bit is of other limits only if the chain is in kd 0 and has at most one estimator.",
        only_a_kept_estimators_chain_is_flagged_wrong,
    ),
    Auxiliary(
        "aux.total",
        "With limits computed and no calc phase requested, a total that waits is next for kd 0.",
        waiting_total_has_kd0,
    ),
    Auxiliary(
        "aux.threads",
        "est_max_threads is 0 or what the configuration says, also while enable is 0.",
        threads_of_the_configuration,
    ),
)
