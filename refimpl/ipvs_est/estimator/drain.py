"""Kthread 0 takes estimators off the temp list (semantics section 10)."""

from ipvs_est.estimator.contexts import add_kthread_context
from ipvs_est.estimator.enqueue import enqueue
from ipvs_est.machine.hlist import add_head, first, unlink
from ipvs_est.machine.points import Body, FieldAccess, GiveWay
from ipvs_est.machine.tasks import Task, reads_stop_request
from ipvs_est.state.machine import Machine
from ipvs_est.state.netns import move_total_to_head, usable_context
from ipvs_est.state.stats import TEMP_LIST_KTID

# Estimators enqueued in one hold of the service mutex.
DRAIN_BATCH = 16

_GIVE_WAY = GiveWay("ip_vs_est_drain_temp_list", rcu=False)


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
            unlink(est)
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
                # It waits for the next attempt, one tick later.
                est.ktid = TEMP_LIST_KTID
                add_head(temp_list, est)
                yield machine.unlock_service
                return
        yield machine.unlock_service
        yield _GIVE_WAY
