"""What a snapshot tells of tasks that wait, of work to come and of the sysctls."""

from ipvs_est import MAINLINE, Oracle
from ipvs_est.answers.snapshot import ContextSnapshot, MutexSnapshot, TaskSnapshot, WorkSnapshot
from ipvs_est.language.operations import (
    AddDest,
    AddService,
    Advance,
    Delete,
    DeleteDest,
    DeleteService,
    InitNetns,
    SetNice,
    SetRunEstimation,
    Settle,
    StartDest,
    WriteCpulist,
)
from ipvs_est.machine.tasks import Task
from model import HZ, TINY, booted, run

TICK = 2 * HZ // 5


def context(oracle: Oracle, slot: int = 0) -> ContextSnapshot:
    found = oracle.snapshot().contexts[slot]
    assert found is not None
    return found


def task(oracle: Oracle) -> TaskSnapshot:
    found = context(oracle).task
    assert found is not None
    return found


def est_row(oracle: Oracle) -> int:
    found = oracle.state().kthreads[0]
    assert found is not None
    return found.est_row


def test_a_sleeping_task_tells_when_it_will_wake() -> None:
    oracle = booted()
    run(oracle, [AddService(1), Advance(10 * HZ)])
    sleeping = task(oracle)
    assert (sleeping.state, sleeping.waits_for) == ("sleeping", None)
    assert sleeping.wake_at is not None
    left = sleeping.wake_at - oracle.snapshot().now
    assert 0 < left <= TICK
    row = est_row(oracle)
    oracle.apply(Advance(left - 1))
    assert (est_row(oracle), task(oracle)) == (row, sleeping)
    oracle.apply(Advance(1))
    assert est_row(oracle) == (row + 1) % TINY.nticks
    assert task(oracle).wake_at == sleeping.wake_at + TICK


def test_a_blocked_task_tells_what_it_waits_for_and_not_when_it_slept() -> None:
    oracle = booted()
    run(oracle, [AddService(1), Advance(10 * HZ), StartDest(2)])
    oracle.machine.service_mutex.owner = Task(name="stranger")
    oracle.apply(Advance(2 * TICK))
    blocked = task(oracle)
    assert (blocked.state, blocked.waits_for, blocked.wake_at) == (
        "blocked",
        "__ip_vs_mutex",
        None,
    )
    assert oracle.snapshot().mutexes == (
        MutexSnapshot("__ip_vs_mutex", "stranger", ("ipvs-e:0",)),
        MutexSnapshot("est_mutex", None, ()),
    )


def test_queued_work_tells_when_it_is_due() -> None:
    oracle = booted()
    run(oracle, [AddService(1)])
    assert oracle.snapshot().work == WorkSnapshot(True, 1000, False, None)
    oracle.apply(Settle())
    assert oracle.snapshot().work == WorkSnapshot(False, None, False, None)


def test_work_that_waits_tells_for_which_mutex() -> None:
    oracle = booted()
    run(oracle, [AddService(1)])
    oracle.machine.netns.est_mutex.owner = Task(name="stranger")
    oracle.apply(Settle())
    assert oracle.snapshot().work == WorkSnapshot(False, None, True, "est_mutex")


def test_only_kthread_0_has_an_object_for_the_limits_test() -> None:
    oracle = booted()
    run(oracle, [AddService(1), *(AddDest(number, 1) for number in range(2, 20)), Advance(10 * HZ)])
    assert [context(oracle, slot).calc_stats for slot in (0, 1)] == [True, False]


def test_a_snapshot_holds_the_sysctls() -> None:
    oracle = booted()
    assert oracle.snapshot().sysctls.cpulist is None
    run(oracle, [WriteCpulist("3,0-1"), SetNice(-5), SetRunEstimation(0)])
    sysctls = oracle.snapshot().sysctls
    assert (sysctls.cpulist, sysctls.nice, sysctls.run_estimation) == ((0, 1, 3), -5, 0)


def test_an_empty_cpulist_is_not_an_unwritten_one() -> None:
    oracle = booted()
    run(oracle, [WriteCpulist("\n")])
    assert oracle.snapshot().sysctls.cpulist == ()


def test_an_object_waits_for_its_grace_period_until_the_callback_has_run() -> None:
    oracle = booted()
    run(oracle, [StartDest(2), StartDest(3)])
    before = oracle.snapshot().memory
    assert (before.waiting, before.callbacks) == ((), 0)
    run(oracle, [Delete(2)])
    during = oracle.snapshot().memory
    assert (during.waiting, during.callbacks) == (("stats of dest 2",), 1)
    assert during.live == before.live
    oracle.apply(Advance(1))
    after = oracle.snapshot().memory
    assert (after.waiting, after.callbacks, after.live) == ((), 0, before.live - 1)


def test_the_scan_of_the_trash_is_due_a_minute_after_the_first_dest_came_there() -> None:
    oracle = booted()
    run(oracle, [AddService(1), AddDest(2, 1), AddDest(3, 1), Advance(50)])
    assert oracle.snapshot().trash_scan_due is None
    run(oracle, [DeleteDest(2), Advance(7), DeleteDest(3)])
    assert oracle.snapshot().trash_scan_due == 1050 + 60 * HZ


def test_a_dest_in_the_trash_keeps_its_service_and_shows_its_own_stats() -> None:
    oracle = Oracle(TINY, MAINLINE)
    run(oracle, [InitNetns(), AddService(1), AddDest(2, 1), AddDest(3, 1), Advance(50)])
    run(oracle, [DeleteDest(2)])
    (service,) = oracle.snapshot().services
    assert (service.scheduler, service.dests, service.references) == ("wlc", (3,), 3)
    in_service, in_trash = oracle.snapshot().dests
    assert (in_service.id, in_service.service, in_service.in_trash) == (3, 1, False)
    assert (in_trash.id, in_trash.service, in_trash.in_trash) == (2, 1, True)
    assert in_service.stats is None
    assert in_trash.stats is not None
    assert (in_trash.stats.id, in_trash.stats.linked) == (2, False)
    run(oracle, [DeleteService(1)])
    assert oracle.snapshot().services == ()
    assert [dest.id for dest in oracle.snapshot().dests] == [2, 3]
