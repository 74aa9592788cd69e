"""What a step touches: the parts of a world that it reads and writes.

What it writes is seen: it is what differs after it (`parts.py`), with what its point says that it
writes. What it reads is declared here, by the point at which the step begins, those that it
passes over (`World.passed`), the functions that it is in, and what it has done. A step under a
mutex reads what the mutex guards; it need not say so one by one, since who writes that without
the mutex is taken to touch the mutex itself.

Two steps of different threads that can both go on are *independent* if neither writes what the
other touches. Then each does the same before and after the other, both orders lead to the same
state, and neither keeps the other from going on.
"""

from collections.abc import Iterable
from dataclasses import dataclass, field
from types import GeneratorType
from typing import assert_never

from ipvs_est.language.events import (
    CalcPhaseBegun,
    CalcPhaseRequested,
    ContextAdded,
    CpulistSet,
    Event,
    LimitsMeasured,
    TaskStarted,
)
from ipvs_est.machine.points import (
    Barrier,
    Body,
    CancelWork,
    FieldAccess,
    GiveWay,
    Join,
    Lock,
    Point,
    QueueWork,
    RcuReadLock,
    RcuReadUnlock,
    Sleep,
    Start,
    Stop,
    Unlock,
    WordAccess,
)
from ipvs_est.machine.tasks import Task, TaskState
from ipvs_est.state.seqcount import SYNCP
from ipvs_est_checks.explore.engine.bodies import exit_body
from ipvs_est_checks.explore.engine.states.projection import Projection, projection
from ipvs_est_checks.explore.engine.world import RCU, Thread, World
from ipvs_est_checks.explore.reduction.parts import Name, Parts, parts_of

_GUARDED_BY_BOTH = frozenset({"est_kt_count", "needed"})
"""Who writes it holds both, who reads it one of them."""
GUARDED_BY_SERVICE = _GUARDED_BY_BOTH | {
    "est_add_ktid",
    "est_chain_max",
    "est_temp_list",
    "limits",
    "lists",
    "objects",
    "trash",
}
GUARDED_BY_EST = _GUARDED_BY_BOTH | {
    "est_cpulist",
    "est_cpulist_valid",
    "est_genid",
    "est_genid_done",
    "est_max_threads",
    "est_nice",
    "est_stopped",
    "kthread",
    "run_estimation",
}
_ALIVE = frozenset({"work", "kthread", "task"})
"""What tells whether a control process is alone, which excuses a change without its lock."""
_CHANGED_ALONE = GUARDED_BY_EST | GUARDED_BY_SERVICE | {"est_calc_phase"}
_READ_CLOCK = frozenset({"kthread", "est_kt_count", "timer", "trash", "allocations", "work"})
"""Who writes one of these has looked at the time."""


@dataclass(frozen=True, slots=True)
class Footprint:
    """What a step touches, as sets of bits that a `Names` has given out."""

    reads: int
    writes: int


def independent(one: Footprint, other: Footprint) -> bool:
    """Whether the two steps do the same in either order."""
    return not (one.writes & (other.reads | other.writes) or one.reads & other.writes)


@dataclass(slots=True)
class PartNames:
    """A bit for each part."""

    bits: dict[Name, int] = field(default_factory=dict)

    def set_of(self, names: Iterable[Name]) -> int:
        """The set of these parts."""
        bits = self.bits
        total = 0
        for name in names:
            bit = bits.get(name)
            if bit is None:
                bit = bits[name] = 1 << len(bits)
            total |= bit
        return total


@dataclass(frozen=True, slots=True)
class _Before:
    """What is known of a step before it is taken."""

    parts: Parts
    projection: Projection | None
    events: int
    callbacks: int
    held: frozenset[str]
    """Names of the mutexes that its thread owns."""
    reading: int
    call: object
    """What the thread's outermost function waits in."""
    point: Point | None
    """Where the thread stands."""


@dataclass(slots=True)
class FootprintTaker:
    """Takes the footprint of each step, one world at a time."""

    names: PartNames = field(default_factory=PartNames)
    last: Footprint | None = None
    """Of the last step; None if it was not taken or has failed."""
    parts: Parts | None = None
    """After that step."""

    def forget(self) -> None:
        """A step is taken without a look at it."""
        self.last = self.parts = None

    def before(self, world: World, choice: int) -> "_Taking":
        """Begin with a step that is to be taken."""
        parts = self.parts if self.parts is not None else parts_of(world)
        self.forget()
        return _begin(world, choice, parts)

    def after(self, world: World, taking: "_Taking") -> None:
        """The step was taken without a failure."""
        self.parts = parts_of(world)
        reads, writes = _end(world, taking, self.parts)
        names = self.names
        self.last = Footprint(names.set_of(reads), names.set_of(writes))


@dataclass(slots=True)
class _Taking:
    choice: int
    thread: Thread | None
    reads: set[Name]
    writes: set[Name]
    before: _Before


