"""What drivers enter into the event record: which task runs, and what it does to mutexes.

Each entry shows the guarded fields (semantics section 15) as they are at that moment. Between
two entries of one run of a task its set of mutexes is the same, so a change tells who made it
and under which locks. Call these only while a record is kept.
"""

from functools import lru_cache

from ipvs_est.language.events import Event, Guarded, LockReleased, LockTaken, Paused, Resumed
from ipvs_est.machine.locks import Mutex
from ipvs_est.machine.memory import Life
from ipvs_est.machine.tasks import Task, TaskState
from ipvs_est.state.machine import Machine


def resumed(machine: Machine, task: Task) -> Event:
    """`task` runs on."""
    return Resumed(machine.now, task.name, _ktid(task), _guarded(machine, task))


def paused(machine: Machine, task: Task) -> Event:
    """`task` waits now, or has returned."""
    waits_for = task.waits_for
    mutex = waits_for.name if isinstance(waits_for, Mutex) else None
    exit_of, asked = None, False
    if isinstance(waits_for, Task):
        exit_of, asked = _ktid(waits_for), waits_for.should_stop
    return Paused(
        machine.now,
        task.name,
        _ktid(task),
        _guarded(machine, task),
        mutex,
        exit_of,
        asked,
        task.state is TaskState.SLEEPING,
    )


def lock_taken(machine: Machine, task: Task, mutex: Mutex) -> Event:
    """`task` owns `mutex` now."""
    return LockTaken(machine.now, task.name, _ktid(task), _guarded(machine, task), mutex.name)


def lock_released(machine: Machine, task: Task, mutex: Mutex) -> Event:
    """`task` has released `mutex`."""
    return LockReleased(machine.now, task.name, _ktid(task), _guarded(machine, task), mutex.name)


@lru_cache(maxsize=64)
def cpu_bitmap(cpus: frozenset[int]) -> int:
    """The CPUs as a bitmap."""
    return sum(1 << cpu for cpu in cpus)


def _cpulist(machine: Machine) -> int:
    """The cpulist as a bitmap; -1 when its memory was freed."""
    mask = machine.netns.est_cpulist_mask
    if mask is not None and mask.life is Life.FREED:
        return -1
    return cpu_bitmap(machine.netns.est_cpulist)


def _ktid(task: Task) -> int | None:
    return None if task.kd is None else task.kd.id


def _guarded(machine: Machine, task: Task) -> Guarded:
    netns = machine.netns
    array = netns.est_kt_arr
    work = netns.reload_work
    alive = work.pending or work.running is not None
    for kd in array:
        if kd is not None and kd.task is not None and kd.task.state is not TaskState.EXITED:
            alive = True
    return Guarded(
        (
            netns.est_genid,
            netns.est_max_threads,
            int(netns.est_cpulist_valid),
            _cpulist(machine),
            netns.est_nice,
            int(netns.est_stopped),
            netns.run_estimation,
        ),
        (netns.est_add_ktid, *[-1 if kd is None else kd.serial for kd in array]),
        netns.est_calc_phase,
        task.kd is None and not alive,
    )
