"""The one public picture of the whole state: frozen, complete, comparable, JSON both ways
(docs: SCHEMA.md)."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Annotated

from ipvs_est.answers.state import State, state_from_json, state_to_json, take_state
from ipvs_est.language.codec import OneOf, Range, decode, encode
from ipvs_est.language.counters import CpuStats
from ipvs_est.language.fixed import U64_MASK
from ipvs_est.language.header import params_from_json, params_to_json
from ipvs_est.language.input_error import InputError
from ipvs_est.language.params import MAX_POSSIBLE_CPUS, MAX_TICKS, Params
from ipvs_est.language.violations import describe
from ipvs_est.machine.hlist import linked
from ipvs_est.machine.locks import Mutex
from ipvs_est.machine.memory import HeapObject, Life, Memory
from ipvs_est.machine.tasks import Task, TaskState
from ipvs_est.state.kthread_context import KthreadContext
from ipvs_est.state.machine import PS_PER_NS, Machine
from ipvs_est.state.netns import Netns
from ipvs_est.state.seqcount import group_of
from ipvs_est.state.stats import StatsObject

SNAPSHOT_VERSION = 2

U64 = Annotated[int, Range(0, U64_MASK)]
U64Group = tuple[U64, U64, U64, U64, U64]
"""One value for each counter, as `ipvs_est.language.counters.Group`."""
Natural = Annotated[int, Range(0, None)]
Slot = Annotated[int, Range(0, 2**15 - 1)]
"""Index in est_kt_arr."""
Row = Annotated[int, Range(0, MAX_TICKS - 1)]
ObjectId = Annotated[int, Range(0, 2**31 - 1)]
Cpu = Annotated[int, Range(0, MAX_POSSIBLE_CPUS - 1)]
LifeName = Annotated[str, OneOf(tuple(item.value for item in Life))]


@dataclass(frozen=True, slots=True)
class CpuCounters:
    """One CPU's counters of an object."""

    cpu: Cpu
    counters: U64Group


@dataclass(frozen=True, slots=True)
class ObjectState:
    """A stats object and its estimator."""

    id: ObjectId
    owner: Annotated[str, OneOf(("total", "service", "dest"))]
    life: LifeName
    linked: bool
    """The node is on some list."""
    ktid: Annotated[int, Range(-1, 2**15 - 1)]
    """-1 = on the temp list."""
    ktrow: Annotated[int, Range(0, 255)]
    """On the temp list the wanted delay in ticks."""
    ktcid: Annotated[int, Range(0, 255)]
    """Keeps its last value on the temp list."""
    last: U64Group
    """Sums at the last estimation."""
    rates: U64Group
    """Averages, scaled: 2^10 for conns and packets, 2^5 for bytes."""
    kstats: U64Group
    """Sums over the CPUs as of the last estimation."""
    kstats0: U64Group
    """Zero point."""
    cpustats: tuple[CpuCounters, ...]
    """CPUs that ever counted, ascending."""


@dataclass(frozen=True, slots=True)
class TaskSnapshot:
    """A kthread's task."""

    ktid: Slot
    state: Annotated[str, OneOf(tuple(item.value for item in TaskState))]
    should_stop: bool
    """`kthread_stop` was called."""
    wake_at: Natural | None
    """When sleeping: jiffies since boot, not wrapped."""
    waits_for: str | None
    """Name of the mutex, or of the task whose exit it waits for."""
    nice: Annotated[int, Range(-20, 19)]
    cpus: tuple[Cpu, ...]
    """CPU affinity, ascending."""
    life: LifeName
    references: Natural
    """Beyond the one that it holds on itself until it exits."""


@dataclass(frozen=True, slots=True)
class ContextSnapshot:
    """What the recorded state leaves out of a kthread context."""

    ktid: Slot
    needed: bool
    calc_stats: bool
    """Has the object that the limits test estimates."""
    tick_len: tuple[Natural, ...]
    """By row, those without a tick included."""
    chain_len: tuple[tuple[Row, tuple[Natural, ...]], ...]
    """Row and lengths of all its chains, for each row that has a tick, ascending."""
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
    due: Natural | None
    """When pending: jiffies since boot, not wrapped."""
    running: bool
    """An instance is alive."""
    waits_for: str | None
    """Name of the mutex, or of the task whose exit, that instance waits for."""


