"""Section 2: limits: rules, each with an answer worked out from the text."""

from dataclasses import replace

import pytest

from by_hand import SMALL, run, small
from ipvs_est import MAINLINE, Params
from ipvs_est.estimator.thread_limits import max_threads, stopped
from ipvs_est.state.kthread_context import apply_limits, new_context
from ipvs_est.state.machine import boot


@pytest.mark.parametrize(
    ("params", "est_chain_max", "limits"),
    [
        # 48 chains of 10, 50 ticks.
        (Params(), 10, (10, 480, 24000)),
        # One chain of 48*10, 50 ticks: as many.
        (Params(preempt_rcu=True), 10, (480, 480, 24000)),
        (Params(), 1, (1, 48, 2400)),
        (Params(), 0, (0, 0, 0)),
        (SMALL, 2, (2, 6, 30)),
        (replace(SMALL, preempt_rcu=True), 2, (6, 6, 30)),
    ],
)
def test_limits_of_a_context_follow_from_the_limit_of_a_chain(
    params: Params, est_chain_max: int, limits: tuple[int, int, int]
) -> None:
    kd = new_context(params, 3, 1000, 77)
    apply_limits(params, kd, est_chain_max)
    assert (kd.chain_max, kd.tick_max, kd.est_max_count) == limits


@pytest.mark.parametrize(
    ("params", "tick_jiffies", "tick_chains"),
    [
        (Params(hz=100), 4, 48),
        (Params(hz=250), 10, 48),
        (Params(hz=300), 12, 48),
        (Params(hz=1000), 40, 48),
        (Params(hz=1000, preempt_rcu=True), 40, 1),
        # 2*1024/50 = 40.96, rounded down.
        (Params(hz=1024), 40, 48),
        (SMALL, 40, 3),
    ],
)
def test_tick_is_a_fiftieth_of_two_seconds(
    params: Params, tick_jiffies: int, tick_chains: int
) -> None:
    assert (params.tick_jiffies, params.tick_chains) == (tick_jiffies, tick_chains)


@pytest.mark.parametrize(
    ("possible", "housekeeping", "cpulist", "threads"),
    [
        (1, None, None, 4),
        (64, None, None, 256),
        (8, frozenset({0, 7}), None, 8),
        (8, frozenset({0, 7}), frozenset({1, 2, 3}), 12),
        (8, None, frozenset({5}), 4),
        (8, None, frozenset(), 1),
    ],
)
def test_four_kthreads_are_allowed_per_cpu(
    possible: int,
    housekeeping: frozenset[int] | None,
    cpulist: frozenset[int] | None,
    threads: int,
) -> None:
    machine = boot(Params(possible_cpus=possible, housekeeping_cpus=housekeeping), MAINLINE)
    if cpulist is not None:
        machine.netns.est_cpulist = cpulist
        machine.netns.est_cpulist_valid = True
    assert run(machine, max_threads(machine)) == ([], threads)


@pytest.mark.parametrize(
    ("run_estimation", "valid", "cpulist", "answer"),
    [
        (True, False, frozenset(), False),
        (True, True, frozenset({0}), False),
        (True, True, frozenset(), True),
        (False, False, frozenset(), True),
        (False, True, frozenset({0}), True),
        (False, True, frozenset(), True),
    ],
)
def test_tasks_are_stopped_without_run_estimation_and_by_an_empty_cpulist(
    run_estimation: bool, valid: bool, cpulist: frozenset[int], answer: bool
) -> None:
    machine = small()
    machine.netns.run_estimation = run_estimation
    machine.netns.est_cpulist_valid = valid
    machine.netns.est_cpulist = cpulist
    assert run(machine, stopped(machine)) == ([], answer)
