"""Bare stats objects: how the recorded histories create and delete estimators
(docs/reference/recordings.md, operations `tot`, `svc`, `dest`, `del`)."""

from ipvs_est.estimator.kthread_tasks import request_restart
from ipvs_est.estimator.start_stop import start_estimator, stop_estimator
from ipvs_est.estimator.thread_limits import max_threads
from ipvs_est.language.errno import EEXIST, ENOMEM
from ipvs_est.language.events import StartReturned
from ipvs_est.machine.hlist import linked
from ipvs_est.machine.memory import Life
from ipvs_est.machine.points import Body, Call
from ipvs_est.machine.rcu import call_rcu
from ipvs_est.state.machine import Machine, allocate, free
from ipvs_est.state.shared_fields import read_enable, set_enable, write_max_threads
from ipvs_est.state.stats import Estimator, Owner, StatsObject

TOTAL_ID = 0


def start_total(machine: Machine) -> Call:
    """Allocate the total's stats and start their estimator, without the service mutex."""
    total = StatsObject(id=TOTAL_ID, owner="total")
    if not allocate(machine, total):
        return -ENOMEM
    machine.netns.total = total
    error = yield from start_estimator(machine, total.est)
    record_start(machine, total.est, error, new=True)
    if error:
        machine.netns.total = None
        free(machine, total, "ip_vs_control_net_init")
        return error
    machine.objects[TOTAL_ID] = total
    return 0


def start_object(machine: Machine, object_id: int, owner: Owner) -> Call:
    """Under the service mutex create a stats object; on error it does not come to exist."""
    yield machine.lock_service
    if object_id in machine.objects:
        yield machine.unlock_service
        return -EEXIST
    stats = StatsObject(id=object_id, owner=owner)
    error = 0 if allocate(machine, stats) else -ENOMEM
    if not error:
        error = yield from start_estimator(machine, stats.est)
        record_start(machine, stats.est, error, new=True)
        if error:
            free(machine, stats, "ip_vs_stats_free")
        else:
            machine.objects[object_id] = stats
            if owner == "service":
                yield from enable_estimation(machine)
    yield machine.unlock_service
    return error


def record_start(machine: Machine, est: Estimator, error: int, *, new: bool) -> None:
    """Enter what starting `est` has answered into the event record; `new`: not from the trash."""
    if machine.events is not None:
        event = StartReturned(machine.now, est.stats.id, new, error, linked(est))
        machine.events.append(event)


def enable_estimation(machine: Machine) -> Body:
    """The first service sets `enable` and has the tasks started (semantics section 13)."""
    if (yield from read_enable(machine)):
        return
    if machine.revision.est_mutex_at_enable:
        yield machine.lock_est
        yield from set_enable(machine)
        threads = yield from max_threads(machine)
        yield from write_max_threads(machine, threads)
        yield from request_restart(machine)
        yield machine.unlock_est
    else:
        yield from set_enable(machine)
        yield from request_restart(machine)


def stop_object(machine: Machine, stats: StatsObject) -> Call:
    """Under the service mutex stop the estimator; then the object is freed."""
    yield machine.lock_service
    yield from stop_estimator(machine, stats.est)
    del machine.objects[stats.id]
    yield machine.unlock_service
    free_stats_later(machine, stats)
    return 0


def free_stats_later(machine: Machine, stats: StatsObject) -> None:
    """Free stopped stats from an RCU callback: a kthread may still be reading them."""
    stats.life = Life.WAITING
    call_rcu(machine.rcu, lambda: free(machine, stats, "ip_vs_stats_rcu_free"))
