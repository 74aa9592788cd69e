"""Section 9: tasks: rules, each with an answer worked out from the text."""

from dataclasses import replace

from by_hand import (
    ALL,
    LOCK_EST,
    SMALL,
    UNLOCK_EST,
    Others,
    disable,
    name_of,
    perform,
    points,
    put_kd,
    run,
    small,
    start_task,
)
from ipvs_est import MAINLINE, Oracle, Params, Revision
from ipvs_est.answers.results import Returned
from ipvs_est.estimator.kthread_tasks import exit_task, start_kthread, stop_kthread
from ipvs_est.estimator.reload_work import reload_work
from ipvs_est.estimator.start_stop import start_estimator
from ipvs_est.language.errno import ENOMEM
from ipvs_est.language.operations import (
    Delete,
    Dump,
    StartDest,
    StartService,
)
from ipvs_est.language.revision import BEFORE_MAINLINE, BEFORE_STABLE
from ipvs_est.language.violations import UseAfterFree
from ipvs_est.machine.memory import Life, fail_allocations
from ipvs_est.machine.points import CANCEL_WORK, READ_ENABLE, Call, QueueWork
from ipvs_est.machine.tasks import Task
from ipvs_est.sequential import Sequential, call
from ipvs_est.state.machine import Machine, boot
from ipvs_est.state.stats import StatsObject


def test_start_of_a_running_task_does_nothing() -> None:
    for revision in ALL:
        machine = small(revision)
        kd = put_kd(machine)
        task = start_task(machine, kd)
        kd.est_timer = 5
        assert run(machine, start_kthread(machine, kd)) == ([], 0)
        assert kd.task is task
        assert kd.est_timer == 5


def test_start_keeps_a_timer_up_to_4_ticks_away() -> None:
    # A tick is 40 jiffies; now is 1000.
    for timer, after in (
        (1000, 1000),
        (1160, 1160),
        (1161, 1000),
        (1200, 1000),
        (840, 840),
        (839, 1000),
        (800, 1000),
        (0, 1000),
        (10**6, 1000),
    ):
        machine = small()
        kd = put_kd(machine)
        kd.est_timer = timer
        start_task(machine, kd)
        assert kd.est_timer == after


def test_start_keeps_a_near_timer_beyond_the_wrap() -> None:
    for word in (32, 64):
        span = 2**word
        for now, timer, after in (
            (span - 2, 5, 5),
            (span - 2, 158, 158),
            (span - 2, 159, span - 2),
            (3, span - 157, span - 157),
            (3, span - 158, 3),
        ):
            machine = small(MAINLINE, replace(SMALL, word_bits=word, initial_jiffies=now))
            kd = put_kd(machine)
            kd.est_timer = timer
            start_task(machine, kd)
            assert kd.est_timer == after


def test_failed_start_leaves_no_task() -> None:
    for revision in ALL:
        machine = small(revision)
        kd = put_kd(machine)
        fail_allocations(machine.memory, 1, 1)
        assert run(machine, start_kthread(machine, kd)) == ([], -ENOMEM)
        assert kd.task is None


def test_task_gets_nice_and_the_cpus_for_kthreads() -> None:
    machine = small(MAINLINE, replace(SMALL, possible_cpus=4))
    machine.netns.est_nice = -7
    task = start_task(machine, put_kd(machine))
    assert (task.nice, task.cpus) == (-7, frozenset({0, 1, 2, 3}))
    machine.netns.est_cpulist = frozenset({2})
    machine.netns.est_cpulist_valid = True
    assert start_task(machine, put_kd(machine)).cpus == {2}


def test_stop_asks_and_waits() -> None:
    for revision in ALL:
        machine = small(revision)
        kd = put_kd(machine)
        start_task(machine, kd)
        names = points(machine, stop_kthread(machine, kd))
        assert names == ["stop ipvs-e:0", "join ipvs-e:0"]
        assert kd.task is None