def _begin(world: World, choice: int, parts: Parts) -> _Taking:
    machine = world.machine
    thread = world.by_index[choice] if choice >= 0 else None
    held: frozenset[str] = frozenset()
    if thread is not None:
        mutexes = (machine.service_mutex, machine.netns.est_mutex)
        held = frozenset(mutex.name for mutex in mutexes if mutex.owner is thread.task)
    before = _Before(
        parts,
        None if world.watch is None else projection(machine),
        len(machine.events or ()),
        len(world.callbacks),
        held,
        0 if thread is None else thread.reading,
        None if thread is None else _call_of(thread.body),
        None if thread is None else thread.point,
    )
    taking = _Taking(choice, thread, set(), set(), before)
    reads, writes = taking.reads, taking.writes
    world.passed = []
    if thread is None:
        if choice == RCU:
            _of_callback(world, writes)
        else:
            reads |= {("wake-ups", 0), ("work", 0), ("trash", 0), ("idle", 0)}
        return taking
    reads.add(("task", thread.index))
    point = thread.point
    if point is not None:
        _of_point(world, point, reads, writes)
    _of_functions(world, thread, point, reads)
    names = _functions(thread.body)
    if isinstance(point, Lock) and (_is_reference(world, point) or names[-1] == "exit_netns"):
        # It clears `enable`, perhaps again.
        writes.add(("enable", 0))
    if machine.service_mutex.name not in held and "stop_estimator" in names:
        # Netns exit, where it stops the total without the mutex.
        writes |= {("est_add_ktid", 0), ("guarded", machine.service_mutex.name)}
    return taking


def _is_reference(world: World, point: Lock) -> bool:
    """Whether it is netns exit that waits there."""
    return world.use is not None and point.mutex is world.use.reference


def _of_callback(world: World, writes: set[Name]) -> None:
    callback, _ = world.callbacks[0]
    cells = getattr(callback, "__closure__", None) or ()
    for cell in cells:
        if cell.cell_contents is not world.machine:
            writes.add(("life", cell.cell_contents.describe()))


def _end(world: World, taking: _Taking, parts: Parts) -> tuple[set[Name], set[Name]]:
    before, thread = taking.before, taking.thread
    reads, writes = taking.reads, taking.writes
    machine = world.machine
    old = before.parts
    changed = {name for name, value in parts.items() if old.get(name, parts) != value}
    changed.update(name for name in old if name not in parts)
    writes |= changed
    kinds = {kind for kind, _ in changed}
    if "lists" in kinds or "est_temp_list" in kinds:
        writes.add(("any list", 0))
    for passed in world.passed or ():
        _of_point(world, passed, reads, writes)
    world.passed = None
    grown = len(world.callbacks) - before.callbacks + (taking.choice == RCU)
    if grown:
        writes.add(("callbacks", 0))
    held = set(before.held)
    if thread is not None:
        held |= {str(whose) for kind, whose in writes if kind == "mutex"}
        _of_thread(world, thread, before, reads, writes)
        if kinds & _READ_CLOCK:
            reads.add(("now", 0))
        # Who starts a kthread looks at its timer.
        reads |= {("timer", whose) for kind, whose in changed if kind == "kthread"}
        if "allocations" in kinds:
            # The start may have failed.
            reads |= {("timer", slot) for slot in range(len(machine.netns.est_kt_arr))}
    service, est = machine.service_mutex.name, machine.netns.est_mutex.name
    reads |= {("guarded", name) for name in held}
    if service not in held and kinds & GUARDED_BY_SERVICE:
        writes.add(("guarded", service))
    if est not in held and kinds & GUARDED_BY_EST:
        writes.add(("guarded", est))
    if kinds & _ALIVE:
        writes.add(("alive", 0))
    if thread is not None and thread.task.kd is None and kinds & _CHANGED_ALONE:
        reads.add(("alive", 0))
    if machine.events is not None:
        _of_events(machine.events[before.events :], reads, writes)
    if before.projection is not None and before.projection != projection(machine):
        writes.add(("seen by properties", 0))
        if thread is not None and any(kind == "mutex" for kind, _ in writes):
            # Within the step, where the mutex is released, properties are judged as well.
            reads.add(("seen by properties", 0))
    return reads, writes


