"""A task's store buffer, and how the task sees memory through it.

While a task runs, its own stores lie over memory; what it stores between two points becomes one
entry of its buffer. When it stops, memory has again what the others see. The stores of one entry
reach them together: what others could see of them one by one makes no difference, as for the
stores of one step when there are no buffers.

An entry can hold RCU callbacks: the grace period that frees an object begins once the stores
that have unpublished it are there, since it implies a full barrier on every CPU.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from ipvs_est.machine.hlist import Link
from ipvs_est.machine.points import Barrier, FieldAccess, Point
from ipvs_est.state.kthread_context import KthreadContext
from ipvs_est.state.machine import Machine
from ipvs_est_checks.explore.engine.memory.order import MemoryOrder, drains
from ipvs_est_checks.explore.engine.memory.places import (
    Place,
    Store,
    describe_place,
    load,
    places_of,
    put,
)

CAPACITY = 64
"""Entries; the oldest one gives way to one more."""


@dataclass(frozen=True, slots=True)
class Entry:
    """What reaches the other tasks in one step."""

    stores: tuple[Store, ...] = ()
    callbacks: tuple[Callable[[], None], ...] = ()
    """call_rcu was called with them after the stores."""
    ordered: bool = False
    """After all that is before it, whatever the order: it releases, or has callbacks."""
    fence: bool = False
    """A write barrier: before all that comes after it. It has no stores."""


Buffer = list[Entry]
"""Oldest entry first."""


@dataclass(slots=True)
class MemoryView:
    """Memory as a running task sees it."""

    machine: Machine
    order: MemoryOrder
    fields: tuple[str, ...]
    """Of the netns, whose stores wait."""
    own: KthreadContext | None
    """Of the task, if it is a kthread."""
    buffer: Buffer
    below: dict[tuple[int, str, int], tuple[Place, object]] = field(default_factory=dict)
    """What the others see where the task has stored, by place."""
    places: list[Place] = field(default_factory=list)
    values: list[object] = field(default_factory=list)
    """What was there when the task last passed a point."""
    announced: str = ""
    """The field of the netns that the task is about to store to: also if its value stays."""


def begin(view: MemoryView) -> None:
    """The task runs: lay its stores over memory, and see what it stores."""
    lay_over(view)
    _look(view)


def lay_over(view: MemoryView) -> None:
    """Make memory what the task sees."""
    for entry in view.buffer:
        for store in entry.stores:
            _cover(view, (store.holder, store.name, store.index), store.value)


def _cover(view: MemoryView, place: Place, value: object) -> None:
    holder, name, index = place
    key = id(holder), name, index
    if key not in view.below:
        view.below[key] = place, load(place)
    put(place, value)


def leave(view: MemoryView) -> None:
    """Memory has what the others see."""
    for place, value in reversed(view.below.values()):
        put(place, value)
    view.below.clear()


def before(view: MemoryView, point: Point) -> None:
    """The task is about to do what the point says, and to go on behind it."""
    if drains(view.order, point):
        drain(view)
    elif isinstance(point, Barrier):
        if view.buffer and view.order is MemoryOrder.RELAXED:
            view.buffer.append(Entry(fence=True))
    elif isinstance(point, FieldAccess) and point.write and point.thing is None:
        view.announced = point.field


def capture(view: MemoryView) -> None:
    """The task has come to its next point: what it has stored since the last one waits."""
    machine = view.machine
    stores: list[Store] = []
    ordered = False
    announced, view.announced = view.announced, ""
    for place, old in zip(view.places, view.values, strict=True):
        value = load(place)
        same = value is old or (type(value) is type(old) and value == old)
        if same and (place[0] is not machine.netns or place[1] != announced):
            continue
        holder, name, index = place
        view.below.setdefault((id(holder), name, index), (place, old))
        stores.append(Store(holder, name, index, value, describe_place(machine, place)))
        ordered = ordered or _releases(place, old, value)
    pending = machine.rcu.pending
    callbacks: tuple[Callable[[], None], ...] = ()
    if pending and (stores or view.buffer):
        callbacks = tuple(pending)
        pending.clear()
    if stores or callbacks:
        view.buffer.append(Entry(tuple(stores), callbacks, ordered or bool(callbacks)))
        if len(view.buffer) > CAPACITY:
            drain(view)
    _look(view)


def _look(view: MemoryView) -> None:
    view.places = places_of(view.machine, view.fields, view.own)
    view.values = [load(place) for place in view.places]


def _releases(place: Place, old: object, value: object) -> bool:
    """Whether the store is a release: it publishes a tick (rcu_assign_pointer), or a node at the
    head of a chain (hlist_add_head_rcu)."""
    holder, name, _ = place
    if value is None:
        return False
    if isinstance(holder, KthreadContext):
        return name == "ticks"
    return isinstance(value, Link) and value.next is old and name == "next"


def drain(view: MemoryView) -> None:
    """All that waits reaches the others."""
    for entry in view.buffer:
        view.machine.rcu.pending.extend(entry.callbacks)
    view.buffer.clear()
    view.below.clear()


def flush(machine: Machine, buffer: Buffer, number: int) -> Entry:
    """The entry of that number reaches the other tasks; its task does not run."""
    entry = buffer.pop(number)
    for store in entry.stores:
        put((store.holder, store.name, store.index), store.value)
    machine.rcu.pending.extend(entry.callbacks)
    while buffer and buffer[0].fence:
        del buffer[0]
    return entry


def flush_all(machine: Machine, buffer: Buffer) -> None:
    """All entries reach the other tasks, in their order; its task does not run."""
    while buffer:
        flush(machine, buffer, 0)


def can_flush(order: MemoryOrder, buffer: Buffer) -> Sequence[int]:
    """Numbers of the entries that may reach the other tasks next."""
    if order is not MemoryOrder.RELAXED:
        return (0,) if buffer else ()
    free: list[int] = []
    before: set[tuple[int, str, int]] = set()
    for number, entry in enumerate(buffer):
        if entry.fence:
            break
        places = {(id(store.holder), store.name, store.index) for store in entry.stores}
        if not (entry.ordered and number) and not places & before:
            free.append(number)
        before |= places
    return free


def entry_text(entry: Entry) -> str:
    """What reaches the others, in a line."""
    texts = [f"{store.what} = {_value_text(store.value)}" for store in entry.stores]
    if entry.callbacks:
        texts.append("call_rcu")
    return ", ".join(texts)


def _value_text(value: object) -> str:
    if value is None:
        return "NULL"
    if isinstance(value, bool | int):
        return str(int(value))
    if isinstance(value, frozenset):
        return "{" + ",".join(map(str, sorted(value))) + "}"
    stats = getattr(value, "stats", None)
    described = getattr(value if stats is None else stats, "describe", None)
    return str(described()) if callable(described) else type(value).__name__