def test_task_that_exits_by_itself_stays_valid_except_in_v7() -> None:
    for revision in ALL:
        machine = small(revision)
        kd = put_kd(machine)
        task = start_task(machine, kd)
        assert task.references == (0 if revision in BEFORE_STABLE else 1)
        exit_task(machine, task)
        assert task.life is (Life.FREED if revision in BEFORE_STABLE else Life.LIVE)
        points(machine, stop_kthread(machine, kd))
        assert task.life is Life.FREED
        assert task.references == 0
        found = [type(violation) for violation in machine.violations]
        assert found == ([UseAfterFree] if revision in BEFORE_STABLE else [])


def test_stopped_task_is_freed_once() -> None:
    for revision in ALL:
        machine = small(revision)
        kd = put_kd(machine)
        task = start_task(machine, kd)
        points(machine, stop_kthread(machine, kd))
        assert task.life is Life.FREED
        assert machine.violations == []


def test_task_stopped_before_its_first_slice_does_not_run() -> None:
    for revision in BEFORE_MAINLINE:
        oracle = Oracle(replace(SMALL, sysctl=False), revision)
        # The first service enables estimation; its kd 0 has had no task when it goes.
        for operation in (StartService(1), Delete(1), StartDest(2)):
            assert oracle.apply(operation) == Returned(0)
        (kd,) = oracle.apply(Dump()).state.kthreads
        assert kd is not None
        assert kd.running
        # The new kd 0 has a task that has not run yet and is stopped with the last estimator.
        assert oracle.apply(Delete(2)) == Returned(0)
        state = oracle.apply(Dump()).state
        assert (state.kt_count, state.calc_phase) == (0, 0)


def test_request_does_nothing_while_disabled() -> None:
    machine = boot(SMALL, MAINLINE)
    kd = put_kd(machine)
    kd.needed = False
    machine.netns.run_estimation = False
    est = StatsObject(id=1).est
    assert run(machine, start_estimator(machine, est)) == ([LOCK_EST, UNLOCK_EST], 0)
    assert (machine.netns.est_genid, machine.netns.est_stopped) == (0, False)


def two_tasks(revision: Revision, params: Params = SMALL) -> Machine:
    """kds 0 and 1 with tasks, limits, and a restart that was requested."""
    machine = small(revision, params)
    machine.netns.est_chain_max = 2
    for _ in range(2):
        start_task(machine, put_kd(machine))
    machine.netns.est_genid = 1
    return machine


RESTART_0 = ["stop ipvs-e:0", "join ipvs-e:0", "start ipvs-e:0"]
RESTART_1 = ["stop ipvs-e:1", "join ipvs-e:1", "start ipvs-e:1"]


def test_work_restarts_all_tasks_in_order() -> None:
    for revision in ALL:
        machine = two_tasks(revision)
        names = points(machine, reload_work(machine))
        if revision is MAINLINE:
            # est_mutex is dropped around the stop of task 0.
            stopping = [UNLOCK_EST, "stop ipvs-e:0", "join ipvs-e:0", LOCK_EST]
            assert names == [LOCK_EST, *stopping, "start ipvs-e:0", *RESTART_1, UNLOCK_EST]
        else:
            assert names == [LOCK_EST, *RESTART_0, *RESTART_1, UNLOCK_EST]
        assert machine.netns.est_genid_done == 1
        assert points(machine, reload_work(machine)) == [LOCK_EST, UNLOCK_EST]


def test_work_reads_genid_done_before_and_genid_after_taking_est_mutex() -> None:
    for revision in ALL:
        machine = two_tasks(revision)

        def request_and_work(machine: Machine = machine) -> None:
            machine.netns.est_genid = machine.netns.est_genid_done = 5

        names = points(machine, reload_work(machine), Others(LOCK_EST, 1, request_and_work))
        # It saw 0 and 5: it restarts the tasks once more.
        assert "stop ipvs-e:0" in names
        machine.netns.est_genid = 6

        def request(machine: Machine = machine) -> None:
            machine.netns.est_genid = 7

        points(machine, reload_work(machine), Others(LOCK_EST, 1, request))
        assert machine.netns.est_genid_done == 7


