"""Section 11: the limits test: rules, each with an answer worked out from the text."""

from dataclasses import replace
from itertools import product

import pytest

from by_hand import (
    ALL,
    LOCK_EST,
    LOCK_SERVICE,
    RCU_LOCK,
    RCU_UNLOCK,
    SMALL,
    UNLOCK_EST,
    UNLOCK_SERVICE,
    Others,
    ask_to_stop,
    disable,
    put_kd,
    run,
    small,
    start_task,
)
from ipvs_est import MAINLINE, STABLE, V7
from ipvs_est.estimator.calc_limits import Measurement, calc_limits, measured
from ipvs_est.estimator.contexts import add_kthread_context
from ipvs_est.machine.tasks import Task
from ipvs_est.state.kthread_context import KthreadContext
from ipvs_est.state.machine import Machine


@pytest.mark.parametrize(
    ("before", "diff", "after"),
    [
        # Too short: twice as many loops.
        ((1, 0, 8), 0, (2, 0, 8)),
        ((1, 0, 8), 999, (2, 0, 8)),
        ((1, 0, 8), 1000, (2, 0, 8)),
        ((2, 0, 8), 1000, (4, 0, 8)),
        ((4, 600, 158), 10, (8, 600, 158)),
        # 95000/1001 = 94.9
        ((1, 0, 8), 1001, (1, 1001, 94)),
        # 2001/2 = 1000.5, 95000/1000 = 95
        ((2, 0, 8), 2001, (2, 1000, 95)),
        ((4, 0, 8), 5003, (4, 1250, 76)),
        # 95000/31666 = 3.0000x, 95000/31667 = 2.99997
        ((1, 0, 8), 31666, (1, 31666, 3)),
        ((1, 0, 8), 31667, (1, 31667, 2)),
        ((1, 0, 8), 94999, (1, 94999, 1)),
        ((1, 0, 8), 95000, (1, 95000, 1)),
        ((1, 0, 8), 95001, (1, 95001, 1)),
        ((1, 0, 8), 10**9 - 1, (1, 10**9 - 1, 1)),
        # Too long: nothing was measured.
        ((1, 0, 8), 10**9, (1, 0, 8)),
        ((1, 0, 8), 10**9 + 1, (1, 0, 8)),
        ((1, 0, 8), 10**12, (1, 0, 8)),
        # Only a smaller value counts.
        ((1, 1500, 63), 1200, (1, 1200, 79)),
        ((1, 1500, 63), 1499, (1, 1499, 63)),
        ((1, 1500, 63), 1500, (1, 1500, 63)),
        ((1, 1500, 63), 1501, (1, 1500, 63)),
        ((1, 1500, 63), 10**9, (1, 1500, 63)),
        ((8, 1500, 63), 11000, (8, 1375, 69)),
    ],
)
def test_measurement(before: tuple[int, int, int], diff: int, after: tuple[int, int, int]) -> None:
    assert measured(Measurement(*before), diff) == Measurement(*after)


def test_measurement_starts_with_one_loop_nothing_measured_and_8() -> None:
    assert Measurement() == Measurement(loops=1, min_est=0, chain_max=8)


def test_diff_up_to_1000_doubles_the_loops() -> None:
    assert measured(Measurement(), 1000) == Measurement(2, 0, 8)
    assert measured(Measurement(4, 600, 158), 10) == Measurement(8, 600, 158)
    assert measured(Measurement(), 1001) == Measurement(1, 1001, 94)


def test_diff_from_10e9_on_is_no_measurement() -> None:
    assert measured(Measurement(), 10**9) == Measurement()
    assert measured(Measurement(), 10**9 - 1) == Measurement(1, 10**9 - 1, 1)


def test_smaller_value_replaces_a_larger_one() -> None:
    assert measured(Measurement(1, 1500, 63), 1200) == Measurement(1, 1200, 79)
    assert measured(Measurement(1, 1500, 63), 1501) == Measurement(1, 1500, 63)


def test_measured_value_and_limit_are_rounded_down() -> None:
    assert measured(Measurement(2), 2001) == Measurement(2, 1000, 95)
    assert measured(Measurement(), 31667) == Measurement(1, 31667, 2)


def test_diff_shorter_than_the_loops_would_be_divided_by() -> None:
    # 1500/2048 = 0, and 95000/0 is next.
    assert measured(Measurement(2048), 1500) is None
    assert measured(Measurement(1024), 1024) == Measurement(1024, 1, 95000)


def kthread_0(machine: Machine) -> tuple[KthreadContext, Task]:
    """kd 0 with calc_stats, and its task."""
    _, kd = run(machine, add_kthread_context(machine))
    assert isinstance(kd, KthreadContext)
    return kd, kd.task or start_task(machine, kd)


