"""What a control process does for each operation, as a generator of scheduling points."""

from collections.abc import Generator, Sequence
from dataclasses import dataclass, field

from ipvs_est.control import estimator_objects, netns_life, sysctl
from ipvs_est.control import services as control
from ipvs_est.control.packets import Packets, count_on, counted_in, counted_of
from ipvs_est.language.operations import (
    AddDest,
    AddService,
    Advance,
    Delete,
    DeleteDest,
    DeleteService,
    ExitNetns,
    Operation,
    Packet,
    Read,
    SetNice,
    SetRunEstimation,
    StartDest,
    StartService,
    Traffic,
    WriteCpulist,
    Zero,
)
from ipvs_est.machine.locks import Mutex
from ipvs_est.machine.memory import HeapObject
from ipvs_est.machine.points import (
    RCU_READ_LOCK,
    RCU_READ_UNLOCK,
    Body,
    Call,
    FieldAccess,
    Lock,
    Point,
    Sleep,
    Unlock,
)
from ipvs_est.machine.tasks import Task
from ipvs_est.oracle import DEFAULT_SCHEDULER
from ipvs_est.state.machine import Machine, touch
from ipvs_est.state.netns import dest_of
from ipvs_est.state.stats import StatsObject, read, zero

USER_SPACE = "user space"
"""Where a control process sleeps between two operations."""
SYSCTL_WRITES = (SetNice, SetRunEstimation, WriteCpulist)
CONCURRENT = (
    AddDest,
    AddService,
    Advance,
    Delete,
    DeleteDest,
    DeleteService,
    ExitNetns,
    Read,
    StartDest,
    StartService,
    Packet,
    Traffic,
    Zero,
    *SYSCTL_WRITES,
)
"""Operations that tasks of a scenario may do; to advance is to sleep."""


@dataclass(slots=True, eq=False)
class NetnsUse:
    """Who uses the network namespace: it is not taken down under those who hold a reference.

    A write to a sysctl holds none, so one may be under way when netns exit begins, and one may
    begin until the sysctls are unregistered, which waits for those under way, as for any table of
    sysctls.
    """

    reference: Mutex = field(default_factory=lambda: Mutex("netns reference"))
    """Owned by one of the users, or for ever by netns exit."""
    users: list[Task] = field(default_factory=list)
    sysctls: Mutex = field(default_factory=lambda: Mutex("sysctl table"))
    """Owned by one of the writers under way, or for ever by netns exit."""
    writers: list[Task] = field(default_factory=list)
    exiting: bool = False
    unregistered: bool = False
    """The table of sysctls."""
    softirqs: dict[int, Mutex] = field(default_factory=dict)
    """By CPU: one packet is counted at a time, with BH disabled."""


def actor_body(
    machine: Machine, operations: Sequence[Operation], task: Task, use: NetnsUse
) -> Body:
    """One operation after the other; what no longer exists when its turn comes is passed over."""
    index = 0
    while index < len(operations) and _may_begin(use, operations[index]):
        operation = operations[index]
        if isinstance(operation, Advance):
            yield Sleep(operation.n, USER_SPACE)
        elif isinstance(operation, ExitNetns):
            yield Lock(use.reference)
            use.exiting = True
            yield from exit_body(machine, use)
        elif isinstance(operation, SYSCTL_WRITES):
            use.writers.append(task)
            use.sysctls.owner = use.writers[0]
            yield from _operation_body(machine, operation)
            use.writers.remove(task)
            use.sysctls.owner = use.writers[0] if use.writers else None
        elif isinstance(operation, Traffic | Packet):
            yield from _count_packets(machine, operation, use)
        elif isinstance(operation, Read):
            yield from _read_stats(machine, operation)
        else:
            use.users.append(task)
            use.reference.owner = use.users[0]
            yield from _operation_body(machine, operation)
            use.users.remove(task)
            use.reference.owner = use.users[0] if use.users else None
        index += 1


def _may_begin(use: NetnsUse, operation: Operation) -> bool:
    if isinstance(operation, Advance | SetNice | SetRunEstimation | WriteCpulist):
        return not use.unregistered
    return not use.exiting


def exit_body(machine: Machine, use: NetnsUse) -> Body:
    """Netns exit, which waits for writes to sysctls that are under way."""
    # A fingerprint finds out where it stands: it is a local variable.
    call = netns_life.exit_netns(machine)
    for point in call:
        if point is netns_life.UNREGISTER_SYSCTLS:
            yield Lock(use.sysctls)
            use.unregistered = True
        else:
            yield point


