"""The delayed work that brings tasks in line with the configuration (semantics section 9)."""

from ipvs_est.estimator.kthread_tasks import start_kthread, stop_kthread
from ipvs_est.machine.points import Body, QueueWork
from ipvs_est.state.machine import Machine
from ipvs_est.state.shared_fields import read_calc_phase, read_enable, read_genid, read_stopped

# A failed start is tried again after hz / RETRIES_PER_SECOND jiffies.
RETRIES_PER_SECOND = 10


def reload_work(machine: Machine) -> Body:
    """Restart all tasks if a restart was requested, start the missing ones
    (`est_reload_work_handler`)."""
    netns = machine.netns
    revision = machine.revision
    genid_done = netns.est_genid_done
    failed = False
    yield machine.lock_est
    genid = yield from read_genid(machine)
    slot = -1
    while True:
        slot += 1
        if slot >= netns.est_kt_count:
            netns.est_genid_done = genid
            if failed:
                yield QueueWork(machine.params.hz // RETRIES_PER_SECOND)
            break
        if not (yield from read_enable(machine)):
            break
        kd = netns.est_kt_arr[slot]
        if kd is None:
            continue
        if genid != genid_done:
            if slot == 0 and revision.work_drops_est_mutex_for_kd0:
                yield machine.unlock_est
                yield from stop_kthread(machine, kd)
                yield machine.lock_est
                if not (yield from read_enable(machine)):
                    break
            else:
                yield from stop_kthread(machine, kd)
        if kd.task is not None or (yield from read_stopped(machine)):
            continue
        if slot == 0:
            wanted = kd.needed or not revision.work_starts_kd0_if_needed
        else:
            wanted = not (yield from read_calc_phase(machine))
        if wanted and (yield from start_kthread(machine, kd)) < 0:
            failed = True
    yield machine.unlock_est
