"""Netns init and exit (semantics section 14)."""

from ipvs_est.control.estimator_objects import (
    TOTAL_ID,
    free_stats_later,
    start_total,
    stop_object,
)
from ipvs_est.control.services import flush_services, free_trash
from ipvs_est.estimator.contexts import destroy_context
from ipvs_est.estimator.start_stop import stop_estimator
from ipvs_est.language.errno import ENOMEM
from ipvs_est.language.events import ExitBegun, ExitEnded
from ipvs_est.machine.points import (
    CANCEL_WORK,
    SMP_WMB,
    WRITE_CPULIST,
    Body,
    Call,
    GiveWay,
)
from ipvs_est.state.machine import Machine, allocate, free
from ipvs_est.state.stats import STOPPED_KTID, StatsObject

UNREGISTER_SYSCTLS = GiveWay("unregister_net_sysctl_table", rcu=False)
"""No write to a sysctl begins any more, and one under way is waited for."""


def init_netns(machine: Machine) -> Call:
    """Allocate and start what a namespace has from the start; 0 or -ENOMEM.

    Without sysctls the total has stats all the same, but no estimator.
    """
    if not machine.params.sysctl:
        netns = machine.netns
        if netns.idle_total is None:
            total = StatsObject(id=TOTAL_ID, owner="total")
            if not allocate(machine, total):
                return -ENOMEM
            netns.idle_total = total
        return 0
    return (yield from start_total(machine))


def disable(machine: Machine) -> None:
    """Netns shutdown begins."""
    machine.netns.enable = False


def cleanup_estimators(machine: Machine) -> Call:
    """The recorded end of the estimators: total, reload work, contexts, then the fields."""
    yield from _stop_all(machine, flush=False)
    yield from _release_estimators(machine)
    netns = machine.netns
    netns.est_add_ktid = 0
    netns.est_max_threads = 0
    netns.est_chain_max = 0
    netns.est_calc_phase = False
    netns.est_genid = 0
    netns.est_genid_done = 0
    return 0


def exit_netns(machine: Machine) -> Call:
    """The whole exit, in its order (`ip_vs_control_net_cleanup` and what surrounds it)."""
    netns = machine.netns
    enable_under_est_mutex = machine.revision.clears_enable_under_est_mutex
    if enable_under_est_mutex:
        yield machine.lock_est
    if machine.events is not None:
        machine.events.append(ExitBegun(machine.now))
    disable(machine)
    if machine.interleaved:
        yield SMP_WMB
    if enable_under_est_mutex:
        yield machine.unlock_est
    # Objects of no service stand for services and destinations, and are flushed like them.
    object_ids = sorted(machine.objects)
    for object_id in object_ids:
        stats = machine.objects.get(object_id)
        if stats is None or stats is netns.total:
            continue
        if not _owned_by_control(machine, object_id):
            yield from stop_object(machine, stats)
    yield from _stop_all(machine, flush=True)
    under_est_mutex = machine.revision.frees_cpulist_under_est_mutex
    if under_est_mutex:
        yield machine.lock_est
    if machine.interleaved:
        yield WRITE_CPULIST
    # est_cpulist_valid stays set: who looks at the list from now on reads freed memory.
    if netns.est_cpulist_mask is not None:
        free(machine, netns.est_cpulist_mask, "free_cpumask_var")
    if under_est_mutex:
        yield machine.unlock_est
    yield from _release_estimators(machine)
    if machine.events is not None:
        machine.events.append(ExitEnded(machine.now))
    return 0


def _owned_by_control(machine: Machine, object_id: int) -> bool:
    return object_id in machine.netns.services or object_id in machine.netns.dests


def _stop_all(machine: Machine, *, flush: bool) -> Body:
    """Stop the total's estimator; with `flush` delete all services and the trash before."""
    total_under_mutex = machine.revision.total_stopped_under_service_mutex
    if flush or total_under_mutex:
        yield machine.lock_service
        if flush:
            yield from flush_services(machine)
        if total_under_mutex:
            yield from _stop_total(machine)
        yield machine.unlock_service
    if flush:
        free_trash(machine)
        yield UNREGISTER_SYSCTLS
    if not total_under_mutex:
        yield from _stop_total(machine)


def _stop_total(machine: Machine) -> Body:
    total = machine.netns.total
    if total is not None:
        locked = machine.revision.total_stopped_under_service_mutex
        yield from stop_estimator(machine, total.est, locked=locked)
        if locked:
            total.est.ktid = STOPPED_KTID
        # Once it is stopped, no estimator belongs to the object any more.
        del machine.objects[total.id]


def _release_estimators(machine: Machine) -> Body:
    netns = machine.netns
    yield CANCEL_WORK
    netns.reload_work.refused = False
    for total in (netns.total, netns.idle_total):
        if total is not None:
            free_stats_later(machine, total)
    netns.total = netns.idle_total = None
    for kd in netns.est_kt_arr:
        if kd is not None:
            yield from destroy_context(machine, kd, "ip_vs_estimator_net_cleanup")
    netns.est_kt_arr.clear()
