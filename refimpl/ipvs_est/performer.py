"""What scheduling points do to the machine, whichever driver performs them.

A driver (`sequential`, or the explorer of `ipvs_est_checks`) decides who runs when, and keeps what
it needs for that: queues, timers, read-side sections. What a mutex, a stop, the reload work and a
task's end do to the machine and to its record is the same for all of them, and is here.
"""

from typing import assert_never

from ipvs_est.control.services import scan_trash
from ipvs_est.estimator.kthread import estimation_kthread
from ipvs_est.estimator.kthread_tasks import exit_task
from ipvs_est.estimator.reload_work import reload_work
from ipvs_est.machine.locks import Mutex
from ipvs_est.machine.points import (
    Barrier,
    Body,
    CancelWork,
    FieldAccess,
    GiveWay,
    Join,
    Lock,
    Point,
    QueueWork,
    RcuReadLock,
    RcuReadUnlock,
    Sleep,
    Start,
    Stop,
    Unlock,
    WordAccess,
)
from ipvs_est.machine.tasks import Task, TaskState
from ipvs_est.state.machine import Machine
from ipvs_est.state.task_record import lock_released, lock_taken, paused, resumed

WORK_NAME = "est_reload_work"
WORK_RANK = 0
"""Goes before all kthreads."""

NOTHING_TO_DO = (GiveWay, RcuReadLock, RcuReadUnlock, WordAccess, FieldAccess, Barrier)
"""Points at which others may run, and that do nothing themselves."""
_LEFT_TO_THE_DRIVER = (Sleep, Start, *NOTHING_TO_DO)


def perform(machine: Machine, task: Task, point: Point) -> Task | None:
    """`task` does what the point says; answers the task for whose exit it has to wait, if any.

    Whoever calls it has seen to it that the mutex of a `Lock` is free, and does afterwards what
    only a driver can: let wait who sleeps, wake who is asked to stop or waits for the mutex, run
    the task that is started.
    """
    if isinstance(point, Lock):
        take(machine, task, point.mutex)
    elif isinstance(point, Unlock):
        point.mutex.owner = None
        if machine.events is not None:
            machine.events.append(lock_released(machine, task, point.mutex))
    elif isinstance(point, _LEFT_TO_THE_DRIVER):
        pass
    elif isinstance(point, Stop):
        point.task.should_stop = True
    elif isinstance(point, Join):
        return None if point.task.state is TaskState.EXITED else point.task
    elif isinstance(point, QueueWork):
        work = machine.netns.reload_work
        if not work.pending and not work.refused:
            work.pending = True
            work.due = machine.now + point.delay
    elif isinstance(point, CancelWork):
        work = machine.netns.reload_work
        work.pending = False
        work.refused = True
        if machine.events is not None:
            # The task may be alone from here on.
            machine.events.extend((paused(machine, task), resumed(machine, task)))
        return work.running
    else:
        assert_never(point)
    return None


def take(machine: Machine, task: Task, mutex: Mutex) -> None:
    """`task` becomes the owner of a mutex that is free."""
    mutex.owner = task
    if machine.events is not None:
        machine.events.append(lock_taken(machine, task, mutex))


def function_of(machine: Machine, task: Task) -> Body:
    """The function of a kthread or of the reload work."""
    if task.kd is None:
        return reload_work(machine)
    return estimation_kthread(machine, task.kd, task)


def run_timers(machine: Machine) -> None:
    """What time that has passed sets off outside tasks: the scan of the trash."""
    due = machine.netns.trash_scan_due
    if due is not None and due <= machine.now:
        scan_trash(machine)


def start_due_work(machine: Machine) -> Task | None:
    """The task that pending reload work which is due becomes, unless an earlier one is alive."""
    work = machine.netns.reload_work
    if not work.pending or work.running is not None or work.due > machine.now:
        return None
    machine.tasks_created += 1
    task = Task(name=WORK_NAME, rank=WORK_RANK, age=machine.tasks_created)
    work.pending = False
    work.running = task
    return task


def end_task(machine: Machine, task: Task) -> list[Task]:
    """The task's function has returned, or was never entered; answers who waited for its exit."""
    work = machine.netns.reload_work
    if work.running is task:
        work.running = None
    return exit_task(machine, task)


def wait_text(waits_for: Mutex | Task) -> str:
    """What somebody waits for, in words that go on after "waits"."""
    if isinstance(waits_for, Mutex):
        holder = "nobody" if waits_for.owner is None else waits_for.owner.name
        return f"for {waits_for.name}, held by {holder}"
    return f"for the exit of {waits_for.name}"


def in_the_way(waits_for: Mutex | Task) -> Task | None:
    """The task without which who waits for that cannot go on."""
    return waits_for.owner if isinstance(waits_for, Mutex) else waits_for
