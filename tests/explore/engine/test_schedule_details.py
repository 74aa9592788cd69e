"""Small print of the schedule: when work becomes a task, who is woken, what is named how."""

from collections.abc import Iterator

import pytest

from by_hand import begin, new_estimator, put_kd, run, small, start_task
from ipvs_est import MAINLINE, Params, ViolationError
from ipvs_est.estimator.kthread import estimation_kthread
from ipvs_est.estimator.kthread_tasks import exit_task, stop_kthread
from ipvs_est.estimator.reload_work import reload_work
from ipvs_est.estimator.start_stop import free_tick_later, stop_estimator
from ipvs_est.language.events import Resumed
from ipvs_est.language.violations import (
    Deadlock,
    DoubleFree,
    IndexOutOfRange,
    UseAfterFree,
    describe,
)
from ipvs_est.machine.locks import Mutex
from ipvs_est.machine.memory import HeapObject, Life, Memory, forget, track
from ipvs_est.machine.points import Body, CancelWork, Join, Lock, QueueWork, Sleep
from ipvs_est.machine.rcu import end_grace_period
from ipvs_est.machine.tasks import Task, TaskState
from ipvs_est.sequential import Sequential, _jiffy, _look_at_work, _next_event, settle
from ipvs_est.state.kthread_context import new_tick
from ipvs_est.state.machine import boot
from ipvs_est.state.task_record import resumed


def driver() -> Sequential:
    return Sequential(boot(Params(hz=100), MAINLINE))


def test_pending_work_becomes_one_task_when_it_is_due() -> None:
    sequential = driver()
    work = sequential.machine.netns.reload_work
    work.pending, work.due = True, sequential.machine.now + 1
    _look_at_work(sequential)
    assert sequential.runnable == []
    work.due = sequential.machine.now
    _look_at_work(sequential)
    ((rank, age, task),) = sequential.runnable
    assert (rank, age, task.name, task.rank, task.age) == (0, 1, "est_reload_work", 0, 1)
    assert work.running is task
    assert not work.pending
    # An earlier instance is alive.
    work.pending = True
    _look_at_work(sequential)
    assert len(sequential.runnable) == 1


def test_the_next_event_is_the_earliest_of_all() -> None:
    sequential = driver()
    machine, work = sequential.machine, sequential.machine.netns.reload_work
    now = machine.now
    assert _next_event(sequential) is None
    machine.netns.trash_scan_due = now + 500
    assert _next_event(sequential) == now + 500
    work.pending, work.due = True, now + 400
    assert _next_event(sequential) == now + 400
    work.running = Task(name="earlier")
    assert _next_event(sequential) == now + 500
    work.running, work.pending = None, False
    assert _next_event(sequential) == now + 500
    sleeper = Task(name="sleeper", state=TaskState.SLEEPING, sleep_ticket=2)
    sequential.sleepers = [(now + 100, 0, 1, sleeper), (now + 200, 0, 2, sleeper)]
    # Of an earlier sleep, which ended otherwise.
    assert _next_event(sequential) == now + 200
    machine.netns.trash_scan_due = now - 3
    assert _next_event(sequential) == now + 1
    machine.netns.trash_scan_due = None
    machine.rcu.pending.append(lambda: None)
    assert _next_event(sequential) == now + 1


def test_a_wake_up_of_an_earlier_sleep_wakes_nobody() -> None:
    sequential = driver()
    now = sequential.machine.now
    sleeper = Task(name="sleeper", state=TaskState.SLEEPING, sleep_ticket=2)
    awake = Task(name="awake", state=TaskState.BLOCKED, sleep_ticket=1)
    sequential.sleepers = [(now, 0, 1, sleeper), (now, 1, 1, awake), (now + 1, 2, 2, sleeper)]
    _jiffy(sequential)
    assert (sleeper.state, awake.state) == (TaskState.SLEEPING, TaskState.BLOCKED)
    sequential.machine.now += 1
    _jiffy(sequential)
    assert sleeper.state is TaskState.RUNNABLE


def test_each_sleep_is_another_and_a_stopped_task_does_not_sleep() -> None:
    def sleeps() -> Body:
        for _ in range(3):
            yield Sleep(5, "test")

    sequential = driver()
    task = begin(sequential, "sleeper", 1, sleeps())
    settle(sequential)
    assert (task.sleep_ticket, task.wake_at) == (1, sequential.machine.now + 5)
    sequential.machine.now += 5
    _jiffy(sequential)
    settle(sequential)
    assert task.sleep_ticket == 2
    task.should_stop = True
    sequential.machine.now += 5
    _jiffy(sequential)
    settle(sequential)
    assert task.state is TaskState.EXITED


def test_work_is_queued_for_later_and_can_be_cancelled() -> None:
    def queues() -> Iterator[QueueWork | CancelWork]:
        yield QueueWork(10)
        yield QueueWork(3)
        assert work.pending
        # Pending work stays as it is.
        assert work.due == machine.now + 10
        yield CancelWork()
        assert not work.pending

    def body() -> Body:
        yield from queues()

    sequential = driver()
    machine, work = sequential.machine, sequential.machine.netns.reload_work
    task = begin(sequential, "control", 1, body())
    settle(sequential)
    assert task.state is TaskState.EXITED


