"""Kthread 0 takes estimators off the temp list (semantics section 10)."""

from ipvs_est.estimator.contexts import add_kthread_context
from ipvs_est.estimator.enqueue import enqueue
from ipvs_est.language.violations import InvalidPointer
from ipvs_est.machine.hlist import add_head, first, linked, unlink_init
from ipvs_est.machine.points import Body, FieldAccess, GiveWay
from ipvs_est.machine.tasks import Task, reads_stop_request
from ipvs_est.state.machine import Machine, report
from ipvs_est.state.netns import move_total_to_head, usable_context
from ipvs_est.state.stats import TEMP_LIST_KTID, Estimator

# Estimators enqueued in one hold of the service mutex.
DRAIN_BATCH = 16

_WHERE = "ip_vs_est_drain_temp_list"
_GIVE_WAY = GiveWay(_WHERE, rcu=False)


def drain_temp_list(machine: Machine, task: Task) -> Body:
    """Enqueue all that waits, in batches, until done, stopped, or there is no room
    (`ip_vs_est_drain_temp_list`)."""
    netns = machine.netns
    temp_list = netns.est_temp_list
    while True:
        yield machine.lock_service
        if machine.revision.drain_takes_total_first:
            move_total_to_head(netns)
        for _ in range(DRAIN_BATCH):
            if machine.interleaved:
                yield reads_stop_request(task)
            est = first(temp_list)
            if est is None or task.should_stop:
                yield machine.unlock_service
                return
            races = machine.interleaved and _exit_may_stop(machine, est)
            if races:
                yield FieldAccess(est.stats, "list", write=True)
            if not linked(est):
                report(machine, InvalidPointer("pprev", _WHERE))
            unlink_init(est)
            if races:
                yield FieldAccess(est.stats, "ktid", write=True)
            kd = usable_context(netns)
            if machine.interleaved and kd is not None and kd.id:
                # What enqueuing stores is seen by its reader at once: see enqueue.
                yield FieldAccess(kd, "est_row", write=False)
            if kd is None:
                added = yield from add_kthread_context(machine)
                error = added if isinstance(added, int) else enqueue(machine, added, est)
            else:
                error = enqueue(machine, kd, est)
            if error:
                # The estimator waits for the next attempt, one tick later.
                est.ktid = TEMP_LIST_KTID
                add_head(temp_list, est)
                yield machine.unlock_service
                return
        yield machine.unlock_service
        yield _GIVE_WAY


def _exit_may_stop(machine: Machine, est: Estimator) -> bool:
    """Netns exit may edit the list meanwhile: it stops the total without the service mutex, once
    all others are gone."""
    if machine.revision.total_stopped_under_service_mutex:
        return False
    return est.stats is machine.netns.total
