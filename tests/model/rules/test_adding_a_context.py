"""Section 6: adding a context: rules, each with an answer worked out from the text."""

from itertools import product

from by_hand import ALL, LOCK_EST, UNLOCK_EST, Others, points, put_kd, run, small
from ipvs_est import MAINLINE, STABLE, V7
from ipvs_est.estimator.contexts import add_kthread_context
from ipvs_est.language.errno import EINVAL, ENOMEM
from ipvs_est.language.revision import BEFORE_MAINLINE
from ipvs_est.machine.memory import fail_allocations
from ipvs_est.state.kthread_context import KthreadContext
from ipvs_est.state.machine import Machine


def test_adding_a_context_takes_est_mutex_and_has_its_task_started() -> None:
    for revision, does in (
        (V7, "start ipvs-e:0"),
        (STABLE, "start ipvs-e:0"),
        (MAINLINE, "queue 0"),
    ):
        machine = small(revision)
        names, kd = run(machine, add_kthread_context(machine))
        assert names == [LOCK_EST, does, UNLOCK_EST]
        assert machine.netns.est_kt_arr == [kd]
        assert machine.netns.est_genid == 0


def test_adding_a_context_starts_nothing_while_disabled_or_stopped() -> None:
    for revision in BEFORE_MAINLINE:
        machine = small(revision)
        machine.netns.enable = False
        assert points(machine, add_kthread_context(machine)) == [LOCK_EST, UNLOCK_EST]
        machine = small(revision)
        machine.netns.est_stopped = True
        assert points(machine, add_kthread_context(machine)) == [LOCK_EST, UNLOCK_EST]
        (kd,) = machine.netns.est_kt_arr
        assert kd is not None
        assert kd.task is None


def test_thread_limit_refuses_a_context() -> None:
    # enable, est_max_threads, slots -> refused
    table = [
        (True, 2, 1, False),
        (True, 2, 2, True),
        (True, 2, 3, True),
        (True, 0, 3, False),
        (False, 2, 3, False),
    ]
    for revision, (enable, threads, slots, refused) in product(ALL, table):
        machine = small(revision)
        for _ in range(slots):
            put_kd(machine)
        machine.netns.enable = enable
        machine.netns.est_max_threads = threads
        names, added = run(machine, add_kthread_context(machine))
        assert (added == -EINVAL) is refused
        assert machine.netns.est_kt_count == slots + (not refused)
        if refused:
            assert names == ([LOCK_EST, UNLOCK_EST] if revision is MAINLINE else [])


def test_thread_limit_counts_empty_slots() -> None:
    for revision in ALL:
        machine = small(revision)
        machine.netns.est_max_threads = 3
        for _ in range(3):
            put_kd(machine)
        machine.netns.est_kt_arr[1] = None
        assert run(machine, add_kthread_context(machine))[1] == -EINVAL


def test_thread_limit_is_tested_under_est_mutex_in_mainline_only() -> None:
    for revision in ALL:
        machine = small(revision)
        put_kd(machine)

        def shrink(machine: Machine = machine) -> None:
            machine.netns.est_max_threads = 1

        _, added = run(machine, add_kthread_context(machine), Others(LOCK_EST, 1, shrink))
        assert (added == -EINVAL) is (revision is MAINLINE)


def test_context_takes_the_lowest_empty_slot() -> None:
    for revision in ALL:
        machine = small(revision)
        machine.netns.est_max_threads = 9
        for _ in range(5):
            put_kd(machine)
        machine.netns.est_kt_arr[1] = machine.netns.est_kt_arr[3] = None
        for slot in (1, 3, 5):
            machine.netns.est_add_ktid = 9
            _, kd = run(machine, add_kthread_context(machine))
            assert isinstance(kd, KthreadContext)
            assert kd.id == slot
            assert machine.netns.est_kt_arr[slot] is kd
            assert machine.netns.est_add_ktid == slot
        assert machine.netns.est_kt_count == 6


def test_failed_allocation_adds_no_context_and_leaks_nothing() -> None:
    # Slot 0 allocates the array, the kd and calc_stats; before mainline also the task.
    for revision, needed in ((V7, 4), (STABLE, 4), (MAINLINE, 3)):
        for nth in range(1, needed + 1):
            machine = small(revision)
            machine.netns.est_add_ktid = 7
            fail_allocations(machine.memory, nth, 1)
            _, added = run(machine, add_kthread_context(machine))
            assert added == -ENOMEM
            assert machine.netns.est_kt_arr == []
            assert machine.netns.est_add_ktid == 7
            assert machine.memory.live == {}
        machine = small(revision)
        fail_allocations(machine.memory, needed + 1, 1)
        _, added = run(machine, add_kthread_context(machine))
        assert isinstance(added, KthreadContext)


def test_context_in_an_empty_slot_allocates_itself_only() -> None:
    for revision, needed in ((V7, 2), (STABLE, 2), (MAINLINE, 1)):
        for nth in range(1, needed + 2):
            machine = small(revision)
            for _ in range(3):
                put_kd(machine)
            machine.netns.est_kt_arr[1] = None
            fail_allocations(machine.memory, nth, 1)
            _, added = run(machine, add_kthread_context(machine))
            assert isinstance(added, KthreadContext) is (nth > needed)
            assert machine.netns.est_kt_count == 3


def test_context_above_0_allocates_no_calc_stats() -> None:
    for revision, needed in ((V7, 3), (STABLE, 3), (MAINLINE, 2)):
        machine = small(revision)
        put_kd(machine)
        fail_allocations(machine.memory, needed + 1, 1)
        _, kd = run(machine, add_kthread_context(machine))
        assert isinstance(kd, KthreadContext)
        assert (kd.id, kd.calc_stats) == (1, None)