def _count_packets(machine: Machine, operation: Traffic | Packet, use: NetnsUse) -> Body:
    """A softirq: under RCU it looks up the object, or the three of a destination, and counts on
    each, word by word if 32-bit, else counter by counter."""
    softirq = use.softirqs.setdefault(operation.cpu, Mutex(f"softirq of CPU {operation.cpu}"))
    yield Lock(softirq)
    yield RCU_READ_LOCK
    yield FieldAccess(None, "objects", write=False)
    packets = (operation.inpkts, operation.outpkts, operation.inbytes, operation.outbytes)
    if isinstance(operation, Packet):
        owners, packets = _three(machine, operation.id, packets)
    else:
        owners = (_counted_on(machine, operation.id),)
    inpkts, outpkts, inbytes, outbytes = packets
    steps = (operation.conns, inpkts, outpkts, inbytes, outbytes)
    if not any(steps):
        owners = ()
    for stats in owners:
        if stats is None:
            continue
        yield from count_on(machine, stats, operation.cpu, steps)
        touch(machine, stats, "cpustats", "ip_vs_in_stats")
    yield RCU_READ_UNLOCK
    yield Unlock(softirq)


def _three(
    machine: Machine, dest_id: int, packets: Packets
) -> tuple[tuple[StatsObject | None, ...], Packets]:
    """The objects that packets of a destination count in, and what is counted of them."""
    dest = dest_of(machine.netns, dest_id)
    return ((), packets) if dest is None else (counted_in(machine, dest), counted_of(dest, packets))


def _counted_on(machine: Machine, object_id: int) -> StatsObject | None:
    """The object that packets find, also a destination in the trash."""
    stats = machine.objects.get(object_id)
    if stats is None:
        dest = dest_of(machine.netns, object_id)
        stats = None if dest is None else dest.stats
    return stats


def _read_stats(machine: Machine, operation: Read) -> Body:
    """Under RCU; the stats lock makes one step of what it guards."""
    yield RCU_READ_LOCK
    yield FieldAccess(None, "objects", write=False)
    stats = machine.objects.get(operation.id)
    if stats is not None:
        yield FieldAccess(stats, "kstats", write=False)
        touch(machine, stats, "kstats", "ip_vs_copy_stats")
        read(stats)
    yield RCU_READ_UNLOCK


def _zero_stats(machine: Machine, object_id: int) -> Call:
    """Under the service mutex, which keeps the object there, and the stats lock."""
    yield machine.lock_service
    stats = machine.objects.get(object_id)
    if stats is not None:
        yield FieldAccess(stats, "kstats", write=True)
        zero(stats)
    yield machine.unlock_service
    return 0


def _operation_body(machine: Machine, operation: Operation) -> Body:
    target = _target(machine, operation)
    call = _call(machine, operation)
    if call is None:
        return
    if target is not None:
        # It is looked up under the service mutex.
        yield next(call)
        if _target(machine, operation) is not target:
            call.close()
            yield machine.unlock_service
            return
    yield from _ignoring_answer(call)


def _ignoring_answer(call: Call) -> Generator[Point, None, None]:
    yield from call


def _target(machine: Machine, operation: Operation) -> HeapObject | None:
    """What the operation needs to be there already."""
    netns = machine.netns
    match operation:
        case AddDest(_, service_id) | DeleteService(service_id):
            return netns.services.get(service_id)
        case DeleteDest(object_id):
            return netns.dests.get(object_id)
        case Delete(object_id):
            return machine.objects.get(object_id)
        case _:
            return None


def _call(machine: Machine, operation: Operation) -> Call | None:
    netns = machine.netns
    match operation:
        case AddService(object_id):
            return control.add_service(machine, object_id, DEFAULT_SCHEDULER)
        case AddDest(object_id, service_id):
            service = netns.services.get(service_id)
            return None if service is None else control.add_dest(machine, object_id, service)
        case DeleteService(object_id):
            service = netns.services.get(object_id)
            return None if service is None else control.delete_service(machine, service)
        case DeleteDest(object_id):
            dest = netns.dests.get(object_id)
            return None if dest is None else control.delete_dest(machine, dest)
        case StartService(object_id):
            return estimator_objects.start_object(machine, object_id, "service")
        case StartDest(object_id):
            return estimator_objects.start_object(machine, object_id, "dest")
        case Delete(object_id):
            stats = machine.objects.get(object_id)
            return None if stats is None else estimator_objects.stop_object(machine, stats)
        case Zero(object_id):
            return _zero_stats(machine, object_id)
        case WriteCpulist(text, allowed, offset):
            if allowed is None:
                allowed = frozenset(range(machine.params.possible_cpus))
            return sysctl.write_cpulist(machine, text, allowed, offset)
        case SetNice(value, offset):
            return sysctl.set_nice(machine, value, offset)
        case SetRunEstimation(value, offset):
            return sysctl.set_run_estimation(machine, value, offset)
        case _:
            raise TypeError(f"no task of a scenario can do {operation.op}")
