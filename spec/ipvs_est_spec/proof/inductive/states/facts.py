"""What is true of every state, whatever the kernel does: facts about lists, sums and numbers.

The proofs take them as definitions of the functions that stand for true lengths and their sums.
A test evaluates each on sampled states; the sums are theorems of their own (`sums`).
"""

from dataclasses import dataclass
from typing import TypeVar

from ipvs_est_spec.property import Predicate
from ipvs_est_spec.state.abstract_state import AbstractState

B = TypeVar("B")
N = TypeVar("N")


def numbers_are_natural(state: AbstractState[B, N]) -> B:
    """What counts things is not negative."""
    a = state.algebra
    zero = a.number(0)
    return a.both(
        *(
            a.at_most(zero, item)
            for item in (
                state.est_kt_count,
                state.est_add_ktid,
                state.est_max_threads,
                state.est_chain_max,
                state.temp_length,
                state.kthread_cpus,
            )
        )
    )


def chain_is_part_of_its_tick(state: AbstractState[B, N]) -> B:
    """A tick's length is at least that of one of its chains, or of two."""
    a = state.algebra

    def chains(slot: N, row: N) -> B:
        total = state.tick_length(slot, row)
        return state.every_chain(
            slot,
            row,
            lambda one: a.both(
                a.at_most(a.number(0), state.true_length(slot, row, one)),
                a.at_most(state.true_length(slot, row, one), total),
                state.every_chain(
                    slot,
                    row,
                    lambda other: a.either(
                        a.equal(one, other),
                        a.at_most(
                            a.plus(
                                state.true_length(slot, row, one),
                                state.true_length(slot, row, other),
                            ),
                            total,
                        ),
                    ),
                ),
            ),
        )

    return state.every_slot(
        lambda slot: state.every_row(
            slot,
            lambda row: a.both(
                a.at_most(a.number(0), state.tick_length(slot, row)), chains(slot, row)
            ),
        )
    )


def tick_is_part_of_its_kd(state: AbstractState[B, N]) -> B:
    """A kd's length is at least that of one of its ticks, or of two."""
    a = state.algebra

    def rows(slot: N) -> B:
        total = state.kd_length(slot)
        return state.every_row(
            slot,
            lambda one: a.both(
                a.at_most(state.tick_length(slot, one), total),
                state.every_row(
                    slot,
                    lambda other: a.either(
                        a.equal(one, other),
                        a.at_most(
                            a.plus(state.tick_length(slot, one), state.tick_length(slot, other)),
                            total,
                        ),
                    ),
                ),
            ),
        )

    return state.every_slot(
        lambda slot: a.both(a.at_most(a.number(0), state.kd_length(slot)), rows(slot))
    )


def bounded_chains_bound_their_tick(state: AbstractState[B, N]) -> B:
    """If no chain is longer than chain_max, a tick lacks at least what two of its chains lack."""
    a = state.algebra
    chains = a.number(state.params.tick_chains)

    def tick(slot: N, row: N) -> B:
        limit = state.chain_max(slot)
        bounded = state.every_chain(
            slot, row, lambda cid: a.at_most(state.true_length(slot, row, cid), limit)
        )

        def lacks(cid: N) -> N:
            return a.minus(limit, state.true_length(slot, row, cid))

        missing = a.minus(a.times(chains, limit), state.tick_length(slot, row))
        at_least = state.every_chain(
            slot,
            row,
            lambda one: a.both(
                a.at_most(lacks(one), missing),
                state.every_chain(
                    slot,
                    row,
                    lambda other: a.either(
                        a.equal(one, other), a.at_most(a.plus(lacks(one), lacks(other)), missing)
                    ),
                ),
            ),
        )
        return a.implies(bounded, at_least)

    return state.every_slot(
        lambda slot: state.every_row(
            slot, lambda row: a.implies(state.tick_exists(slot, row), tick(slot, row))
        )
    )


def long_chains_fill_their_tick(state: AbstractState[B, N]) -> B:
    """If all chains but one have chain_max, a tick lacks at most what that one lacks."""
    a = state.algebra
    chains = a.number(state.params.tick_chains)

    def tick(slot: N, row: N, one: N) -> B:
        limit = state.chain_max(slot)
        others = state.every_chain(
            slot,
            row,
            lambda cid: a.either(
                a.equal(cid, one), a.at_most(limit, state.true_length(slot, row, cid))
            ),
        )
        missing = a.minus(a.times(chains, limit), state.tick_length(slot, row))
        return a.implies(
            others, a.at_most(missing, a.minus(limit, state.true_length(slot, row, one)))
        )

    return state.every_slot(
        lambda slot: state.every_row(
            slot,
            lambda row: state.every_chain(slot, row, lambda one: tick(slot, row, one)),
        )
    )


def bounded_ticks_bound_their_kd(state: AbstractState[B, N]) -> B:
    """If no tick is longer than tick_max, a kd lacks at least what one of its ticks lacks."""
    a = state.algebra
    rows = a.number(state.params.nticks)

    def kd(slot: N) -> B:
        limit = state.tick_max(slot)
        bounded = state.every_row(slot, lambda row: a.at_most(state.tick_length(slot, row), limit))
        missing = a.minus(a.times(rows, limit), state.kd_length(slot))
        return a.implies(
            bounded,
            state.every_row(
                slot,
                lambda row: a.at_most(a.minus(limit, state.tick_length(slot, row)), missing),
            ),
        )

    return state.every_slot(lambda slot: a.implies(state.exists(slot), kd(slot)))


