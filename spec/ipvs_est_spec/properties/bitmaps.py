"""Bitmaps: each bit says what its name says."""

from typing import TypeVar

from ipvs_est_spec.state.abstract_state import AbstractState

B = TypeVar("B")
N = TypeVar("N")


def present_iff_not_empty(state: AbstractState[B, N]) -> B:
    """A chain's `present` bit is set exactly if the chain is not empty."""
    a = state.algebra
    return state.every_slot(
        lambda slot: state.every_row(
            slot,
            lambda row: state.every_chain(
                slot,
                row,
                lambda cid: a.same(
                    state.present(slot, row, cid),
                    a.less(a.number(0), state.true_length(slot, row, cid)),
                ),
            ),
        )
    )


def full_iff_at_chain_max(state: AbstractState[B, N]) -> B:
    """In a tick a chain's `full` bit is set exactly if the chain has `chain_max` estimators or
    more."""
    a = state.algebra
    return state.every_slot(
        lambda slot: state.every_row(
            slot,
            lambda row: state.every_chain(
                slot,
                row,
                lambda cid: a.implies(
                    state.tick_exists(slot, row),
                    a.same(
                        state.full(slot, row, cid),
                        a.at_most(state.chain_max(slot), state.true_length(slot, row, cid)),
                    ),
                ),
            ),
        )
    )


def avail_iff_space(state: AbstractState[B, N]) -> B:
    """A row's `avail` bit is set exactly if it has no tick or a chain whose `full` bit is clear."""
    a = state.algebra
    return state.every_slot(
        lambda slot: state.every_row(
            slot,
            lambda row: a.implies(
                state.exists(slot),
                a.same(
                    state.avail(slot, row),
                    a.either(
                        a.negate(state.tick_exists(slot, row)),
                        a.negate(
                            state.every_chain(slot, row, lambda cid: state.full(slot, row, cid))
                        ),
                    ),
                ),
            ),
        )
    )
