"""The one public picture of the whole state: frozen, complete, comparable, JSON both ways."""

from dataclasses import dataclass

from ipvs_est.codec import decode, encode
from ipvs_est.counters import CpuStats, Group
from ipvs_est.kthread_context import KthreadContext
from ipvs_est.locks import Mutex
from ipvs_est.machine import Machine
from ipvs_est.memory import HeapObject, Life
from ipvs_est.netns import Netns
from ipvs_est.seqcount import group_of
from ipvs_est.state import State, state_from_json, state_to_json, take_state
from ipvs_est.stats import StatsObject
from ipvs_est.tasks import Task
from ipvs_est.violations import Violation, describe

SNAPSHOT_VERSION = 1


@dataclass(frozen=True, slots=True)
class CpuCounters:
    """One CPU's counters of an object."""

    cpu: int
    counters: Group


@dataclass(frozen=True, slots=True)
class ObjectState:
    """A stats object and its estimator."""

    id: int
    owner: str
    """total, service or dest."""
    life: str
    linked: bool
    """The node is on some list."""
    ktid: int
    """-1 = on the temp list."""
    ktrow: int
    ktcid: int
    last: Group
    """Sums at the last estimation, u64."""
    rates: Group
    """Averages, scaled: 2^10 for conns and packets, 2^5 for bytes."""
    kstats: Group
    kstats0: Group
    cpustats: tuple[CpuCounters, ...]
    """CPUs that ever counted, ascending."""


@dataclass(frozen=True, slots=True)
class TaskSnapshot:
    """A kthread's task."""

    ktid: int
    state: str
    should_stop: bool
    wake_at: int | None
    """When sleeping: jiffies since boot, not wrapped."""
    waits_for: str | None
    nice: int
    cpus: tuple[int, ...]
    life: str
    references: int


@dataclass(frozen=True, slots=True)
class ContextSnapshot:
    """What the recorded state leaves out of a kthread context."""

    ktid: int
    needed: bool
    calc_stats: bool
    task: TaskSnapshot | None


@dataclass(frozen=True, slots=True)
class MutexSnapshot:
    """Who holds a mutex and who waits for it."""

    name: str
    owner: str | None
    waiters: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class WorkSnapshot:
    """The reload work."""

    pending: bool
    due: int | None
    """When pending: jiffies since boot, not wrapped."""
    running: bool


@dataclass(frozen=True, slots=True)
class SysctlSnapshot:
    """The sysctl values."""

    run_estimation: bool
    nice: int
    cpulist: tuple[int, ...] | None
    """None = never written."""


@dataclass(frozen=True, slots=True)
class ServiceSnapshot:
    """A service in the table."""

    id: int
    scheduler: str | None
    dests: tuple[int, ...]
    references: int


@dataclass(frozen=True, slots=True)
class DestSnapshot:
    """A destination, in its service or in the trash."""

    id: int
    service: int | None
    references: int
    idle_start: int | None
    in_trash: bool


@dataclass(frozen=True, slots=True)
class MemorySnapshot:
    """The heap."""

    allocations: int
    """Tried so far, failed ones included."""
    live: int
    """Objects not yet freed."""
    waiting: tuple[str, ...]
    """Objects that wait for a grace period, by age."""
    callbacks: int
    """RCU callbacks queued."""


@dataclass(frozen=True, slots=True)
class Snapshot:
    """Everything that decides what happens next, and what has gone wrong so far."""

    version: int
    revision: str
    now: int
    """Jiffies since boot, not wrapped."""
    clock_ns: int
    est_cost_ns: int
    state: State
    contexts: tuple[ContextSnapshot | None, ...]
    """By slot."""
    objects: tuple[ObjectState, ...]
    """By id."""
    services: tuple[ServiceSnapshot, ...]
    dests: tuple[DestSnapshot, ...]
    """By id, those in the trash last."""
    trash_scan_due: int | None
    sysctls: SysctlSnapshot
    mutexes: tuple[MutexSnapshot, ...]
    work: WorkSnapshot
    memory: MemorySnapshot
    violations: tuple[str, ...]


