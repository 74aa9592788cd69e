"""What F12 can lead to: a recalculation with the total alone, in a kthread above 0."""

from ipvs_est import MAINLINE, REPAIRED, STABLE, V7, Oracle, Revision
from ipvs_est.language.operations import (
    Advance,
    Delete,
    FailAllocations,
    InitNetns,
    Operation,
    SetCpulist,
    StartDest,
    StartService,
)
from ipvs_est.language.params import Params
from ipvs_est.machine.tasks import TaskState
from ipvs_est_checks.history.monitor import run

_PARAMS = Params(hz=100, nticks=1, chain_factor=2, est_cost_ns=23_750, initial_jiffies=1000)

_HISTORY: tuple[Operation, ...] = (
    InitNetns(),
    FailAllocations(nth=3, count=2),
    StartService(1),
    Advance(7),
    StartDest(2),
    StartDest(3),
    Advance(410),
    Delete(1),
    Delete(2),
    Delete(3),
    SetCpulist(1),
    Advance(2000),
)


def _ended(revision: Revision) -> Oracle:
    oracle = Oracle(_PARAMS, revision)
    for operation in _HISTORY:
        oracle.apply(operation)
    return oracle


def test_on_mainline_the_calc_phase_itself_makes_kd_0_not_needed_and_nobody_estimates() -> None:
    netns = _ended(MAINLINE).machine.netns
    (kd0,) = netns.est_kt_arr
    assert kd0 is not None
    assert netns.enable
    assert not netns.est_stopped
    assert (kd0.est_count, kd0.needed, kd0.task) == (1, False, None)
    assert netns.est_calc_phase
    failures = run(_PARAMS, MAINLINE, _HISTORY).failures
    assert {"progress.recalculation", "progress.tasks"} <= failures.keys()


def test_before_mainline_kthread_0_frees_its_own_context_and_waits_for_its_own_exit() -> None:
    for revision in (V7, STABLE):
        machine = _ended(revision).machine
        owner = machine.service_mutex.owner
        assert owner is not None
        assert owner.kd is not None
        assert owner.kd.id == 0
        assert owner.state is TaskState.JOINING
        assert owner.waits_for is owner


def test_taking_the_total_first_repairs_that_too() -> None:
    (kd0,) = _ended(REPAIRED).machine.netns.est_kt_arr
    assert kd0 is not None
    assert (kd0.est_count, kd0.needed) == (1, True)
    assert kd0.task is not None
    assert run(_PARAMS, REPAIRED, _HISTORY).failures == {}
