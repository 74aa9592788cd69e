"""Services, destinations and the trash (semantics section 13)."""

from dataclasses import replace

import pytest

from ipvs_est import (
    MAINLINE,
    REVISIONS,
    STABLE,
    V7,
    V7_UNWIND,
    OperationError,
    Oracle,
    Revision,
    ViolationError,
)
from ipvs_est.language.operations import (
    AddDest,
    AddService,
    DeleteDest,
    DeleteService,
    ExitNetns,
    FailAllocations,
    GetDest,
    PutDest,
    Traffic,
)
from ipvs_est.language.violations import InvalidPointer, LeakAtExit
from model import TINY, booted, dest, returned, run, seconds, service

ENOMEM = -12
every_revision = pytest.mark.parametrize("revision", REVISIONS.values(), ids=lambda r: r.name)


@every_revision
def test_the_first_service_enables_estimation_and_the_last_does_not_disable_it(
    revision: Revision,
) -> None:
    oracle = booted(revision)
    assert oracle.state().enable == 0
    assert oracle.state().genid == 0
    run(oracle, [AddService(1)])
    assert oracle.state().enable == 1
    assert oracle.state().genid == 1
    run(oracle, [AddService(2), DeleteService(1), DeleteService(2)])
    assert oracle.state().enable == 1


@every_revision
def test_a_deleted_service_keeps_its_record_until_its_dests_leave_the_trash(
    revision: Revision,
) -> None:
    oracle = booted(revision)
    run(oracle, [AddService(1), AddDest(10, 1), AddDest(11, 1)])
    # One reference while hashed and one from each destination.
    assert service(oracle.snapshot(), 1).references == 3
    assert service(oracle.snapshot(), 1).dests == (10, 11)
    run(oracle, [DeleteService(1)])
    after = oracle.snapshot()
    assert after.services == ()
    assert [(dest.id, dest.in_trash) for dest in after.dests] == [(11, True), (10, True)]
    held = {heap_object.describe() for heap_object in oracle.machine.memory.live.values()}
    assert {"dest 10", "stats of dest 11", "service 1", "stats of service 1"} <= held
    # First scan after 60 s notes that they are idle, the scan 120 s later frees them.
    seconds(oracle, 60)
    assert {dest.idle_start for dest in oracle.snapshot().dests} == {oracle.snapshot().now}
    seconds(oracle, 119)
    assert len(oracle.snapshot().dests) == 2
    seconds(oracle, 2)
    gone = oracle.snapshot()
    assert gone.dests == ()
    assert gone.trash_scan_due is None
    left = {heap_object.describe() for heap_object in oracle.machine.memory.live.values()}
    assert not left & {"dest 10", "stats of dest 11", "service 1", "stats of service 1"}


@every_revision
def test_a_dest_that_a_connection_uses_stays_in_the_trash(revision: Revision) -> None:
    oracle = booted(revision)
    run(oracle, [AddService(1), AddDest(10, 1), GetDest(10), DeleteDest(10)])
    seconds(oracle, 600)
    assert dest(oracle.snapshot(), 10).in_trash
    assert dest(oracle.snapshot(), 10).idle_start is None
    run(oracle, [Traffic(10, 0, 1, 1, 1, 1, 1), PutDest(10)])
    # Idle is noticed by the next scan, at most 60 s away, and lasts 120 s.
    seconds(oracle, 119)
    assert dest(oracle.snapshot(), 10).in_trash
    seconds(oracle, 62)
    assert oracle.snapshot().dests == ()


def test_a_dest_that_is_used_again_starts_its_idle_time_anew() -> None:
    oracle = booted()
    run(oracle, [AddService(1), AddDest(10, 1), DeleteDest(10)])
    seconds(oracle, 60)
    assert dest(oracle.snapshot(), 10).idle_start is not None
    run(oracle, [AddDest(10, 1), GetDest(10), DeleteDest(10), PutDest(10)])
    assert dest(oracle.snapshot(), 10).idle_start is None


@every_revision
def test_a_dest_added_again_comes_out_of_the_trash_with_its_counters(revision: Revision) -> None:
    oracle = booted(revision)
    run(oracle, [AddService(1), AddDest(10, 1), Traffic(10, 3, 7, 0, 0, 0, 0), DeleteDest(10)])
    run(oracle, [AddDest(10, 1)])
    snapshot = oracle.snapshot()
    assert not dest(snapshot, 10).in_trash
    assert service(snapshot, 1).references == 2
    (stats,) = [object_state for object_state in snapshot.objects if object_state.id == 10]
    assert [(cpustat.cpu, cpustat.counters[0]) for cpustat in stats.cpustats] == [(3, 7)]
    assert stats.linked