def take_snapshot(machine: Machine) -> Snapshot:
    """The complete state of now."""
    netns = machine.netns
    return Snapshot(
        version=SNAPSHOT_VERSION,
        revision=machine.revision.name,
        now=machine.now,
        clock_ns=machine.clock_ns,
        est_cost_ns=machine.est_cost_ns,
        state=take_state(machine),
        contexts=tuple([None if kd is None else _context(kd) for kd in netns.est_kt_arr]),
        objects=tuple([_object(machine.objects[each]) for each in sorted(machine.objects)]),
        services=tuple([_service(netns, each) for each in sorted(netns.services)]),
        dests=_dests(netns),
        trash_scan_due=netns.trash_scan_due,
        sysctls=SysctlSnapshot(
            netns.run_estimation,
            netns.est_nice,
            tuple(sorted(netns.est_cpulist)) if netns.est_cpulist_valid else None,
        ),
        mutexes=(_mutex(machine.service_mutex), _mutex(netns.est_mutex)),
        work=WorkSnapshot(
            netns.reload_work.pending,
            netns.reload_work.due if netns.reload_work.pending else None,
            netns.reload_work.running is not None,
        ),
        memory=_memory(machine),
        violations=tuple(_violation(each) for each in machine.violations),
    )


def snapshot_to_json(snapshot: Snapshot) -> dict[str, object]:
    """The snapshot as a JSON object; its `state` has the recorded form."""
    return encode(snapshot, {State: _encode_state})


def snapshot_from_json(value: object) -> Snapshot:
    """The inverse of `snapshot_to_json`; raises InputError."""
    return decode(Snapshot, value, {State: state_from_json})


def _encode_state(state: object) -> dict[str, object]:
    assert isinstance(state, State)
    return state_to_json(state)


def _violation(violation: Violation) -> str:
    return describe(violation)


def _context(kd: KthreadContext) -> ContextSnapshot:
    task = None if kd.task is None else _task(kd.id, kd.task)
    return ContextSnapshot(kd.id, kd.needed, kd.calc_stats is not None, task)


def _task(ktid: int, task: Task) -> TaskSnapshot:
    waits_for = task.waits_for
    return TaskSnapshot(
        ktid=ktid,
        state=task.state.value,
        should_stop=task.should_stop,
        wake_at=task.wake_at if task.state.value == "sleeping" else None,
        waits_for=None if waits_for is None else waits_for.name,
        nice=task.nice,
        cpus=tuple(sorted(task.cpus)),
        life=task.life.value,
        references=task.references,
    )


def _object(stats: StatsObject) -> ObjectState:
    est = stats.est
    return ObjectState(
        id=stats.id,
        owner=stats.owner,
        life=stats.life.value,
        linked=est.prev is not None,
        ktid=est.ktid,
        ktrow=est.ktrow,
        ktcid=est.ktcid,
        last=est.last,
        rates=est.rates,
        kstats=stats.kstats,
        kstats0=stats.kstats0,
        cpustats=_cpustats(stats.cpustats),
    )


def _cpustats(cpustats: CpuStats) -> tuple[CpuCounters, ...]:
    return tuple([CpuCounters(cpu, group_of(cpustats[cpu])) for cpu in sorted(cpustats)])


def _service(netns: Netns, service_id: int) -> ServiceSnapshot:
    service = netns.services[service_id]
    dests = tuple(sorted(service.dests))
    return ServiceSnapshot(service.id, service.scheduler, dests, service.references)


def _dests(netns: Netns) -> tuple[DestSnapshot, ...]:
    found = [(netns.dests[each], False) for each in sorted(netns.dests)]
    found += [(dest, True) for dest in netns.trash]
    return tuple(
        DestSnapshot(
            dest.id,
            None if dest.service is None else dest.service.id,
            dest.references,
            dest.idle_start,
            in_trash,
        )
        for dest, in_trash in found
    )


def _mutex(mutex: Mutex) -> MutexSnapshot:
    owner = None if mutex.owner is None else mutex.owner.name
    return MutexSnapshot(mutex.name, owner, tuple(each.name for each in mutex.waiters))


def _memory(machine: Machine) -> MemorySnapshot:
    memory = machine.memory
    waiting: list[HeapObject] = [
        memory.live[serial]
        for serial in sorted(memory.live)
        if memory.live[serial].life is Life.WAITING
    ]
    return MemorySnapshot(
        allocations=memory.allocations,
        live=len(memory.live),
        waiting=tuple(each.describe() for each in waiting),
        callbacks=len(machine.rcu.pending),
    )