def test_work_records_the_genid_that_it_read_at_its_start() -> None:
    for revision in ALL:
        machine = two_tasks(revision)

        def request(machine: Machine = machine) -> None:
            machine.netns.est_genid = 9

        points(machine, reload_work(machine), Others("join ipvs-e:0", 1, request))
        assert machine.netns.est_genid_done == 1


def test_disabled_while_task_0_is_stopped_only_mainline_does_not_start_it_again() -> None:
    for revision in ALL:
        machine = two_tasks(revision)
        names = points(machine, reload_work(machine), Others("join ipvs-e:0", 1, disable(machine)))
        assert ("start ipvs-e:0" in names) is (revision is not MAINLINE)
        assert "stop ipvs-e:1" not in names
        assert machine.netns.est_genid_done == 0


def test_work_that_cannot_start_a_task_is_queued_again_in_a_tenth_of_a_second() -> None:
    for revision in ALL:
        # 110/10 = 11 jiffies.
        machine = two_tasks(revision, replace(SMALL, hz=110))
        fail_allocations(machine.memory, 1, 1)
        names = points(machine, reload_work(machine))
        assert names[-5:] == [*RESTART_1, "queue 11", UNLOCK_EST]
        assert "start ipvs-e:0" not in names
        assert machine.netns.est_genid_done == 1


def test_work_that_leaves_on_enable_0_is_not_queued_again() -> None:
    for revision in ALL:
        machine = two_tasks(revision)
        fail_allocations(machine.memory, 1, 1)
        machine.interleaved = True
        names: list[str] = []
        work = Task(name="work")
        tried = machine.memory.allocations
        for point in reload_work(machine):
            if point == READ_ENABLE and machine.memory.allocations > tried:
                machine.netns.enable = False
            names.append(name_of(point))
            perform(machine, work, point)
        assert not machine.netns.enable
        assert "start ipvs-e:0" not in names
        assert not [name for name in names if name.startswith("queue")]
        assert machine.netns.est_genid_done == 0


def test_a_request_waits_for_a_retry_that_is_pending() -> None:
    """Up to HZ/10 jiffies: queueing pending work changes nothing."""
    machine = small()
    driver = Sequential(machine)
    call(driver, queued(11))
    assert (machine.netns.reload_work.pending, machine.netns.reload_work.due) == (True, 1011)
    call(driver, queued(0))
    assert machine.netns.reload_work.due == 1011


def test_work_cannot_be_queued_while_it_is_cancelled() -> None:
    def cancelled(machine: Machine) -> Call:
        yield CANCEL_WORK
        yield QueueWork(0)
        return int(machine.netns.reload_work.pending)

    machine = small()
    assert call(Sequential(machine), cancelled(machine)) == 0
    machine.netns.reload_work.refused = False
    call(Sequential(machine), queued(0))
    assert machine.netns.reload_work.pending


def queued(delay: int) -> Call:
    yield QueueWork(delay)
    return 0


def test_work_starts_kthread_0_only_if_needed_in_mainline_only() -> None:
    for revision in ALL:
        machine = small(revision)
        put_kd(machine).needed = False
        started = [] if revision is MAINLINE else ["start ipvs-e:0"]
        assert points(machine, reload_work(machine)) == [LOCK_EST, *started, UNLOCK_EST]


def test_work_starts_kthreads_above_0_only_outside_the_calc_phase() -> None:
    for revision in ALL:
        machine = small(revision)
        put_kd(machine)
        put_kd(machine)
        machine.netns.est_calc_phase = True
        started = ["start ipvs-e:0"]
        assert points(machine, reload_work(machine)) == [LOCK_EST, *started, UNLOCK_EST]
        machine.netns.est_calc_phase = False
        started = ["start ipvs-e:1"]
        assert points(machine, reload_work(machine)) == [LOCK_EST, *started, UNLOCK_EST]
