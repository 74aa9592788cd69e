"""What of a world steps can write, part by part: what a step writes is what differs after it.

A part is named by a text, and by whose it is where there are several. What only one task ever
looks at (its local variables, where it stands) is no part. Some writes are told by the points
alone and are no parts either: those to counters and to the sums of an object.
"""

from ipvs_est.machine.hlist import nodes
from ipvs_est.machine.points import Sleep
from ipvs_est.machine.tasks import Task, TaskState
from ipvs_est.state.kthread_context import KthreadContext
from ipvs_est.state.netns import Netns
from ipvs_est_checks.explore.engine.world import World, can_run

Name = tuple[str, int | str]
"""What it is, and whose: a slot, an index of a thread, a name; 0 where there is only one."""
Parts = dict[Name, object]


def parts_of(world: World) -> Parts:
    """All parts as they are now: values that are equal if and only if nothing was written."""
    machine = world.machine
    netns = machine.netns
    work = netns.reload_work
    mask = netns.est_cpulist_mask
    memory = machine.memory
    now = machine.now
    parts: Parts = {
        ("now", 0): now,
        ("enable", 0): netns.enable,
        ("est_calc_phase", 0): netns.est_calc_phase,
        ("est_genid", 0): netns.est_genid,
        ("est_genid_done", 0): netns.est_genid_done,
        ("est_add_ktid", 0): netns.est_add_ktid,
        ("est_max_threads", 0): netns.est_max_threads,
        ("est_chain_max", 0): netns.est_chain_max,
        ("est_stopped", 0): netns.est_stopped,
        ("run_estimation", 0): netns.run_estimation,
        ("est_nice", 0): netns.est_nice,
        ("est_cpulist_valid", 0): netns.est_cpulist_valid,
        ("est_cpulist", 0): (netns.est_cpulist, mask and (mask.serial, mask.life)),
        ("est_temp_list", 0): tuple([est.stats.serial for est in nodes(netns.est_temp_list)]),
        ("est_kt_count", 0): tuple(
            [None if kd is None else (kd.serial, kd.life) for kd in netns.est_kt_arr]
        ),
        ("work", 0): (work.pending, work.due, id(work.running), work.refused),
        ("trash", 0): (
            tuple([(dest.serial, dest.idle_start, dest.references) for dest in netns.trash]),
            netns.trash_scan_due,
        ),
        ("objects", 0): (
            tuple([(key, stats_object.serial) for key, stats_object in machine.objects.items()]),
            _services(netns),
            None if netns.total is None else netns.total.serial,
            None if netns.idle_total is None else netns.idle_total.serial,
        ),
        # How many allocations there were counts only while one is still to fail.
        ("allocations", 0): memory.allocations if memory.fail_last > memory.allocations else None,
        ("mutex", machine.service_mutex.name): id(machine.service_mutex.owner),
        ("mutex", netns.est_mutex.name): id(netns.est_mutex.owner),
        ("wake-ups", 0): tuple(
            sorted(
                [
                    thread.wake_at
                    for thread in world.threads
                    if thread.wake_at > now
                    and isinstance(thread.point, Sleep)
                    and thread.task.state is not TaskState.EXITED
                ]
            )
        ),
        ("idle", 0): not any(can_run(world, thread) for thread in world.threads),
    }
    use = world.use
    if use is not None:
        parts["use", 0] = (
            tuple(map(id, use.users)),
            tuple(map(id, use.writers)),
            use.exiting,
            use.unregistered,
        )
        for mutex in (use.reference, use.sysctls, *use.softirqs.values()):
            parts["mutex", mutex.name] = id(mutex.owner)
    for kd in netns.est_kt_arr:
        if kd is not None:
            _add_context(parts, kd)
    tasks: dict[int, list[object]] = {}
    for thread in world.threads:
        tasks.setdefault(thread.index, []).append(_task(thread.task))
    for index, values in tasks.items():
        parts["task", index] = values
    return parts


def _services(netns: Netns) -> object:
    return (
        tuple(
            [
                (
                    key,
                    service.serial,
                    service.references,
                    service.life,
                    service.scheduler,
                    tuple(service.dests),
                )
                for key, service in netns.services.items()
            ]
        ),
        tuple(
            [
                (key, dest.serial, dest.references, dest.life, dest.available)
                for key, dest in netns.dests.items()
            ]
        ),
    )


def _add_context(parts: Parts, kd: KthreadContext) -> None:
    slot = kd.id
    parts["lists", slot] = (
        kd.est_count,
        kd.avail,
        tuple(kd.tick_len),
        tuple(
            [
                None
                if td is None
                else (
                    td.serial,
                    td.life,
                    td.present,
                    td.full,
                    tuple(td.chain_len),
                    tuple([tuple([est.stats.serial for est in nodes(one)]) for one in td.chains]),
                )
                for td in kd.ticks
            ]
        ),
    )
    parts["row", slot] = (kd.est_row, kd.add_row)
    parts["timer", slot] = kd.est_timer
    parts["limits", slot] = (kd.chain_max, kd.tick_max, kd.est_max_count)
    parts["kthread", slot] = id(kd.task)
    parts["needed", slot] = kd.needed


def _task(task: Task) -> object:
    return task.should_stop, task.state is TaskState.EXITED, task.life, task.references