@dataclass(frozen=True, slots=True)
class SysctlSnapshot:
    """The sysctl values."""

    run_estimation: Annotated[int, Range(-(2**31), 2**31 - 1)]
    nice: Annotated[int, Range(-20, 19)]
    cpulist: tuple[Cpu, ...] | None
    """Ascending; None = never written."""


@dataclass(frozen=True, slots=True)
class ServiceSnapshot:
    """A service in the table."""

    id: ObjectId
    scheduler: str | None
    """None: cleared."""
    dests: tuple[ObjectId, ...]
    """Ascending."""
    references: Natural
    """One while it is in the table and one from each dest, those in the trash included."""


@dataclass(frozen=True, slots=True)
class DestSnapshot:
    """A destination, in its service or in the trash."""

    id: ObjectId
    service: ObjectId | None
    references: Natural
    """Held by connections."""
    idle_start: Natural | None
    """In the trash: when it was first seen idle, jiffies since boot, not wrapped."""
    in_trash: bool
    stats: ObjectState | None
    """In the trash: its stats object. That of another dest is among the `objects`."""


@dataclass(frozen=True, slots=True)
class MemorySnapshot:
    """The heap."""

    allocations: Natural
    """Tried so far, failed ones included."""
    failing: tuple[Natural, Natural] | None
    """Numbers, from 1, of the next allocation that fails and the last; None = none will."""
    live: Natural
    """Objects not yet freed."""
    waiting: tuple[str, ...]
    """Objects that wait for a grace period, by age."""
    callbacks: Natural
    """RCU callbacks queued."""


@dataclass(frozen=True, slots=True)
class Snapshot:
    """All data that decides what happens next, and what has gone wrong so far.

    What is not data is where a waiting task stands in its function, such as after how many
    tests in the limits test.
    """

    version: Annotated[int, Range(SNAPSHOT_VERSION, SNAPSHOT_VERSION)]
    revision: str
    params: Params
    now: Natural
    """Jiffies since boot, not wrapped."""
    clock_ns: Natural
    """What the limits test reads, not wrapped."""
    est_cost_ns: Natural
    state: State
    contexts: tuple[ContextSnapshot | None, ...]
    """By slot."""
    objects: tuple[ObjectState, ...]
    """By id."""
    services: tuple[ServiceSnapshot, ...]
    dests: tuple[DestSnapshot, ...]
    """By id, those in the trash last."""
    trash_scan_due: Natural | None
    """Jiffies since boot, not wrapped; None = no scan is to come."""
    sysctls: SysctlSnapshot
    mutexes: tuple[MutexSnapshot, ...]
    work: WorkSnapshot
    memory: MemorySnapshot
    violations: tuple[str, ...]
    """One line each, in order."""


def take_snapshot(machine: Machine) -> Snapshot:
    """The complete state of now."""
    netns = machine.netns
    return Snapshot(
        version=SNAPSHOT_VERSION,
        revision=machine.revision.name,
        params=machine.params,
        now=machine.now,
        clock_ns=machine.clock_ps // PS_PER_NS,
        est_cost_ns=machine.est_cost_ps // PS_PER_NS,
        state=take_state(machine),
        contexts=tuple([None if kd is None else _context(kd) for kd in netns.est_kt_arr]),
        objects=tuple([_object(machine.objects[number]) for number in sorted(machine.objects)]),
        services=tuple([_service(netns, service) for service in sorted(netns.services)]),
        dests=_dests(netns),
        trash_scan_due=netns.trash_scan_due,
        sysctls=SysctlSnapshot(
            netns.run_estimation,
            netns.est_nice,
            tuple(sorted(netns.est_cpulist)) if netns.est_cpulist_valid else None,
        ),
        mutexes=(_mutex(machine.service_mutex), _mutex(netns.est_mutex)),
        work=_work(netns),
        memory=_memory(machine),
        violations=tuple([describe(violation) for violation in machine.violations]),
    )


