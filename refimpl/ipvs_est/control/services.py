"""Services, destinations and the trash (semantics section 13)."""

from ipvs_est.control.estimator_objects import enable_estimation, record_start
from ipvs_est.estimator.start_stop import start_estimator, stop_estimator
from ipvs_est.language.errno import EEXIST, ENOMEM
from ipvs_est.language.events import DestTaken
from ipvs_est.language.fixed import signed
from ipvs_est.language.violations import InvalidPointer
from ipvs_est.machine.memory import Life
from ipvs_est.machine.points import Body, Call
from ipvs_est.machine.rcu import call_rcu
from ipvs_est.state.control_objects import Dest, Service
from ipvs_est.state.machine import Machine, allocate, free, jiffies, report, touch
from ipvs_est.state.stats import Owner, StatsObject, zero

TRASH_SCAN_SECONDS = 60
TRASH_IDLE_SECONDS = 120

_ADD_SERVICE = "ip_vs_add_service"
_ADD_DEST = "ip_vs_add_dest"


def add_service(machine: Machine, service_id: int, scheduler: str) -> Call:
    """Add a virtual service; 0, -EEXIST, or -ENOMEM, then nothing of it is left."""
    yield machine.lock_service
    error = yield from _add_service(machine, service_id, scheduler)
    yield machine.unlock_service
    return error


def _add_service(machine: Machine, service_id: int, scheduler: str) -> Call:
    if service_id in machine.objects:
        return -EEXIST  # another control process was faster
    service = Service(id=service_id)
    if not allocate(machine, service):
        return -ENOMEM
    stats = _new_stats(machine, service_id, "service")
    if stats is None:
        free(machine, service, _ADD_SERVICE)
        return -ENOMEM
    service.stats = stats
    service.scheduler = scheduler
    error = yield from start_estimator(machine, stats.est)
    record_start(machine, stats.est, error, new=True)
    if error:
        service.scheduler = None
        if not machine.revision.unbinds_scheduler_once:
            # The undo path calls the scheduler's own clean-up after it was unbound.
            report(machine, InvalidPointer("scheduler", _ADD_SERVICE))
        free(machine, stats, _ADD_SERVICE)
        free(machine, service, _ADD_SERVICE)
        return error
    machine.objects[service_id] = stats
    machine.netns.services[service_id] = service
    service.references = 1
    yield from enable_estimation(machine)
    return 0


def _new_stats(machine: Machine, object_id: int, owner: Owner) -> StatsObject | None:
    stats = StatsObject(id=object_id, owner=owner)
    return stats if allocate(machine, stats) else None


def add_dest(machine: Machine, dest_id: int, service: Service) -> Call:
    """Add a destination to `service`, from the trash if it waits there; 0, -EEXIST or -ENOMEM.

    An id names an address. One in the trash waits for the same virtual service, which may have
    been made anew; under another one it is another dest.
    """
    yield machine.lock_service
    trashed = waiting_for(machine, dest_id, service)
    if dest_id in machine.objects:
        error = -EEXIST
    elif trashed is None:
        error = yield from _add_new_dest(machine, dest_id, service)
    else:
        error = yield from _add_trashed_dest(machine, trashed, service)
        if machine.events is not None:
            in_service = service.dests.get(dest_id) is trashed
            in_trash = trashed in machine.netns.trash
            machine.events.append(DestTaken(machine.now, dest_id, error, in_service, in_trash))
    yield machine.unlock_service
    return error


def waiting_for(machine: Machine, dest_id: int, service: Service) -> Dest | None:
    """The dest in the trash that belongs to that virtual service (`ip_vs_trash_get_dest`)."""
    for dest in machine.netns.trash:
        if dest.id == dest_id and dest.service is not None and dest.service.id == service.id:
            return dest
    return None


def _add_new_dest(machine: Machine, dest_id: int, service: Service) -> Call:
    dest = Dest(id=dest_id, service=service)
    if not allocate(machine, dest):
        return -ENOMEM
    stats = _new_stats(machine, dest_id, "dest")
    if stats is None:
        free(machine, dest, _ADD_DEST)
        return -ENOMEM
    dest.stats = stats
    error = yield from start_estimator(machine, stats.est)
    record_start(machine, stats.est, error, new=True)
    if error:
        free(machine, stats, _ADD_DEST)
        free(machine, dest, _ADD_DEST)
        return error
    service.references += 1
    _publish(machine, dest, service, stats)
    return 0


def _add_trashed_dest(machine: Machine, dest: Dest, service: Service) -> Call:
    netns = machine.netns
    stats = dest.stats
    assert stats is not None
    netns.trash.remove(dest)
    error = yield from start_estimator(machine, stats.est)
    record_start(machine, stats.est, error, new=False)
    if error:
        if machine.revision.restores_trashed_dest:
            _into_trash(machine, dest)
        return error
    dest.idle_start = None
    former = dest.service
    if former is not service:
        # Its counters were those of a service that is gone.
        zero(stats)
        service.references += 1
        dest.service = service
        if former is not None:
            put_service(machine, former)
    _publish(machine, dest, service, stats)
    return 0