def test_a_task_that_has_exited_is_not_waited_for() -> None:
    def joins() -> Body:
        yield Join(Task(name="gone", state=TaskState.EXITED))
        yield Lock(mutex)
        yield Sleep(1, "test")

    mutex = Mutex("m")
    sequential = driver()
    task = begin(sequential, "joiner", 1, joins())
    settle(sequential)
    assert mutex.owner is task


def test_the_reload_work_goes_on_behind_a_hole() -> None:
    machine = small()
    kds = [put_kd(machine) for _ in range(3)]
    machine.netns.est_kt_arr[1] = None
    machine.netns.est_genid = 4
    run(machine, reload_work(machine))
    assert [kd.task is not None for kd in kds] == [True, False, True]
    assert machine.netns.est_genid_done == 4


def test_an_estimator_of_a_slot_past_the_array_is_noticed() -> None:
    machine = small()
    put_kd(machine)
    est = new_estimator(machine, 1)
    est.ktid = 1
    est.prev = machine.netns.est_temp_list
    with pytest.raises(ViolationError) as found:
        run(machine, stop_estimator(machine, est))
    assert found.value.violation == IndexOutOfRange("est_kt_arr", 1, 1, "ip_vs_stop_estimator")


def test_stopping_a_freed_task_names_what_is_touched() -> None:
    machine = small()
    machine.raise_violations = True
    kd = put_kd(machine)
    start_task(machine, kd).life = Life.FREED
    with pytest.raises(ViolationError) as found:
        next(stop_kthread(machine, kd))
    assert found.value.violation == UseAfterFree("task ipvs-e:0", "flags", "kthread_stop")


def test_a_kthread_sleeps_in_its_function() -> None:
    machine = small()
    machine.netns.est_chain_max = 200
    kds = [put_kd(machine) for _ in range(2)]
    kds[1].est_timer += 1
    task = start_task(machine, kds[1])
    points = estimation_kthread(machine, kds[1], task)
    assert next(point for point in points if isinstance(point, Sleep)) == Sleep(
        1, "ip_vs_estimation_kthread"
    )


def test_objects_are_numbered_in_the_order_of_their_allocation() -> None:
    memory = Memory()
    things = [HeapObject() for _ in range(3)]
    for thing in things:
        track(memory, thing)
    assert [thing.serial for thing in things] == [1, 2, 3]
    assert memory.live == {1: things[0], 2: things[1], 3: things[2]}
    forget(memory, things[1])
    forget(memory, HeapObject())
    assert [*memory.live] == [1, 3]


def test_violations_are_told_field_by_field() -> None:
    assert describe(IndexOutOfRange("ticks of kd 0", 50, 50, "f")) == (
        "index-out-of-range: thing=ticks of kd 0, index=50, size=50, where=f"
    )
    assert "['a: waits', 'b: waits']" in describe(Deadlock(("a: waits", "b: waits")))


def test_a_stopped_task_that_would_sleep_lets_those_before_it_run() -> None:
    log: list[str] = []

    def sleeps() -> Body:
        log.append("before")
        yield Sleep(5, "test")
        log.append("after")

    def other() -> Body:
        log.append("other")
        yield Sleep(5, "test")

    def wakes() -> Body:
        log.append("first")
        task.should_stop = True
        begin(sequential, "other", 0, other())
        yield from sleeps()

    sequential = driver()
    task = begin(sequential, "stopped", 1, wakes())
    settle(sequential)
    assert log == ["first", "before", "other", "after"]


def test_freeing_twice_names_who_frees() -> None:
    machine = small()
    machine.raise_violations = True
    kd = put_kd(machine)
    td = kd.ticks[4] = new_tick(machine.params, 4)
    free_tick_later(machine, td)
    td.life = Life.FREED
    with pytest.raises(ViolationError) as found:
        end_grace_period(machine.rcu)
    assert found.value.violation == DoubleFree("tick of row 4", "kfree_rcu")
    task = start_task(machine, kd)
    task.references, task.life = 0, Life.FREED
    with pytest.raises(ViolationError) as found:
        exit_task(machine, task)
    assert found.value.violation == DoubleFree("task ipvs-e:0", "do_exit")
    machine.raise_violations = False
    task.references = 1
    run(machine, stop_kthread(machine, kd))
    assert machine.violations[-1] == DoubleFree("task ipvs-e:0", "put_task_struct")


def test_a_hole_is_told_apart_from_every_context() -> None:
    machine = small()
    kds = [put_kd(machine) for _ in range(3)]
    machine.netns.est_kt_arr[1] = None
    event = resumed(machine, Task(name="control"))
    assert isinstance(event, Resumed)
    assert event.guarded.service == (0, kds[0].serial, -1, kds[2].serial)
