"""The situations that histories of a netns have to come to, and how they are recognised."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from ipvs_est import Snapshot, ViolationError
from ipvs_est.answers.results import Result, Returned
from ipvs_est.language.errno import NAMES
from ipvs_est.language.events import (
    ContextAdded,
    Enqueued,
    Event,
    LimitsComputed,
    TaskExited,
    TaskStarted,
)
from ipvs_est.language.operations import (
    AddDest,
    Advance,
    DeleteService,
    Disable,
    ExitNetns,
    Export,
    InitNetns,
    Operation,
    Packet,
    Read,
    Settle,
    Zero,
)
from ipvs_est_checks.machines.naive.steps import NaiveAnswer

SITUATIONS: Mapping[str, str] = {
    "kthreads.three": "there are three kthreads or more",
    "kthreads.full": "a kthread is full",
    "kthreads.limit": "all kthreads are full, no more are allowed, and estimators wait",
    "array.hole": "a slot below the last is empty",
    "array.hole-reused": "a new kthread gets an empty slot below the last",
    "recalculation.many": "new limits with two kthreads or more",
    "recalculation.larger": "larger limits than before with two kthreads or more",
    "recalculation.smaller": "smaller limits than before with two kthreads or more",
    "recalculation.left": "new limits with a kthread above 0 that has no estimator",
    "recalculation.aborted": "a calc phase is aborted",
    "recalculation.disabled": "estimation is disabled during a calc phase",
    "relinking.full-tick": "a relinked estimator finds the row that it wants full",
    "cpulist.empty": "an empty cpulist stops the tasks",
    "cpulist.back": "a cpulist that was empty has CPUs again",
    "jiffies.wrap": "jiffies wrap",
    "trash.freed": "a destination is freed from the trash",
    "trash.back": "a destination comes back from the trash",
    "trash.anew": "a destination comes back to a service made anew",
    "trash.other": "another service has a destination with the address of one in the trash",
    "trash.held": "a connection keeps a destination in the trash",
    "packets.counted": "packets of a destination are counted in three objects",
    "packets.trash": "packets of a destination in the trash are not counted",
    "counters.rates": "an object with rates above 0 is read",
    "counters.zeroed": "an object with rates above 0 is zeroed",
    "netns.exit-busy": "the netns ends with kthreads running",
    "netns.again": "a netns is set up after another's exit",
    "geometry.default": "the default geometry",
    "geometry.one-chain": "preemptible RCU: one chain for each tick",
    "geometry.32-bit": "a 32-bit machine",
    "geometry.no-sysctl": "a kernel without sysctls",
    "nice.EINVAL": "est_nice outside -20..19",
    "write_cpulist.EINVAL": "a malformed cpulist",
    "write_cpulist.ERANGE": "a cpulist with an impossible CPU",
    "write_cpulist.EOVERFLOW": "a cpulist with a number of more than 32 bits",
    "write_cpulist.ENOMEM": "no memory for the cpulist as text",
    "cpulist.ENOMEM": "no memory for the cpulist as a set",
    "svc.ENOMEM": "no memory for a bare service",
    "dest.ENOMEM": "no memory for a bare destination",
    "add_service.ENOMEM": "no memory for a service",
    "add_dest.ENOMEM": "no memory for a destination",
    "init.ENOMEM": "no memory for the netns",
    "no-memory.total": "no memory for the total's stats",
    "no-memory.stats": "no memory for an object's stats",
    "no-memory.service": "no memory for a service's record",
    "no-memory.dest": "no memory for a destination's record",
    "no-memory.array": "no memory for the array of contexts",
    "no-memory.context": "no memory for a context",
    "no-memory.calc_stats": "no memory for calc_stats",
    "no-memory.cpulist": "no memory for the cpulist's mask",
    "no-memory.drain-tick": "kthread 0 finds no memory for a tick",
    "no-memory.drain-context": "kthread 0 finds no memory for a context",
    "no-memory.task": "the reload work finds no memory for a task",
}
"""By id: a sentence."""


@dataclass(slots=True)
class Observer:
    """What a history has come to, and what it takes to tell."""

    reached: set[str] = field(default_factory=set)
    calculating: bool = False
    """Kthread 0 was started for a calc phase and has not yet completed or left it."""
    emptied: bool = False
    exited: bool = False
    orphans: set[tuple[int, int | None]] = field(default_factory=set)
    """Ids of destinations in the trash whose service was deleted, with the service's."""


def observe(
    observer: Observer,
    operation: Operation,
    result: Result | ViolationError,
    answer: NaiveAnswer,
    before: Snapshot,
    after: Snapshot,
    events: Sequence[Event],
) -> None:
    """Take note of one operation."""
    reached = observer.reached
    _machine(reached, after)
    _kthreads(reached, after)
    _record(observer, operation, before, after, events)
    _control(observer, operation, before, after)
    if isinstance(result, Returned) and -result.ret in NAMES:
        # A wrong model may answer anything.
        reached.add(f"{operation.op}.{NAMES[-result.ret]}")
    if answer.failed:
        reached.add(f"no-memory.{answer.failed}")
    if isinstance(operation, Advance | Settle):
        _memory(reached, before, after)


def _machine(reached: set[str], after: Snapshot) -> None:
    params = after.params
    if params.nticks == 50:
        reached.add("geometry.default")
    if params.preempt_rcu:
        reached.add("geometry.one-chain")
    if params.word_bits == 32:
        reached.add("geometry.32-bit")
    if not params.sysctl:
        reached.add("geometry.no-sysctl")