def _publish(machine: Machine, dest: Dest, service: Service, stats: StatsObject) -> None:
    dest.available = True
    service.dests[dest.id] = dest
    machine.netns.dests[dest.id] = dest
    machine.objects[dest.id] = stats


def delete_dest(machine: Machine, dest: Dest) -> Call:
    """Delete a destination: it goes to the trash, where connections may still use it."""
    yield machine.lock_service
    yield from _delete_dest(machine, dest)
    yield machine.unlock_service
    return 0


def _delete_dest(machine: Machine, dest: Dest, *, flush: bool = False) -> Body:
    service, stats = dest.service, dest.stats
    assert service is not None
    assert stats is not None
    dest.available = False
    del service.dests[dest.id]
    del machine.netns.dests[dest.id]
    del machine.objects[dest.id]
    yield from stop_estimator(machine, stats.est)
    dest.idle_start = None
    _into_trash(machine, dest, flush=flush)


def _into_trash(machine: Machine, dest: Dest, *, flush: bool = False) -> None:
    """To the head of the trash. If it was empty a scan is due in 60 s, whatever was due before;
    not with `flush`: netns exit empties the trash itself."""
    netns = machine.netns
    if not netns.trash and not flush:
        netns.trash_scan_due = machine.now + TRASH_SCAN_SECONDS * machine.params.hz
    netns.trash.insert(0, dest)


def delete_service(machine: Machine, service: Service) -> Call:
    """Delete a service and its destinations."""
    yield machine.lock_service
    yield from _delete_service(machine, service)
    yield machine.unlock_service
    return 0


def _delete_service(machine: Machine, service: Service, *, flush: bool = False) -> Body:
    stats = service.stats
    assert stats is not None
    del machine.netns.services[service.id]
    del machine.objects[service.id]
    yield from stop_estimator(machine, stats.est)
    dests = list(service.dests.values())[::-1]
    for dest in dests:
        yield from _delete_dest(machine, dest, flush=flush)
    put_service(machine, service)


def flush_services(machine: Machine) -> Body:
    """Netns exit: delete all services; the service mutex is held."""
    services = machine.netns.services
    service_ids = sorted(services)
    for service_id in service_ids:
        yield from _delete_service(machine, services[service_id], flush=True)


def put_service(machine: Machine, service: Service) -> None:
    """Drop one reference; the last one has the service freed by call_rcu."""
    touch(machine, service, "refcnt", "ip_vs_svc_put")
    service.references -= 1
    if service.references == 0:
        service.life = Life.WAITING
        call_rcu(machine.rcu, lambda: _free_service(machine, service))


def _free_service(machine: Machine, service: Service) -> None:
    if service.stats is not None:
        free(machine, service.stats, "ip_vs_service_rcu_free")
    free(machine, service, "ip_vs_service_rcu_free")


def scan_trash(machine: Machine) -> None:
    """The trash timer: free what was idle for long enough (`ip_vs_dest_trash_expire`)."""
    netns = machine.netns
    params = machine.params
    period = TRASH_IDLE_SECONDS * params.hz
    kept: list[Dest] = []
    for dest in netns.trash:
        if dest.references:
            kept.append(dest)
        elif dest.idle_start is None:
            # 0 means that it was not seen idle yet.
            dest.idle_start = machine.now if jiffies(machine) else machine.now + 1
            kept.append(dest)
        elif signed(machine.now - dest.idle_start - period, params.word_bits) < 0:
            kept.append(dest)
        else:
            _leave_trash(machine, dest)
    netns.trash = kept
    due = machine.now + TRASH_SCAN_SECONDS * params.hz
    netns.trash_scan_due = due if kept else None


def free_trash(machine: Machine) -> None:
    """Netns exit: no connection is left, the whole trash goes."""
    trash, machine.netns.trash = machine.netns.trash, []
    machine.netns.trash_scan_due = None
    for dest in trash:
        dest.references = 0
        _leave_trash(machine, dest)


def _leave_trash(machine: Machine, dest: Dest) -> None:
    """Drop the reference to its service at once, free the dest itself after a grace period."""
    service, dest.service = dest.service, None
    if service is not None:
        put_service(machine, service)
    dest.life = Life.WAITING
    call_rcu(machine.rcu, lambda: _free_dest(machine, dest))


def _free_dest(machine: Machine, dest: Dest) -> None:
    if dest.stats is not None:
        free(machine, dest.stats, "ip_vs_dest_rcu_free")
    free(machine, dest, "ip_vs_dest_rcu_free")