# Adding a service: itself, its stats; for the first one kd 0 exists since netns init.
@pytest.mark.parametrize("nth", [1, 2])
def test_a_service_that_finds_no_memory_leaves_nothing(nth: int) -> None:
    oracle = booted()
    before = oracle.snapshot()
    run(oracle, [FailAllocations(nth)])
    assert returned(oracle, AddService(1)) == ENOMEM
    after = oracle.snapshot()
    assert after.state == before.state
    assert after.memory.live == before.memory.live
    run(oracle, [FailAllocations(1, 0), AddService(1)])


@pytest.mark.parametrize("nth", [1, 2])
def test_a_dest_that_finds_no_memory_leaves_nothing(nth: int) -> None:
    oracle = booted()
    run(oracle, [AddService(1)])
    before = oracle.snapshot()
    run(oracle, [FailAllocations(nth)])
    assert returned(oracle, AddDest(10, 1)) == ENOMEM
    after = oracle.snapshot()
    assert after.state == before.state
    assert after.memory.live == before.memory.live
    assert service(after, 1).references == 1


def without_kd0(revision: Revision) -> Oracle:
    """A kernel without sysctls has no total, so no kd 0 before the first estimator."""
    return booted(revision, replace(TINY, sysctl=False))


def test_v7_calls_a_cleared_scheduler_when_the_estimator_does_not_start() -> None:
    oracle = without_kd0(V7)
    # Service, stats, array of kds, then kd 0, which fails.
    run(oracle, [FailAllocations(4)])
    with pytest.raises(ViolationError) as caught:
        oracle.apply(AddService(1))
    assert caught.value.violation == InvalidPointer("scheduler", "ip_vs_add_service")
    with pytest.raises(OperationError, match="has ended"):
        oracle.apply(AddService(2))


@pytest.mark.parametrize("revision", [V7_UNWIND, STABLE, MAINLINE], ids=lambda r: r.name)
@pytest.mark.parametrize("nth", [1, 2, 3, 4, 5])
def test_later_revisions_undo_a_service_whose_estimator_does_not_start(
    revision: Revision, nth: int
) -> None:
    oracle = without_kd0(revision)
    before = oracle.snapshot()
    run(oracle, [FailAllocations(nth)])
    assert returned(oracle, AddService(1)) == ENOMEM
    assert oracle.snapshot().memory.live == before.memory.live
    assert oracle.snapshot().state == before.state
    assert oracle.violations == ()


def _readd_without_kd0(revision: Revision) -> Oracle:
    """A trashed dest is added again, but its estimator does not start.

    The model itself never gets there: a service to add to has an estimator, so kd 0 exists
    and nothing has to be allocated. It is taken away by hand.
    """
    oracle = booted(revision)
    run(oracle, [AddService(1), AddDest(10, 1), DeleteDest(10)])
    oracle.machine.netns.est_kt_arr.clear()
    run(oracle, [FailAllocations(1)])
    assert returned(oracle, AddDest(10, 1)) == ENOMEM
    return oracle


def test_mainline_puts_a_trashed_dest_back_when_its_estimator_does_not_start() -> None:
    oracle = _readd_without_kd0(MAINLINE)
    assert dest(oracle.snapshot(), 10).in_trash


@pytest.mark.parametrize("revision", [V7, V7_UNWIND, STABLE], ids=lambda r: r.name)
def test_before_mainline_a_trashed_dest_whose_estimator_does_not_start_is_leaked(
    revision: Revision,
) -> None:
    oracle = _readd_without_kd0(revision)
    assert oracle.snapshot().dests == ()
    leaked = {heap_object.describe() for heap_object in oracle.machine.memory.live.values()}
    assert {"dest 10", "stats of dest 10"} <= leaked
    # The service that the lost destination refers to can never be freed either.
    assert service(oracle.snapshot(), 1).references == 2


@every_revision
def test_exit_reports_what_is_still_allocated(revision: Revision) -> None:
    oracle = booted(revision)
    run(oracle, [AddService(1), AddDest(10, 1), DeleteDest(10)])
    oracle.machine.netns.trash.clear()
    run(oracle, [ExitNetns()])
    # In the order of their allocation; the destination keeps its service.
    assert oracle.violations == (
        LeakAtExit("service 1"),
        LeakAtExit("stats of service 1"),
        LeakAtExit("dest 10"),
        LeakAtExit("stats of dest 10"),
    )
