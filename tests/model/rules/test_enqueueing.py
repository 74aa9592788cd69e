"""Section 5: enqueueing: rules, each with an answer worked out from the text."""

from itertools import product

import pytest

from by_hand import NEW, SMALL, new_estimator, place, put_kd, small
from ipvs_est import V7, Params, ViolationError
from ipvs_est.estimator.enqueue import choose_row, enqueue, wanted_row
from ipvs_est.language.errno import ENOMEM
from ipvs_est.language.violations import IndexOutOfRange
from ipvs_est.machine.bitmap import (
    bits,
    find_first_bit,
    find_first_zero_bit,
    find_last_bit,
    find_last_bit_upto,
    find_next_bit,
)
from ipvs_est.machine.memory import fail_allocations
from ipvs_est.state.kthread_context import new_context, new_tick
from ipvs_est.state.stats import TEMP_LIST_KTID


def test_bit_searches_agree_with_a_look_at_each_bit() -> None:
    for size in range(1, 7):
        # The bits above the bitmap's size may hold anything.
        for bitmap in range(4 << size):
            ones = [bit for bit in range(size) if bitmap >> bit & 1]
            zeros = [bit for bit in range(size) if not bitmap >> bit & 1]
            assert find_last_bit(bitmap, size) == (ones[-1] if ones else size)
            assert find_first_bit(bitmap, size) == (ones[0] if ones else size)
            assert find_first_zero_bit(bitmap, size) == (zeros[0] if zeros else size)
            assert list(bits(bitmap)) == [bit for bit in range(size + 2) if bitmap >> bit & 1]
            for offset in range(size):
                below = [bit for bit in ones if bit <= offset]
                above = [bit for bit in ones if bit >= offset]
                assert find_last_bit_upto(bitmap, size, offset) == (below[-1] if below else size)
                assert find_next_bit(bitmap, size, offset) == (above[0] if above else size)
            assert find_next_bit(bitmap, size, size) == size


def test_row_of_a_new_estimator_is_the_highest_available_up_to_the_wanted_one() -> None:
    for avail, crow in product(range(32), range(5)):
        rows = [row for row in range(5) if avail >> row & 1]
        up_to = [row for row in rows if row <= crow]
        assert choose_row(avail, 5, crow, NEW) == max(up_to or rows, default=5)


def test_row_of_a_relinked_estimator_is_the_lowest_available_from_the_wanted_one() -> None:
    for avail, crow, delay in product(range(32), range(5), range(NEW)):
        rows = [row for row in range(5) if avail >> row & 1]
        from_there = [row for row in rows if row >= crow]
        assert choose_row(avail, 5, crow, delay) == min(from_there or rows, default=5)


@pytest.mark.parametrize(
    ("avail", "crow", "delay", "row"),
    [
        (2**50 - 1, 17, 49, 17),
        (2**50 - 1, 17, 48, 17),
        (2**50 - 1, 0, 49, 0),
        (2**50 - 1, 0, 0, 0),
        (2**50 - 1 - 2**17, 17, 49, 16),
        (2**50 - 1 - 2**17, 17, 48, 18),
        # Nothing on the wanted side.
        (2**50 - 2**18, 17, 49, 49),
        (2**17 - 1, 17, 48, 0),
        (2**49, 48, 49, 49),
        (2**49, 49, 0, 49),
        (2**0, 1, 0, 0),
        (2**0, 0, 49, 0),
        # Nothing at all.
        (0, 17, 49, 50),
        (0, 17, 0, 50),
    ],
)
def test_row_of_the_default_geometry(avail: int, crow: int, delay: int, row: int) -> None:
    assert choose_row(avail, 50, crow, delay) == row


