"""What the event record says of tasks, and how a driver hands out a mutex."""

import pytest

from by_hand import put_kd, run, small
from ipvs_est import MAINLINE, Params, ViolationError
from ipvs_est.control.netns_life import cleanup_estimators
from ipvs_est.language.events import Guarded, LockReleased, LockTaken, Paused, Resumed
from ipvs_est.language.violations import DivisionByZero, DoubleFree, describe
from ipvs_est.machine.memory import Life
from ipvs_est.machine.points import Lock
from ipvs_est.machine.tasks import Task, TaskState
from ipvs_est.sequential import Sequential, _waits_at
from ipvs_est.state.machine import Machine, boot
from ipvs_est.state.task_record import cpu_bitmap, lock_released, lock_taken, paused, resumed


def kthread(machine: Machine) -> Task:
    """Kthread 1's task, asleep."""
    put_kd(machine)
    kd = put_kd(machine)
    kd.task = Task(name="ipvs-e:0:1", kd=kd, state=TaskState.SLEEPING)
    return kd.task


def test_a_wait_is_told_with_what_it_is_for() -> None:
    machine = small()
    sleeper = kthread(machine)
    slept = paused(machine, sleeper)
    assert isinstance(slept, Paused)
    assert (slept.ktid, slept.mutex, slept.exit_of, slept.sleeps) == (1, None, None, True)
    assert not slept.asked
    control = Task(name="control", state=TaskState.BLOCKED, waits_for=machine.netns.est_mutex)
    blocked = paused(machine, control)
    assert isinstance(blocked, Paused)
    assert (blocked.ktid, blocked.mutex, blocked.exit_of) == (None, "est_mutex", None)
    assert not blocked.asked
    assert not blocked.sleeps
    for asked in (False, True):
        sleeper.should_stop = asked
        control = Task(name="control", state=TaskState.JOINING, waits_for=sleeper)
        joins = paused(machine, control)
        assert isinstance(joins, Paused)
        assert (joins.mutex, joins.exit_of, joins.asked) == (None, 1, asked)


def test_who_runs_and_who_owns_a_mutex_is_told_with_the_kthreads_id() -> None:
    machine = small()
    machine.now = 77
    task = kthread(machine)
    mutex = machine.netns.est_mutex
    guarded = Guarded((0, 4, 0, 0, 0, 0, 1), (0, 1, 2), calc_phase=False, alone=False)
    assert resumed(machine, task) == Resumed(77, "ipvs-e:0:1", 1, guarded)
    assert lock_taken(machine, task, mutex) == LockTaken(77, "ipvs-e:0:1", 1, guarded, "est_mutex")
    assert lock_released(machine, task, mutex) == LockReleased(
        77, "ipvs-e:0:1", 1, guarded, "est_mutex"
    )


def test_a_control_process_is_alone_without_kthreads_and_reload_work() -> None:
    def alone() -> bool:
        event = resumed(machine, control)
        assert isinstance(event, Resumed)
        return event.guarded.alone

    control = Task(name="control")
    machine = small()
    assert alone()
    task = kthread(machine)
    assert not alone()
    task.state = TaskState.EXITED
    assert alone()
    machine.netns.reload_work.pending = True
    assert not alone()
    machine.netns.reload_work.pending = False
    machine.netns.reload_work.running = Task(name="work")
    assert not alone()


def test_a_cpu_set_is_told_as_a_bitmap() -> None:
    assert cpu_bitmap(frozenset({0, 3, 5})) == 0b101001
    assert cpu_bitmap(frozenset()) == 0


def test_a_free_mutex_is_taken_and_another_is_waited_for() -> None:
    machine = small()
    driver = Sequential(machine)
    mutex = machine.netns.est_mutex
    first, second = Task(name="first"), Task(name="second", state=TaskState.RUNNING)
    assert not _waits_at(driver, first, Lock(mutex))
    assert (mutex.owner, mutex.waiters) == (first, [])
    assert _waits_at(driver, second, Lock(mutex))
    assert mutex.owner is first
    assert mutex.waiters == [second]
    assert second.waits_for is mutex
    assert second.state is TaskState.BLOCKED


def test_a_violation_that_is_raised_says_what_it_is() -> None:
    violation = DivisionByZero("min_est", "ip_vs_est_calc_limits")
    assert str(ViolationError(violation)) == describe(violation)


def test_a_context_that_is_destroyed_twice_is_named() -> None:
    machine = boot(Params(hz=100, nticks=5, chain_factor=3), MAINLINE)
    machine.raise_violations = True
    put_kd(machine).life = Life.FREED
    with pytest.raises(ViolationError) as found:
        run(machine, cleanup_estimators(machine))
    assert found.value.violation == DoubleFree("kd 0", "ip_vs_estimator_net_cleanup")
