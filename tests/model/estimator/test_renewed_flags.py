"""The repair of F01 to F03: `full` and `avail` are what the limits of now make of the chains."""

import pytest

from ipvs_est import Params
from ipvs_est.state.kthread_context import KthreadContext, new_context, new_tick, renew_flags

# 5 rows of 3 chains.
PARAMS = Params(hz=100, nticks=5, chain_factor=3)
ALL_ROWS = 0b11111


def context(chain_max: int, lengths: dict[int, tuple[int, int, int]]) -> KthreadContext:
    """A kd whose ticks have chains of those lengths, by row; its flags are left from elsewhere."""
    kd = new_context(PARAMS, 0, 0, chain_max)
    for row, chains in lengths.items():
        td = kd.ticks[row] = new_tick(PARAMS, row)
        td.chain_len = list(chains)
    return kd


@pytest.mark.parametrize("stale_full", [0b000, 0b101, 0b111])
@pytest.mark.parametrize("stale_avail", [0, 0b01010, ALL_ROWS])
def test_flags_of_old_limits_leave_no_trace(stale_full: int, stale_avail: int) -> None:
    kd = context(2, {1: (2, 1, 3), 3: (2, 2, 2), 4: (0, 0, 1)})
    for td in kd.ticks:
        if td is not None:
            td.full = stale_full
    kd.avail = stale_avail
    renew_flags(kd)
    assert [None if td is None else td.full for td in kd.ticks] == [None, 0b101, None, 0b111, 0]
    # Rows without a tick are none of its business.
    ticks = 0b11010
    assert kd.avail & ticks == 0b10010
    assert kd.avail & ~ticks == stale_avail & ~ticks


def test_a_row_is_unavailable_exactly_if_all_its_chains_are_full() -> None:
    for length in range(4):
        kd = context(2, {2: (2, length, 2)})
        renew_flags(kd)
        assert kd.avail == (ALL_ROWS if length < 2 else 0b11011)


def test_all_rows_may_be_full() -> None:
    kd = context(1, dict.fromkeys(range(5), (1, 1, 1)))
    renew_flags(kd)
    assert kd.avail == 0
