"""A context that is left without estimators, and what becomes of its kthread (F25)."""

import pytest

from by_hand import place, points, put_kd, small, start_task
from ipvs_est import REVISIONS, Oracle, Params
from ipvs_est.estimator.calc_phase import calc_phase
from ipvs_est.language.operations import (
    Advance,
    FailAllocations,
    InitNetns,
    SetCpulist,
    SetNice,
    StartDest,
    StartService,
)
from ipvs_est.state.stats import StatsObject

# The kernel's geometry; so slow that one estimator fits into a chain: 50 * 48 in a kthread.
SLOW = Params(hz=250, est_cost_ns=23_750)
FULL = 50 * 48


def with_a_context_left(revision: str) -> Oracle:
    """kd 0 is full, kd 1 got no tick and is empty when the recalculation comes."""
    oracle = Oracle(SLOW, REVISIONS[revision])
    oracle.apply(InitNetns())
    oracle.apply(StartService(1))
    for id_ in range(2, FULL):
        oracle.apply(StartDest(id_))
    oracle.apply(Advance(600))
    # Before mainline the new context's task is allocated as well, before its first tick.
    oracle.apply(FailAllocations(4 if REVISIONS[revision].work_starts_tasks else 5))
    oracle.apply(StartDest(FULL))
    # One tick: the attempt that fails is tried again one tick later.
    oracle.apply(Advance(10))
    assert [kd.est_count for kd in oracle.state().kthreads if kd] == [FULL, 0]
    oracle.apply(SetCpulist(1))
    oracle.apply(Advance(1000))
    assert [kd.est_count for kd in oracle.state().kthreads if kd] == [FULL, 1]
    return oracle


@pytest.mark.parametrize(
    ("revision", "runs"),
    [("v7", False), ("stable", False), ("mainline", False), ("repaired", True)],
)
def test_it_is_started_again_only_when_repaired(revision: str, runs: bool) -> None:
    oracle = with_a_context_left(revision)
    assert [kd.running for kd in oracle.state().kthreads if kd] == [True, runs]


def test_any_restart_starts_it() -> None:
    oracle = with_a_context_left("mainline")
    oracle.apply(SetNice(1))
    oracle.apply(Advance(10))
    assert [kd.running for kd in oracle.state().kthreads if kd] == [True, True]


@pytest.mark.parametrize(
    ("revision", "contexts", "requested"),
    [("repaired", 2, True), ("repaired", 1, False), ("mainline", 2, False)],
)
def test_the_end_of_the_phase_has_the_work_start_what_was_left_when_repaired(
    revision: str, contexts: int, requested: bool
) -> None:
    machine = small(REVISIONS[revision])
    kds = [put_kd(machine) for _ in range(contexts)]
    kds[0].calc_stats = StatsObject(owner="calc")
    task = start_task(machine, kds[0])
    # Its own last estimator stays, so that nothing else is requested.
    place(machine, kds[0], 1)
    names = points(machine, calc_phase(machine, task), task=task)
    assert ("queue 0" in names) is requested
