"""What each operation does to the naive model, and what it must answer."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import assert_never

from ipvs_est.language.events import Estimated, Event
from ipvs_est.language.operations import (
    AddDest,
    AddService,
    Advance,
    Cleanup,
    Delete,
    DeleteDest,
    DeleteService,
    Disable,
    Dump,
    ExitNetns,
    Export,
    FailAllocations,
    GetDest,
    InitNetns,
    Operation,
    Packet,
    PutDest,
    Read,
    ReadCpulist,
    ReadPercpu,
    ReadStatus,
    SetCost,
    SetCpulist,
    SetNice,
    SetRunEstimation,
    Settle,
    StartDest,
    StartService,
    StartTotal,
    TakeSnapshot,
    Traffic,
    WriteCpulist,
    Zero,
)
from ipvs_est_checks.machines.naive.cpulist import Bad, in_ranges, interpret
from ipvs_est_checks.machines.naive.model import (
    EINVAL,
    ENOMEM,
    IDLE_SECONDS,
    SCAN_SECONDS,
    TOTAL,
    NaiveDest,
    NaiveModel,
    NaiveService,
    allocations_to_start,
    boot,
    counting,
    dest_of,
    kthread_cpus,
    kthread_room,
    live,
    threads_allowed,
    waiting_for,
)
from ipvs_est_checks.machines.naive.rates import (
    KINDS,
    NaiveStats,
    count,
    counters_exported,
    counters_read,
    estimate,
    rates_exported,
    rates_read,
    sums_of,
    zero,
)

ERRNO = {"EINVAL": -22, "ERANGE": -34, "EOVERFLOW": -75}


@dataclass(frozen=True, slots=True)
class Heap:
    """Which allocations will fail: an input of the model, it does not count them itself."""

    done: int
    """Allocations so far."""
    failing: tuple[int, int] | None
    """Number, from 1, of the first that will fail, and of the last."""


@dataclass(frozen=True, slots=True)
class NaiveAnswer:
    """What an operation must answer, and which allocation failed."""

    ret: int = 0
    text: str | None = None
    reading: tuple[tuple[int, ...], tuple[int, ...]] | None = None
    cpus: tuple[tuple[int, ...], ...] = ()
    """Counters by CPU."""
    status: tuple[int, int] = (0, 0)
    """`est_max_threads`, and the estimators that a chain_max of 1 lets a kthread have."""
    failed: str = ""
    """Kind of allocation; '' = none."""


DONE = NaiveAnswer()


def failing_kind(heap: Heap, kinds: Sequence[str]) -> str:
    """The first of these allocations that fails; '' = none."""
    if heap.failing is not None:
        first, last = heap.failing
        for index, kind in enumerate(kinds, heap.done + 1):
            if first <= index <= last:
                return kind
    return ""


def follow(model: NaiveModel, operation: Operation, heap: Heap) -> NaiveAnswer:
    """Do it in the model. For operations that make sense there."""
    match operation:
        case StartService(object_id) | StartDest(object_id):
            return _start_bare(model, object_id, heap, service=isinstance(operation, StartService))
        case Delete(object_id):
            del model.bare[object_id], model.owners[object_id]
        case AddService(object_id):
            return _add_service(model, object_id, heap)
        case DeleteService(object_id):
            _delete_service(model, object_id)
        case AddDest(object_id, service_id):
            return _add_dest(model, object_id, model.services[service_id], heap)
        case DeleteDest(object_id):
            _delete_dest(model, model.dests[object_id])
        case GetDest(object_id):
            model.dests[object_id].held += 1
        case PutDest(object_id):
            dest = dest_of(model, object_id)
            assert dest is not None  # else the operation would make no sense
            dest.held -= 1
        case Traffic(object_id, cpu):
            steps = (operation.conns, operation.inpkts, operation.outpkts)
            stats = counting(model)[object_id]
            count(stats, cpu, (*steps, operation.inbytes, operation.outbytes))
        case Packet(object_id, cpu):
            _packet(model, operation, cpu)
        case ReadStatus():
            return NaiveAnswer(status=(model.max_threads, kthread_room(model)))
        case ReadPercpu():
            assert model.total is not None  # else the operation would make no sense
            counted = model.total.counted
            rows = tuple(
                tuple(number % 2**64 for number in counted.get(cpu, [0] * KINDS))
                for cpu in range(model.params.possible_cpus)
            )
            total = (counters_read(model.total), rates_read(model.total))
            return NaiveAnswer(cpus=rows, reading=total)
        case Zero(object_id):
            zero(live(model)[object_id])
        case Read(object_id):
            stats = live(model)[object_id]
            return NaiveAnswer(reading=(counters_read(stats), rates_read(stats)))
        case Export(object_id):
            stats = live(model)[object_id]
            return NaiveAnswer(reading=(counters_exported(stats), rates_exported(stats)))
        case SetCpulist(weight):
            return _set_cpulist(model, frozenset(range(weight)), heap)
        case WriteCpulist(text, allowed, offset):
            return DONE if offset or not text else _write_cpulist(model, text, allowed, heap)
        case ReadCpulist():
            cpus = kthread_cpus(model) & frozenset(range(model.params.possible_cpus))
            return NaiveAnswer(text=in_ranges(cpus))
        case SetNice(value, offset):
            if offset:
                return DONE
            if not -20 <= value <= 19:
                return NaiveAnswer(EINVAL)
            model.nice = value
        case SetRunEstimation(value, offset):
            model.run_estimation = model.run_estimation if offset else value
        case Advance(jiffies):
            _pass_time(model, model.now + jiffies)
        case InitNetns() | StartTotal():
            return _init(model, heap)
        case Disable():
            model.enable = False
        case Cleanup():
            model.total = None
            model.max_threads = 0
            model.kd0_made = False
            model.initialised = False
        case ExitNetns():
            fresh(model)
        case SetCost() | Settle() | FailAllocations() | Dump() | TakeSnapshot():
            pass
        case _:
            assert_never(operation)
    return DONE


def fresh(model: NaiveModel) -> None:
    """All of the netns is gone; the machine and its time go on."""
    new = replace(boot(model.params, model.revision), now=model.now)
    for name in NaiveModel.__slots__:
        setattr(model, name, getattr(new, name))


def see(model: NaiveModel, events: Sequence[Event], known: set[int]) -> list[int]:
    """Estimate what the record says was estimated; answers ids that nobody had.

    `known` were alive before the operation, which may have ended them.
    """
    unknown: list[int] = []
    objects = live(model)
    for event in events:
        if isinstance(event, Estimated):
            stats = objects.get(event.id)
            if stats is not None:
                estimate(stats, sums_of(stats))
            elif event.id not in known:
                unknown.append(event.id)
    return unknown


def _start(model: NaiveModel, heap: Heap, before: Sequence[str]) -> str:
    """Start an estimator after the allocations `before`; answers the kind that failed."""
    failed = failing_kind(heap, before)
    if failed:
        return failed
    if model.revision.computes_max_threads_at_start and model.enable and not model.max_threads:
        model.max_threads = threads_allowed(model)
    failed = failing_kind(heap, [*before, *allocations_to_start(model)])
    model.kd0_made = model.kd0_made or not failed
    return failed


def _enable(model: NaiveModel) -> None:
    if not model.enable:
        model.enable = True
        if model.revision.est_mutex_at_enable:
            model.max_threads = threads_allowed(model)


def _init(model: NaiveModel, heap: Heap) -> NaiveAnswer:
    if model.params.sysctl:
        failed = _start(model, heap, ["total"])
        if failed:
            return NaiveAnswer(ENOMEM, failed=failed)
        model.total = NaiveStats()
    elif not model.initialised and (failed := failing_kind(heap, ["total"])):
        return NaiveAnswer(ENOMEM, failed=failed)
    model.initialised = True
    return DONE


def _start_bare(model: NaiveModel, object_id: int, heap: Heap, *, service: bool) -> NaiveAnswer:
    failed = _start(model, heap, ["stats"])
    if failed:
        return NaiveAnswer(ENOMEM, failed=failed)
    model.bare[object_id] = NaiveStats()
    model.owners[object_id] = "service" if service else "dest"
    if service:
        _enable(model)
    return DONE


def _add_service(model: NaiveModel, service_id: int, heap: Heap) -> NaiveAnswer:
    failed = _start(model, heap, ["service", "stats"])
    if failed:
        return NaiveAnswer(ENOMEM, failed=failed)
    model.services[service_id] = NaiveService(service_id)
    _enable(model)
    return DONE


def _delete_service(model: NaiveModel, service_id: int) -> None:
    service = model.services.pop(service_id)
    for dest in reversed(list(model.dests.values())):
        if dest.service is service:
            _delete_dest(model, dest)


def _add_dest(model: NaiveModel, dest_id: int, service: NaiveService, heap: Heap) -> NaiveAnswer:
    known = waiting_for(model, dest_id, service)
    failed = _start(model, heap, ["dest", "stats"] if known is None else [])
    if failed:
        return NaiveAnswer(ENOMEM, failed=failed)
    if known is None:
        known = NaiveDest(dest_id, service)
    else:
        model.trash.remove(known)
        known.idle_since = None
        if known.service is not service:
            zero(known.stats)
            known.service = service
    model.dests[dest_id] = known
    return DONE


def _delete_dest(model: NaiveModel, dest: NaiveDest) -> None:
    if not model.trash:
        model.scan_due = model.now + SCAN_SECONDS * model.params.hz
    del model.dests[dest.id]
    model.trash.append(dest)


def _pass_time(model: NaiveModel, until: int) -> None:
    while model.scan_due is not None and model.scan_due <= until:
        model.now = model.scan_due
        model.trash = [dest for dest in model.trash if not _gone(model, dest)]
        again = model.now + SCAN_SECONDS * model.params.hz
        model.scan_due = again if model.trash else None
    model.now = until


def _gone(model: NaiveModel, dest: NaiveDest) -> bool:
    """A scan sees it: whether it was idle for long enough."""
    if dest.held:
        return False
    if dest.idle_since is None:
        # To the kernel jiffies of 0 mean that it was never seen idle.
        dest.idle_since = model.now + (model.now % 2**model.params.word_bits == 0)
        return False
    return model.now - dest.idle_since >= IDLE_SECONDS * model.params.hz


def _packet(model: NaiveModel, packet: Packet, cpu: int) -> None:
    """Three objects count; only connections do for a destination that was deleted."""
    dest = dest_of(model, packet.id)
    assert dest is not None  # else the operation would make no sense
    sent = [packet.inpkts, packet.outpkts, packet.inbytes, packet.outbytes]
    if packet.id not in model.dests:
        sent = [0, 0, 0, 0]
    if packet.conns or any(sent):
        for stats in (dest.stats, dest.service.stats, model.total):
            if stats is not None:
                count(stats, cpu, (packet.conns, *sent))


def _write_cpulist(
    model: NaiveModel, text: str, allowed: frozenset[int] | None, heap: Heap
) -> NaiveAnswer:
    meant = interpret(text, model.params.possible_cpus)
    if isinstance(meant, Bad):
        return NaiveAnswer(ERRNO[meant.errno])
    return _set_cpulist(model, meant if allowed is None else meant & allowed, heap)


def _set_cpulist(model: NaiveModel, cpus: frozenset[int], heap: Heap) -> NaiveAnswer:
    if model.cpulist is None:
        failed = failing_kind(heap, ["cpulist"])
        if failed:
            return NaiveAnswer(ENOMEM, failed=failed)
    model.cpulist = cpus
    model.max_threads = threads_allowed(model)
    return DONE


def makes_sense(model: NaiveModel, operation: Operation) -> bool:
    """The operation names what there is and creates what there is not."""
    objects = live(model)
    match operation:
        case StartService(object_id) | StartDest(object_id) | AddService(object_id):
            return object_id != TOTAL and object_id not in counting(model)
        case AddDest(object_id, service_id):
            return service_id in model.services and object_id != TOTAL and object_id not in objects
        case Delete(object_id):
            return object_id in model.bare
        case DeleteService(object_id):
            return object_id in model.services
        case DeleteDest(object_id) | GetDest(object_id):
            return object_id in model.dests
        case PutDest(object_id):
            dest = dest_of(model, object_id)
            return dest is not None and dest.held > 0
        case Traffic(object_id, cpu):
            return object_id in counting(model) and cpu < model.params.possible_cpus
        case Packet(object_id, cpu):
            return dest_of(model, object_id) is not None and cpu < model.params.possible_cpus
        case ReadStatus():
            return model.revision.has_status_file
        case ReadPercpu():
            return model.total is not None
        case Zero(object_id) | Read(object_id) | Export(object_id):
            return object_id in objects
        case SetCpulist() | WriteCpulist() | ReadCpulist() | SetNice() | SetRunEstimation():
            return model.params.sysctl
        case StartTotal():
            return model.params.sysctl and model.total is None
        case InitNetns():
            return model.total is None or not model.params.sysctl
        case Cleanup():
            return objects.keys() <= {TOTAL}
        case _:
            return True


def needs_netns(operation: Operation) -> bool:
    """The operation makes sense only between netns init and exit."""
    return not isinstance(
        operation,
        InitNetns | StartTotal | Advance | Settle | SetCost | FailAllocations | Dump | TakeSnapshot,
    )
