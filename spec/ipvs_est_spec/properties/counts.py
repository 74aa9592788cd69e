"""Counts: the kernel's lengths are the true ones."""

from typing import TypeVar

from ipvs_est_spec.state.abstract_state import AbstractState

B = TypeVar("B")
N = TypeVar("N")


def chain_len_is_true(state: AbstractState[B, N]) -> B:
    """`chain_len` is the number of estimators on the chain."""
    a = state.algebra
    return state.every_slot(
        lambda slot: state.every_row(
            slot,
            lambda row: state.every_chain(
                slot,
                row,
                lambda cid: a.equal(
                    state.chain_len(slot, row, cid), state.true_length(slot, row, cid)
                ),
            ),
        )
    )


def tick_len_is_true(state: AbstractState[B, N]) -> B:
    """`tick_len` is the number of estimators on the tick's chains."""
    a = state.algebra
    return state.every_slot(
        lambda slot: state.every_row(
            slot,
            lambda row: a.equal(
                state.tick_len(slot, row),
                state.tick_length(slot, row),
            ),
        )
    )


def est_count_is_true(state: AbstractState[B, N]) -> B:
    """`est_count` is the number of estimators on the kthread's chains."""
    a = state.algebra
    return state.every_slot(lambda slot: a.equal(state.est_count(slot), state.kd_length(slot)))


def tick_exists_iff_used(state: AbstractState[B, N]) -> B:
    """A row has a tick exactly if its `tick_len` is above 0."""
    a = state.algebra
    return state.every_slot(
        lambda slot: state.every_row(
            slot,
            lambda row: a.same(
                state.tick_exists(slot, row), a.less(a.number(0), state.tick_len(slot, row))
            ),
        )
    )