def _of_thread(
    world: World, thread: Thread, before: _Before, reads: set[Name], writes: set[Name]
) -> None:
    """What the thread's own step has done, as far as no part tells."""
    if thread.reading != before.reading:
        # Whoever queues a callback has it wait for the sections of now.
        reads.add(("callbacks", 0))
    exited = thread.task.state is TaskState.EXITED
    point = thread.point
    if "_add_locked" in _functions(thread.body):
        # The timer of a new context is set before others see the context.
        reads.add(("now", 0))
    if exited:
        writes.add(("exits", 0))
    elif isinstance(point, WordAccess):
        if point.word == SYNCP and point.write and not _is_counting(before.point):
            # The words of a CPU that has counted nothing so far are made.
            writes.add(("new words", 0))
    elif isinstance(point, Sleep):
        reads.add(("now", 0))
    elif isinstance(point, Stop | Join):
        # It was looked whether the task is still there.
        reads.add(_name_of_task(world, point.task))
    if thread.index < world.actors:
        call = _call_of(thread.body)
        if exited or call is None or call is not before.call:
            # From one operation to the next, what it is for is looked up without a lock.
            reads |= {("use", 0), ("objects", 0)}


def _is_counting(point: Point | None) -> bool:
    """Whether a write section is entered already that is not left by the next step."""
    return isinstance(point, WordAccess) and point.word != SYNCP


def _of_point(world: World, point: Point, reads: set[Name], writes: set[Name]) -> None:
    match point:
        case FieldAccess(thing, name, write):
            names = _of_field(thing, name)
            (writes if write else reads).update(names)
            if thing is not None:
                reads.add(("life", thing.describe()))
            if name == "cpustats":
                reads.add(("new words", 0))
        case WordAccess(cpu, _, write):
            (writes if write else reads).add(("words", cpu))
        case Lock(mutex) | Unlock(mutex):
            writes.add(("mutex", mutex.name))
        case Stop(task):
            writes.add(_name_of_task(world, task))
        case Join(task):
            reads.update((_name_of_task(world, task), ("est_kt_count", 0)))
        case Start():
            reads.update((("enable", 0), ("exits", 0)))
        case QueueWork() | CancelWork():
            writes.add(("work", 0))
        case Sleep() | GiveWay() | RcuReadLock() | RcuReadUnlock() | Barrier():
            pass
        case _:
            assert_never(point)


def _of_field(thing: object, name: str) -> tuple[Name, ...]:
    if thing is None:
        # A destination is looked for in the trash as well.
        return ((name, 0), ("trash", 0)) if name == "objects" else ((name, 0),)
    if isinstance(thing, Task):
        # Only the task itself reads it, whose own part it is.
        return ()
    match name:
        case "cpustats" | "kstats":
            return ((name, getattr(thing, "serial", 0)),)
        case _:
            # A row, a tick, a chain, a place in one.
            return (("any list", 0), ("row", getattr(thing, "id", 0)))


def _of_functions(world: World, thread: Thread, point: Point | None, reads: set[Name]) -> None:
    """What functions read without a point of its own, by what else makes no difference there."""
    names = _functions(thread.body)
    kd = thread.task.kd
    if point is None:
        reads |= {("est_chain_max", 0), ("est_genid_done", 0)}
    slots = range(len(world.machine.netns.est_kt_arr))
    if kd is not None:
        reads |= {("row", kd.id), ("timer", kd.id)}
        if names[-1] == "estimation_kthread":
            reads.add(("now", 0))
        elif "estimate_tick" in names:
            reads.add(("lists", kd.id))
        elif names[-1] == "calc_limits":
            reads.add(("enable", 0))
        elif "calc_phase" in names:
            # Whose tasks are stopped.
            reads |= {("row", slot) for slot in slots}
    elif "exit_body" in names:
        # At last it holds no mutex any more.
        reads |= {("objects", 0), ("trash", 0), ("est_kt_count", 0)}
        reads |= {("kthread", slot) for slot in slots}


def _functions(body: Body) -> list[str]:
    names: list[str] = []
    inner: object = body
    while isinstance(inner, GeneratorType):
        names.append(inner.gi_code.co_name)
        if inner.gi_yieldfrom is None and inner.gi_code is exit_body.__code__:
            # It is no `yield from` that goes on there.
            inner = None if inner.gi_frame is None else inner.gi_frame.f_locals.get("call")
        else:
            inner = inner.gi_yieldfrom
    return names


def _call_of(body: Body) -> object:
    """What a task's function waits in; None: it waits itself, or has returned."""
    assert isinstance(body, GeneratorType)
    return body.gi_yieldfrom


def _name_of_task(world: World, task: Task) -> Name:
    for thread in world.threads:
        if thread.task is task:
            return "task", thread.index
    return "task", -1


def _of_events(events: Iterable[Event], reads: set[Name], writes: set[Name]) -> None:
    """What the record tells of the state, beside what the step has done."""
    for event in events:
        match event:
            case CalcPhaseBegun() | CalcPhaseRequested():
                writes.add(("request", 0))
            case TaskStarted():
                reads.add(("enable", 0))
            case ContextAdded():
                reads.update((("est_max_threads", 0), ("est_kt_count", 0)))
            case CpulistSet():
                reads.add(("est_calc_phase", 0))
            case LimitsMeasured():
                reads.update((("est_max_threads", 0), ("est_cpulist", 0), ("est_cpulist_valid", 0)))
            case _:
                pass