def _kthreads(reached: set[str], after: Snapshot) -> None:
    state = after.state
    kthreads = [kd for kd in state.kthreads if kd is not None]
    full = [kd for kd in kthreads if kd.est_count >= kd.est_max_count > 0]
    if len(kthreads) >= 3:
        reached.add("kthreads.three")
    if len(kthreads) < len(state.kthreads):
        reached.add("array.hole")
    if full:
        reached.add("kthreads.full")
    if state.temp and full == kthreads and len(kthreads) >= state.max_threads:
        reached.add("kthreads.limit")


def _record(
    observer: Observer,
    operation: Operation,
    before: Snapshot,
    after: Snapshot,
    events: Sequence[Event],
) -> None:
    reached = observer.reached
    chain_max = before.state.chain_max
    many = sum(kd is not None for kd in before.state.kthreads) >= 2
    if observer.calculating and isinstance(operation, Disable):
        reached.add("recalculation.disabled")
    for event in events:
        match event:
            case ContextAdded(ktid=slot):
                slots = before.state.kthreads
                if slot < len(slots) and slots[slot] is None:
                    reached.add("array.hole-reused")
            case TaskStarted(ktid=0):
                phase = before.state.calc_phase or after.state.calc_phase
                observer.calculating = bool(phase or not chain_max)
            case TaskExited(task="ipvs-e:0"):
                if observer.calculating and _slept(before):
                    reached.add("recalculation.aborted")
                observer.calculating = False
            case LimitsComputed(chain_max=computed):
                observer.calculating = False
                if has_empty_context(before):
                    reached.add("recalculation.left")
                if many and chain_max:
                    reached.add("recalculation.many")
                    if computed > chain_max:
                        reached.add("recalculation.larger")
                    if computed < chain_max:
                        reached.add("recalculation.smaller")
                chain_max = computed
            case Enqueued(delay=delay, crow=crow, avail=avail):
                if delay != after.params.nticks - 1 and not avail >> crow & 1:
                    reached.add("relinking.full-tick")
            case _:
                pass
    if observer.calculating and not after.state.enable and not before.state.enable:
        # Before its repair, an aborted first calc phase did not end the task.
        drained = any(isinstance(event, Enqueued) for event in events)
        if drained:
            reached.add("recalculation.aborted")


def has_empty_context(snapshot: Snapshot) -> bool:
    """Whether a kthread above 0 has no estimator."""
    return any(kd is not None and not kd.est_count for kd in snapshot.state.kthreads[1:])


def _slept(before: Snapshot) -> bool:
    """Kthread 0's task had begun, it waited in the limits test."""
    kd0 = before.contexts[0] if before.contexts else None
    return kd0 is not None and kd0.task is not None and kd0.task.state != "new"


def _control(observer: Observer, operation: Operation, before: Snapshot, after: Snapshot) -> None:
    reached = observer.reached
    cpulist = after.sysctls.cpulist
    if before.state.enable and after.state.enable and cpulist is not None:
        if not cpulist:
            observer.emptied = True
            if not any(kd is not None and kd.running for kd in after.state.kthreads):
                reached.add("cpulist.empty")
        elif observer.emptied and isinstance(operation, Advance):
            reached.add("cpulist.back")
    if after.state.jiffies < before.state.jiffies:
        reached.add("jiffies.wrap")
    _trash(observer, operation, before, after)
    if isinstance(operation, Packet) and operation.inpkts:
        used = any(dest.id == operation.id and not dest.in_trash for dest in before.dests)
        reached.add("packets.counted" if used else "packets.trash")
    if isinstance(operation, Read | Export | Zero):
        zeroed = isinstance(operation, Zero)
        if any(
            object_state.id == operation.id and any(object_state.rates)
            for object_state in before.objects
        ):
            reached.add("counters.zeroed" if zeroed else "counters.rates")
    if isinstance(operation, ExitNetns):
        observer.exited = True
        observer.emptied = observer.calculating = False
        if any(kd is not None and kd.running for kd in before.state.kthreads):
            reached.add("netns.exit-busy")
    if isinstance(operation, InitNetns) and observer.exited:
        reached.add("netns.again")


def _trash(observer: Observer, operation: Operation, before: Snapshot, after: Snapshot) -> None:
    reached = observer.reached
    trashed = {(dest.id, dest.service): dest for dest in before.dests if dest.in_trash}
    now = {(dest.id, dest.service) for dest in after.dests if dest.in_trash}
    for key, dest in trashed.items():
        if key in now:
            if dest.references and after.trash_scan_due != before.trash_scan_due:
                reached.add("trash.held")
        elif isinstance(operation, Advance):
            reached.add("trash.freed")
        elif isinstance(operation, AddDest):
            reached.add("trash.anew" if key in observer.orphans else "trash.back")
    more = len(after.dests) > len(before.dests)
    if isinstance(operation, AddDest) and more and operation.id in {key[0] for key in trashed}:
        reached.add("trash.other")
    if isinstance(operation, DeleteService):
        observer.orphans |= {key for key in now if key[1] == operation.id}
    observer.orphans &= now


def _memory(reached: set[str], before: Snapshot, after: Snapshot) -> None:
    """Whose allocation failed while tasks ran, as far as the state shows."""
    failing = before.memory.failing
    if failing is None or after.memory.allocations < failing[0]:
        return
    state = after.state
    kd0 = after.contexts[0] if after.contexts else None
    if kd0 is not None and kd0.task is None and after.work.pending and not state.stopped:
        reached.add("no-memory.task")
    elif state.temp and kd0 is not None and kd0.task is not None and not after.state.calc_phase:
        slots = state.kthreads
        kd = slots[state.add_ktid] if state.add_ktid < len(slots) else None
        if kd is not None:
            reached.add("no-memory.drain-tick")
        elif state.kt_count < state.max_threads:
            reached.add("no-memory.drain-context")
