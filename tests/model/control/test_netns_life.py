"""Netns init and exit (semantics section 14)."""

from dataclasses import replace

import pytest
from hypothesis import HealthCheck, given, settings

from ipvs_est import MAINLINE, REVISIONS, Oracle, Params, Revision, ViolationError
from ipvs_est.language.operations import (
    AddDest,
    AddService,
    Advance,
    Cleanup,
    DeleteService,
    Disable,
    ExitNetns,
    FailAllocations,
    InitNetns,
    SetCpulist,
    StartDest,
    StartService,
)
from ipvs_est.language.violations import IndexOutOfRange, UseAfterFree
from ipvs_est_checks.testing.random_histories import Step, history, params, revisions, steps
from model import TINY, booted, returned, run, seconds

every_revision = pytest.mark.parametrize("revision", REVISIONS.values(), ids=lambda r: r.name)
ENOMEM = -12


@every_revision
def test_init_starts_the_total_but_no_task(revision: Revision) -> None:
    oracle = booted(revision)
    seconds(oracle, 3)
    state = oracle.state()
    assert state.temp == (0,)
    assert state.kt_count == 1
    (kd0,) = state.kthreads
    assert kd0 is not None
    assert not kd0.running


def test_without_sysctl_support_there_is_no_total_and_no_kd0() -> None:
    oracle = booted(params=replace(TINY, sysctl=False))
    assert oracle.state().kt_count == 0
    assert oracle.snapshot().objects == ()


# The total, the array of kds, kd 0, its calc_stats.
@every_revision
@pytest.mark.parametrize("nth", [1, 2, 3, 4])
def test_init_without_memory_leaves_nothing(revision: Revision, nth: int) -> None:
    oracle = Oracle(TINY, revision)
    run(oracle, [FailAllocations(nth)])
    assert returned(oracle, InitNetns()) == ENOMEM
    snapshot = oracle.snapshot()
    assert snapshot.memory.live == 0
    assert snapshot.state.kt_count == 0
    run(oracle, [FailAllocations(1, 0), InitNetns()])


@every_revision
def test_exit_frees_everything(revision: Revision) -> None:
    oracle = booted(revision)
    run(oracle, [AddService(1), AddDest(2, 1), AddDest(3, 1), StartService(4), SetCpulist(2)])
    run(oracle, [StartDest(number) for number in range(10, 60)])
    seconds(oracle, 5)
    assert oracle.state().kt_count >= 3
    run(oracle, [ExitNetns()])
    snapshot = oracle.snapshot()
    assert snapshot.memory.live == 0
    assert snapshot.state.kt_count == 0
    assert snapshot.objects == ()
    assert not snapshot.work.pending
    assert not any(isinstance(violation, UseAfterFree) for violation in oracle.violations)


@every_revision
def test_exit_interrupts_the_calc_phase(revision: Revision) -> None:
    oracle = booted(revision)
    run(oracle, [AddService(1), Advance(1)])
    assert oracle.state().calc_phase == 1
    run(oracle, [ExitNetns()])
    assert oracle.snapshot().memory.live == 0
    assert oracle.violations == ()


@every_revision
def test_a_namespace_can_follow_another(revision: Revision) -> None:
    oracle = booted(revision)
    run(oracle, [AddService(1), SetCpulist(0), ExitNetns(), InitNetns(), AddService(1)])
    seconds(oracle, 3)
    state = oracle.state()
    assert (state.enable, state.stopped, state.temp) == (1, 0, ())
    assert oracle.snapshot().sysctls.cpulist is None


def test_after_disable_nothing_requests_a_restart() -> None:
    oracle = booted()
    run(oracle, [AddService(1), Advance(0)])
    before = oracle.state().genid
    run(oracle, [Disable(), SetCpulist(1)])
    assert oracle.state().genid == before


@every_revision
def test_cleanup_resets_the_fields_and_keeps_enable(revision: Revision) -> None:
    oracle = booted(revision)
    run(oracle, [AddService(1), Advance(50), DeleteService(1), Disable(), Cleanup()])
    state = oracle.state()
    assert state.enable == 0
    fields = (state.kt_count, state.add_ktid, state.max_threads, state.chain_max)
    assert fields == (0, 0, 0, 0)
    assert (state.calc_phase, state.genid, state.genid_done) == (0, 0, 0)


@settings(
    derandomize=True,
    deadline=None,
    max_examples=120,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large],
)
@given(params=params(), revision=revisions(), chosen=steps())
def test_no_history_leaks(params: Params, revision: Revision, chosen: list[Step]) -> None:
    oracle = Oracle(params, revision)
    try:
        for operation in [*history(params, chosen), ExitNetns()]:
            oracle.apply(operation)
    except ViolationError:
        # A row or chain out of range has no defined continuation, so no exit either.
        assert isinstance(oracle.violations[-1], IndexOutOfRange)
        return
    assert [
        violation for violation in oracle.violations if not isinstance(violation, UseAfterFree)
    ] == []
    assert revision is not MAINLINE or oracle.violations == ()
    assert oracle.snapshot().memory.live == 0


def test_without_sysctls_the_total_has_stats_that_init_may_find_no_memory_for() -> None:
    """As the code of 6.12.117 and 7.3.4 does."""
    oracle = Oracle(replace(TINY, sysctl=False))
    run(oracle, [FailAllocations(1)])
    assert returned(oracle, InitNetns()) == ENOMEM
    assert returned(oracle, InitNetns()) == 0
    # It is there: another init allocates nothing, and the failure waits for the service.
    run(oracle, [FailAllocations(1)])
    assert returned(oracle, InitNetns()) == 0
    assert returned(oracle, AddService(1)) == ENOMEM
    run(oracle, [ExitNetns(), Advance(1)])
    assert oracle.snapshot().memory.live == 0
    run(oracle, [FailAllocations(1)])
    assert returned(oracle, InitNetns()) == ENOMEM