def long_ticks_fill_their_kd(state: AbstractState[B, N]) -> B:
    """If all ticks have tick_max, the kd has as many times that as it has rows."""
    a = state.algebra
    rows = a.number(state.params.nticks)

    def kd(slot: N) -> B:
        limit = state.tick_max(slot)
        filled = state.every_row(slot, lambda row: a.at_most(limit, state.tick_length(slot, row)))
        return a.implies(filled, a.at_most(a.times(rows, limit), state.kd_length(slot)))

    return state.every_slot(lambda slot: a.implies(state.exists(slot), kd(slot)))


def contexts_are_in_slots(state: AbstractState[B, N]) -> B:
    """There are as many contexts as slots, less the holes."""
    a = state.algebra
    zero, contexts = a.number(0), state.contexts
    count = state.est_kt_count
    return a.both(
        a.at_most(zero, contexts),
        a.at_most(contexts, count),
        state.every_slot(
            lambda slot: a.choose_truth(
                state.exists(slot), a.less(zero, contexts), a.less(contexts, count)
            )
        ),
    )


def listed_estimators_are_counted(state: AbstractState[B, N]) -> B:
    """A list has at least as many entries as one estimator, or two, on it."""
    a = state.algebra
    one, two = a.number(1), a.number(2)

    def on_chain(est: N) -> B:
        slot, row, cid = state.ktid(est), state.ktrow(est), state.ktcid(est)
        here = state.on_chain(est, slot, row, cid)
        length = state.true_length(slot, row, cid)
        return a.implies(
            here,
            a.both(
                a.at_most(one, length),
                state.every_estimator(
                    lambda other: a.either(
                        a.equal(est, other),
                        a.negate(state.on_chain(other, slot, row, cid)),
                        a.at_most(two, length),
                    )
                ),
            ),
        )

    somebody = a.negate(state.every_estimator(lambda est: a.negate(state.on_temp_list(est))))
    nobody_waits = a.at_most(state.temp_length, a.number(0))
    counted = state.every_estimator(
        lambda est: a.both(
            on_chain(est),
            a.implies(state.on_temp_list(est), a.at_most(one, state.temp_length)),
            state.every_estimator(
                lambda other: a.either(
                    a.equal(est, other),
                    a.negate(a.both(state.on_temp_list(est), state.on_temp_list(other))),
                    a.at_most(two, state.temp_length),
                )
            ),
        )
    )
    return a.both(counted, a.either(nobody_waits, somebody))


def places_are_counted(state: AbstractState[B, N]) -> B:
    """An estimator is listed as often as it is found."""
    a = state.algebra
    one, two = a.number(1), a.number(2)

    def est_is_counted(est: N) -> B:
        on_chain = state.on_chain(est, state.ktid(est), state.ktrow(est), state.ktcid(est))
        times = state.times_listed(est)
        return a.both(
            a.at_most(a.number(0), times),
            a.implies(a.either(on_chain, state.on_temp_list(est)), a.at_most(one, times)),
            a.implies(a.both(on_chain, state.on_temp_list(est)), a.at_most(two, times)),
        )

    return state.every_estimator(est_is_counted)


def nothing_sums_up_to_nothing(state: AbstractState[B, N]) -> B:
    """A tick whose chains are all empty is empty, and so is a kd whose ticks all are."""
    a = state.algebra
    zero = a.number(0)

    def tick(slot: N, row: N) -> B:
        empty = state.every_chain(
            slot, row, lambda cid: a.equal(state.true_length(slot, row, cid), zero)
        )
        return a.implies(empty, a.equal(state.tick_length(slot, row), zero))

    def kd(slot: N) -> B:
        empty = state.every_row(slot, lambda row: a.equal(state.tick_length(slot, row), zero))
        return a.implies(empty, a.equal(state.kd_length(slot), zero))

    return state.every_slot(
        lambda slot: a.both(kd(slot), state.every_row(slot, lambda row: tick(slot, row)))
    )


@dataclass(frozen=True, slots=True)
class Fact:
    """A fact about every state."""

    id: str
    predicate: Predicate


FACTS: tuple[Fact, ...] = (
    Fact("numbers", numbers_are_natural),
    Fact("chain-in-tick", chain_is_part_of_its_tick),
    Fact("tick-in-kd", tick_is_part_of_its_kd),
    Fact("chains-bounded", bounded_chains_bound_their_tick),
    Fact("chains-long", long_chains_fill_their_tick),
    Fact("ticks-bounded", bounded_ticks_bound_their_kd),
    Fact("ticks-long", long_ticks_fill_their_kd),
    Fact("contexts", contexts_are_in_slots),
    Fact("lists", listed_estimators_are_counted),
    Fact("places", places_are_counted),
)

EMPTY = Fact("empty", nothing_sums_up_to_nothing)
"""For the walk of the calc phase alone."""