@pytest.mark.parametrize(
    ("est_count", "add_row", "est_row", "delay", "crow"),
    [
        # tick_max is 48*10 = 480: below 960 estimators a new one counts from add_row.
        (0, 10, 20, 49, 9),
        (959, 10, 20, 49, 9),
        (960, 10, 20, 49, 19),
        (961, 10, 20, 49, 19),
        # A relinked one always counts from est_row.
        (0, 10, 20, 48, 18),
        (0, 10, 20, 47, 17),
        (0, 10, 20, 29, 49),
        (0, 10, 20, 30, 0),
        (0, 10, 20, 0, 20),
        (959, 10, 20, 48, 18),
        (0, 0, 20, 49, 49),
        (0, 1, 20, 49, 0),
    ],
)
def test_wanted_row(est_count: int, add_row: int, est_row: int, delay: int, crow: int) -> None:
    kd = new_context(Params(), 0, 1000, 10)
    kd.est_count, kd.add_row, kd.est_row = est_count, add_row, est_row
    assert wanted_row(kd, 50, delay) == crow


def test_only_a_new_estimator_counts_from_add_row() -> None:
    kd = new_context(SMALL, 0, 1000, 2)
    kd.add_row, kd.est_row = 1, 3
    assert [wanted_row(kd, 5, delay) for delay in range(5)] == [3, 4, 0, 1, 0]


def test_without_an_available_row_the_number_of_rows_is_used_as_one() -> None:
    for delay in range(5):
        machine = small()
        kd = put_kd(machine)
        kd.avail = 0
        est = new_estimator(machine, 1)
        est.ktrow = delay
        with pytest.raises(ViolationError) as caught:
            enqueue(machine, kd, est)
        violation = caught.value.violation
        assert isinstance(violation, IndexOutOfRange)
        assert (violation.index, violation.size) == (5, 5)


def test_without_a_chain_that_has_space_the_number_of_chains_is_used_as_one() -> None:
    machine = small()
    kd = put_kd(machine)
    td = new_tick(machine.params, NEW)
    td.full = 0b111
    kd.ticks[NEW] = td
    with pytest.raises(ViolationError) as caught:
        enqueue(machine, kd, new_estimator(machine, 1))
    violation = caught.value.violation
    assert isinstance(violation, IndexOutOfRange)
    assert (violation.index, violation.size) == (3, 3)


def test_estimator_is_not_enqueued_when_no_tick_can_be_allocated() -> None:
    machine = small()
    kd = put_kd(machine)
    est = new_estimator(machine, 1)
    fail_allocations(machine.memory, 1, 1)
    assert enqueue(machine, kd, est) == -ENOMEM
    assert kd.ticks == [None] * 5
    assert (kd.est_count, kd.tick_len, kd.avail) == (0, [0] * 5, 0b11111)
    assert (est.prev, est.ktid, est.ktrow) == (None, TEMP_LIST_KTID, NEW)
    # Its tick allocated, the next one needs none.
    assert enqueue(machine, kd, est) == 0
    est = new_estimator(machine, 2)
    fail_allocations(machine.memory, 1, 1)
    assert enqueue(machine, kd, est) == 0


def test_with_limits_of_0_each_estimator_uses_up_a_row() -> None:
    machine = small(V7)
    kd = put_kd(machine, chain_max=0)
    rows = []
    for object_id in range(1, 6):
        est = new_estimator(machine, object_id)
        assert enqueue(machine, kd, est) == 0
        rows.append(est.ktrow)
        td = kd.ticks[est.ktrow]
        assert td is not None
        assert td.full == 1
        assert kd.avail == (1 << 5 - object_id) - 1
        # est_count is not est_max_count: no new slot is chosen.
        assert machine.netns.est_add_ktid == 0
    assert rows == [4, 3, 2, 1, 0]
    with pytest.raises(ViolationError):
        enqueue(machine, kd, new_estimator(machine, 6))


def test_row_stays_available_while_the_chain_of_the_newest_has_space() -> None:
    machine = small()
    kd = put_kd(machine, chain_max=2)
    for object_id in (1, 2):
        place(machine, kd, object_id)
    td = kd.ticks[NEW]
    assert td is not None
    assert td.full == 0b001
    # As if lower limits had been applied to longer chains: tick_max is 6.
    td.chain_len[0] = kd.tick_len[NEW] = 5
    place(machine, kd, 3)
    assert (td.chain_len, kd.tick_len[NEW]) == ([5, 1, 0], 6)
    assert kd.avail == 0b11111