FOUR_TESTS = [RCU_LOCK, RCU_UNLOCK] * 4


def test_limits_test_pauses_before_tests_0_4_and_8() -> None:
    for revision in ALL:
        # hz -> a pause of hz/50, rounded down
        for hz, pause in ((100, 2), (98, 1), (250, 5), (1024, 20)):
            machine = small(revision, replace(SMALL, hz=hz))
            _, task = kthread_0(machine)
            names, chain_max = run(machine, calc_limits(machine, task))
            reading = [LOCK_SERVICE, UNLOCK_SERVICE]
            if revision is MAINLINE:
                reading = [LOCK_EST, UNLOCK_EST]
            assert names == [*reading, *[f"sleep {pause}", *FOUR_TESTS] * 3]
            # 4*23750 ns are 95000.
            assert chain_max == 1


def test_each_test_times_4_estimations_a_loop_after_one_that_warms_the_cache() -> None:
    # A chain's estimations cost 300 ns, 4 of them 1200: no doubling. 12*(1 + 4) of them.
    machine = small(MAINLINE, replace(SMALL, est_cost_ns=300))
    _, task = kthread_0(machine)
    assert run(machine, calc_limits(machine, task))[1] == 95000 // 1200
    assert machine.clock_ps == 12 * 5 * 300_000
    # 4 of 250 ns are 1000: the first test doubles, 11 tests time 8.
    machine = small(MAINLINE, replace(SMALL, est_cost_ns=250))
    _, task = kthread_0(machine)
    assert run(machine, calc_limits(machine, task))[1] == 95000 // 1000
    assert machine.clock_ps == (1 + 4 + 11 * (1 + 8)) * 250_000


def test_only_twelve_tests_count_and_the_last_one_does() -> None:
    for nth, chain_max in ((1, 47), (11, 47), (12, 47), (13, 23)):
        machine = small(MAINLINE, replace(SMALL, est_cost_ns=1000))
        _, task = kthread_0(machine)

        def speed_up(machine: Machine = machine) -> None:
            machine.est_cost_ps = 500_000

        names, answer = run(machine, calc_limits(machine, task), Others(RCU_LOCK, nth, speed_up))
        # 95000/4000 = 23, 95000/2000 = 47
        assert answer == chain_max
        assert names.count(RCU_LOCK) == 12


def test_cost_that_changes_in_a_pause_counts_from_tests_0_4_or_8_on() -> None:
    # An estimation costs nothing at first: each test doubles the loops. From the pause on it
    # costs 300 ns, so that no test doubles them any more.
    for pause, tests in ((1, 0), (2, 4), (3, 8)):
        machine = small(MAINLINE, replace(SMALL, est_cost_ns=0))
        _, task = kthread_0(machine)

        def slow_down(machine: Machine = machine) -> None:
            machine.est_cost_ps = 300_000

        run(machine, calc_limits(machine, task), Others("sleep 2", pause, slow_down))
        loops = 2**tests
        assert machine.clock_ps == (12 - tests) * (1 + 4 * loops) * 300_000


def test_limits_test_without_calc_stats_answers_8() -> None:
    for revision, (lock, unlock) in (
        (V7, (LOCK_SERVICE, UNLOCK_SERVICE)),
        (STABLE, (LOCK_SERVICE, UNLOCK_SERVICE)),
        (MAINLINE, (LOCK_EST, UNLOCK_EST)),
    ):
        machine = small(revision)
        assert run(machine, calc_limits(machine, Task())) == ([lock, unlock], 8)
        put_kd(machine)
        assert run(machine, calc_limits(machine, Task())) == ([lock, unlock], 8)


def test_limits_test_is_aborted_after_a_pause() -> None:
    for revision, pause, stop in product(ALL, (1, 2, 3), (False, True)):
        machine = small(revision)
        _, task = kthread_0(machine)
        action = ask_to_stop(task) if stop else disable(machine)
        names, answer = run(
            machine, calc_limits(machine, task), Others("sleep 2", pause, action), task=task
        )
        assert answer is None
        assert names[2:] == ["sleep 2", *FOUR_TESTS] * (pause - 1) + ["sleep 2"]


def test_limits_test_is_aborted_after_a_test() -> None:
    for revision, tests, stop in product(ALL, (1, 2, 4, 8, 12), (False, True)):
        machine = small(revision)
        _, task = kthread_0(machine)
        action = ask_to_stop(task) if stop else disable(machine)
        names, answer = run(
            machine, calc_limits(machine, task), Others(RCU_UNLOCK, tests, action), task=task
        )
        assert answer is None
        assert names[-1] == RCU_UNLOCK
        assert names.count(RCU_UNLOCK) == tests
