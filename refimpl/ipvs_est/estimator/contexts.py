"""Adding and removing kthread contexts (semantics sections 6 and 7)."""

from collections.abc import Generator

from ipvs_est.estimator.kthread_tasks import request_start, start_kthread, stop_kthread
from ipvs_est.language.errno import EINVAL, ENOMEM
from ipvs_est.language.events import ContextAdded
from ipvs_est.machine.memory import may_allocate
from ipvs_est.machine.points import Body, Point
from ipvs_est.state.kthread_context import KthreadContext, new_context
from ipvs_est.state.machine import Machine, allocate, free, jiffies
from ipvs_est.state.shared_fields import (
    Flag,
    read_enable,
    read_kt_count,
    read_max_threads,
    read_stopped,
)
from ipvs_est.state.stats import StatsObject

AddResult = Generator[Point, None, KthreadContext | int]


def add_kthread_context(machine: Machine) -> AddResult:
    """A new context in the lowest empty slot (`ip_vs_est_add_kthread`).

    Answers it, or -EINVAL at the thread limit, or -ENOMEM; then nothing has changed.
    """
    if (yield from _at_thread_limit(machine, under_est_mutex=False)):
        return -EINVAL
    yield machine.lock_est
    added = yield from _add_locked(machine)
    yield machine.unlock_est
    return added


def _at_thread_limit(machine: Machine, *, under_est_mutex: bool) -> Flag:
    """The limit is reached, and this is where the revision tests it."""
    if machine.revision.thread_limit_under_est_mutex != under_est_mutex:
        return False
    netns = machine.netns
    threads = yield from read_kt_count(machine)
    if machine.revision.thread_limit_counts_contexts:
        threads = sum(kd is not None for kd in netns.est_kt_arr)
    limit = yield from read_max_threads(machine)
    if threads < limit:
        return False
    if not machine.revision.thread_limit_when_disabled and not (yield from read_enable(machine)):
        return False
    # 0 means not computed yet, and no limit; the field is read a second time for that test.
    return (yield from read_max_threads(machine)) != 0


def _add_locked(machine: Machine) -> AddResult:
    netns = machine.netns
    revision = machine.revision
    if (yield from _at_thread_limit(machine, under_est_mutex=True)):
        return -EINVAL
    slot = lowest_empty_slot(machine)
    grows = slot == netns.est_kt_count
    if grows and not may_allocate(machine.memory):
        return -ENOMEM
    kd = new_context(machine.params, slot, jiffies(machine), netns.est_chain_max)
    if not allocate(machine, kd):
        return -ENOMEM
    if slot == 0:
        calc_stats = StatsObject(owner="calc")
        if not allocate(machine, calc_stats):
            free(machine, kd, "ip_vs_est_add_kthread")
            return -ENOMEM
        kd.calc_stats = calc_stats
    if revision.work_starts_tasks:
        kd.needed = True
        yield from request_start(machine)
    elif (yield from read_enable(machine)) and not (yield from read_stopped(machine)):
        error = yield from start_kthread(machine, kd)
        if error:
            free_context(machine, kd, "ip_vs_est_add_kthread")
            return error
    if grows:
        netns.est_kt_arr.append(kd)
    else:
        netns.est_kt_arr[slot] = kd
    netns.est_add_ktid = slot
    if machine.events is not None:
        contexts = sum(kthread_context is not None for kthread_context in netns.est_kt_arr)
        machine.events.append(ContextAdded(machine.now, slot, contexts, netns.est_max_threads))
    return kd


def lowest_empty_slot(machine: Machine) -> int:
    """The lowest hole in est_kt_arr, else est_kt_count."""
    for slot, kd in enumerate(machine.netns.est_kt_arr):
        if kd is None:
            return slot
    return machine.netns.est_kt_count


def choose_add_ktid(machine: Machine) -> int:
    """Where the next estimator goes: the lowest kd with space, else the lowest empty slot."""
    for slot, kd in enumerate(machine.netns.est_kt_arr):
        if kd is not None and kd.est_count < kd.est_max_count:
            return slot
    return lowest_empty_slot(machine)


def destroy_context(machine: Machine, kd: KthreadContext, where: str) -> Body:
    """Stop and join kd's task, then free kd (`ip_vs_est_kthread_destroy`)."""
    yield from stop_kthread(machine, kd)
    free_context(machine, kd, where)


def free_context(machine: Machine, kd: KthreadContext, where: str) -> None:
    """Free kd and its calc_stats; ticks that are left in it are not freed."""
    if kd.calc_stats is not None:
        free(machine, kd.calc_stats, where)
    free(machine, kd, where)


def trim_array(machine: Machine) -> None:
    """Drop the trailing empty slots, but never slot 0."""
    array = machine.netns.est_kt_arr
    while len(array) > 1 and array[-1] is None:
        array.pop()