def snapshot_to_json(snapshot: Snapshot) -> dict[str, object]:
    """The snapshot as a JSON object; its `state` has the recorded form."""
    return encode(snapshot, _ENCODERS)


def snapshot_from_json(value: object) -> Snapshot:
    """The inverse of `snapshot_to_json`; raises InputError."""
    return decode(Snapshot, value, _DECODERS)


def _encode_state(state: object) -> dict[str, object]:
    assert isinstance(state, State)
    return state_to_json(state)


def _encode_params(params: object) -> dict[str, object]:
    assert isinstance(params, Params)
    return params_to_json(params)


def _decode_params(value: object) -> Params:
    try:
        return params_from_json(value)
    except InputError as error:
        # Those of a header name the whole path.
        where = error.field.removeprefix("params").removeprefix(".")
        raise InputError(where, error.message) from None


def _decode_state(value: object) -> State:
    return state_from_json(value, "")


_ENCODERS: dict[type, Callable[[object], dict[str, object]]] = {
    State: _encode_state,
    Params: _encode_params,
}
_DECODERS: dict[type, Callable[[object], object]] = {
    State: _decode_state,
    Params: _decode_params,
}


def _context(kd: KthreadContext) -> ContextSnapshot:
    return ContextSnapshot(
        ktid=kd.id,
        needed=kd.needed,
        calc_stats=kd.calc_stats is not None,
        tick_len=tuple(kd.tick_len),
        chain_len=tuple([(td.row, tuple(td.chain_len)) for td in kd.ticks if td is not None]),
        task=None if kd.task is None else _task(kd.id, kd.task),
    )


def _task(ktid: int, task: Task) -> TaskSnapshot:
    return TaskSnapshot(
        ktid=ktid,
        state=task.state.value,
        should_stop=task.should_stop,
        wake_at=task.wake_at if task.state is TaskState.SLEEPING else None,
        waits_for=_waits_for(task),
        nice=task.nice,
        cpus=tuple(sorted(task.cpus)),
        life=task.life.value,
        references=task.references,
    )


def _waits_for(task: Task) -> str | None:
    return None if task.waits_for is None else task.waits_for.name


def _work(netns: Netns) -> WorkSnapshot:
    work = netns.reload_work
    return WorkSnapshot(
        pending=work.pending,
        due=work.due if work.pending else None,
        running=work.running is not None,
        waits_for=None if work.running is None else _waits_for(work.running),
    )


def _object(stats: StatsObject) -> ObjectState:
    est = stats.est
    return ObjectState(
        id=stats.id,
        owner=stats.owner,
        life=stats.life.value,
        linked=linked(est),
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
    found = [(netns.dests[dest], False) for dest in sorted(netns.dests)]
    found += [(dest, True) for dest in reversed(netns.trash)]
    return tuple(
        DestSnapshot(
            dest.id,
            None if dest.service is None else dest.service.id,
            dest.references,
            dest.idle_start,
            in_trash,
            _object(dest.stats) if in_trash and dest.stats is not None else None,
        )
        for dest, in_trash in found
    )


def _mutex(mutex: Mutex) -> MutexSnapshot:
    owner = None if mutex.owner is None else mutex.owner.name
    return MutexSnapshot(mutex.name, owner, tuple(waiter.name for waiter in mutex.waiters))


def _memory(machine: Machine) -> MemorySnapshot:
    memory = machine.memory
    waiting: list[HeapObject] = [
        memory.live[serial]
        for serial in sorted(memory.live)
        if memory.live[serial].life is Life.WAITING
    ]
    return MemorySnapshot(
        allocations=memory.allocations,
        failing=_failing(memory),
        live=len(memory.live),
        waiting=tuple(heap_object.describe() for heap_object in waiting),
        callbacks=len(machine.rcu.pending),
    )


def _failing(memory: Memory) -> tuple[int, int] | None:
    first = max(memory.fail_first, memory.allocations + 1)
    return (first, memory.fail_last) if first <= memory.fail_last else None
