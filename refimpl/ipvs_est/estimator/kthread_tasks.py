"""Starting and stopping a kthread's task, and asking for it (semantics section 9)."""

from ipvs_est.estimator.thread_limits import read_kthread_cpus, stopped
from ipvs_est.language.errno import ENOMEM
from ipvs_est.language.events import CalcPhaseRequested, TaskExited, TaskStarted
from ipvs_est.language.fixed import signed
from ipvs_est.machine.points import (
    Body,
    Call,
    Join,
    Point,
    QueueWork,
    Start,
    Stop,
)
from ipvs_est.machine.tasks import Task, TaskState
from ipvs_est.state.kthread_context import KthreadContext
from ipvs_est.state.machine import Machine, allocate, free, jiffies, touch
from ipvs_est.state.shared_fields import count_genid, read_enable, write_stopped

# A timer further than this from now is set to now when a task starts.
START_GAP_TICKS = 4


def start_kthread(machine: Machine, kd: KthreadContext) -> Call:
    """Start kd's task unless it has one; est_mutex is held (`ip_vs_est_kthread_start`).

    Answers 0 or -ENOMEM.
    """
    if kd.task is not None:
        return 0
    params = machine.params
    now = jiffies(machine)
    gap = signed(kd.est_timer - now, params.word_bits)
    if abs(gap) > START_GAP_TICKS * params.tick_jiffies:
        kd.est_timer = now
    everywhere = frozenset(range(params.possible_cpus))
    task = Task(name=f"ipvs-e:{kd.id}", rank=1 + kd.id, kd=kd, cpus=everywhere)
    if not allocate(machine, task):
        return -ENOMEM
    machine.tasks_created += 1
    task.age = machine.tasks_created
    kd.task = task
    task.nice = machine.netns.est_nice
    if machine.revision.holds_task_reference:
        task.references = 1
    task.cpus = yield from read_kthread_cpus(machine)
    yield Start(task)
    if machine.events is not None:
        machine.events.append(TaskStarted(machine.now, kd.id, machine.netns.enable))
    return 0


def stop_kthread(machine: Machine, kd: KthreadContext) -> Body:
    """Ask kd's task to stop and wait until it has exited (`ip_vs_est_kthread_stop`)."""
    task = kd.task
    if task is None:
        return
    touch(machine, task, "flags", "kthread_stop")
    yield Stop(task)
    yield Join(task)
    touch(machine, kd, "task", "ip_vs_est_kthread_stop")
    kd.task = None
    if task.references:
        task.references -= 1
        free(machine, task, "put_task_struct")


def exit_task(machine: Machine, task: Task) -> list[Task]:
    """The task's function has returned; answers who may go on. For drivers."""
    task.state = TaskState.EXITED
    task.body = None
    if machine.events is not None:
        machine.events.append(TaskExited(machine.now, task.name))
    if task.serial and not task.references:
        free(machine, task, "do_exit")
    joiners, task.joiners = task.joiners, []
    return joiners


def request_restart(machine: Machine, *, recalculation: bool = False) -> Body:
    """Have the reload work stop and start all tasks (`ip_vs_est_reload_start`, restart).

    With `recalculation` `est_calc_phase` was set, so that kthread 0 computes new limits.
    """
    yield from _request(machine, restart=True, recalculation=recalculation)


def request_start(machine: Machine) -> Body:
    """Have the reload work start the tasks that are missing."""
    yield from _request(machine, restart=False)


def _request(machine: Machine, *, restart: bool, recalculation: bool = False) -> Body:
    if not (yield from read_enable(machine)):
        return
    if recalculation and machine.events is not None:
        machine.events.append(CalcPhaseRequested(machine.now))
    est_stopped = yield from stopped(machine)
    yield from write_stopped(machine, est_stopped)
    if restart:
        yield from count_genid(machine)
    point: Point = QueueWork(0)
    yield point
