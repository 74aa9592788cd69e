"""Litmus shapes: which of their outcomes each memory order has, and that no mistake of the store
buffers leaves them as they are.

What is expected is that of the literature: x86-TSO (Owens, Sarkar, Sewell, TPHOLs 2009), and for
the relaxed order what arm64 allows less what needs loads out of order.
"""

from collections.abc import Callable, Sequence

import pytest

from ipvs_est.machine.points import COUNT_GENID, SMP_MB, SMP_WMB, Body, Point
from ipvs_est.state.machine import Machine
from ipvs_est_checks.explore.engine import world as world_module
from ipvs_est_checks.explore.engine.memory import buffer
from ipvs_est_checks.explore.engine.memory.order import MemoryOrder, drains
from litmus import Program, X, Y, load, outcomes, seen, store

SC, TSO, RELAXED = MemoryOrder.SC, MemoryOrder.TSO, MemoryOrder.RELAXED

Between = Callable[[Machine], Body]


def nothing(machine: Machine) -> Body:
    """No barrier."""
    del machine
    yield from ()


def smp_mb(machine: Machine) -> Body:
    """A full barrier."""
    del machine
    yield SMP_MB


def smp_wmb(machine: Machine) -> Body:
    """A write barrier."""
    del machine
    yield SMP_WMB


def atomic_inc(machine: Machine) -> Body:
    """An atomic operation that Linux does not order."""
    yield COUNT_GENID
    machine.netns.est_genid += 1


def lock(machine: Machine) -> Body:
    """Take a mutex."""
    yield machine.lock_est


def unlock(machine: Machine) -> Body:
    """Release it."""
    yield machine.unlock_est


def locked(machine: Machine) -> Body:
    """Take a mutex and release it."""
    yield machine.lock_est
    yield machine.unlock_est


def storing(name: str, value: int, between: Between, other: str, register: str) -> Program:
    """Store one field, load another."""

    def program(machine: Machine, registers: dict[str, int]) -> Body:
        yield from store(machine, name, value)
        yield from between(machine)
        yield from load(machine, other, registers, register)

    return program


def two_stores(one: str, other: str, between: Between, first: int = 1, second: int = 1) -> Program:
    """Store one field, then another."""

    def program(machine: Machine, registers: dict[str, int]) -> Body:
        del registers
        yield from store(machine, one, first)
        yield from between(machine)
        yield from store(machine, other, second)

    return program


def two_loads(one: str, other: str, registers_of: str) -> Program:
    """Load one field, then another."""

    def program(machine: Machine, registers: dict[str, int]) -> Body:
        yield from load(machine, one, registers, f"{registers_of}1")
        yield from load(machine, other, registers, f"{registers_of}2")

    return program


def load_then_store(one: str, other: str, register: str) -> Program:
    """Load one field, store another."""

    def program(machine: Machine, registers: dict[str, int]) -> Body:
        yield from load(machine, one, registers, register)
        yield from store(machine, other, 1)

    return program


def forwarded(own: str, other: str, register: str) -> Program:
    """Store a field, load it, load the other."""

    def program(machine: Machine, registers: dict[str, int]) -> Body:
        yield from store(machine, own, 1)
        yield from load(machine, own, registers, f"{register}own")
        yield from load(machine, other, registers, f"{register}other")

    return program


def single(name: str, value: int) -> Program:
    """One store."""

    def program(machine: Machine, registers: dict[str, int]) -> Body:
        del registers
        yield from store(machine, name, value)

    return program


def store_buffering(one: Between, other: Between) -> list[Program]:
    """Both tasks miss the other's store."""
    return [storing(X, 1, one, Y, "a"), storing(Y, 1, other, X, "b")]


def message_passing(between: Between) -> list[Program]:
    """The flag arrives before what it announces."""
    return [two_stores(X, Y, between), two_loads(Y, X, "r")]


Shape = tuple[str, Sequence[Program], dict[str, int], tuple[bool, bool, bool]]
"""A name, the tasks, an outcome, and whether it is seen under sc, tso, relaxed."""

NEVER, WEAK, RELAXED_ONLY = (False, False, False), (False, True, True), (False, False, True)
BOTH_MISS = {"a": 0, "b": 0}
FLAG_FIRST = {"r1": 1, "r2": 0}

SHAPES: tuple[Shape, ...] = (
    ("SB", store_buffering(nothing, nothing), BOTH_MISS, WEAK),
    ("SB, one barrier", store_buffering(smp_mb, nothing), BOTH_MISS, WEAK),
    ("SB, barriers", store_buffering(smp_mb, smp_mb), BOTH_MISS, NEVER),
    ("SB, write barriers", store_buffering(smp_wmb, smp_wmb), BOTH_MISS, WEAK),
    ("SB, mutexes taken", store_buffering(locked, locked), BOTH_MISS, NEVER),
    ("SB, atomic operations", store_buffering(atomic_inc, atomic_inc), BOTH_MISS, RELAXED_ONLY),
    ("MP", message_passing(nothing), FLAG_FIRST, RELAXED_ONLY),
    ("MP, write barrier", message_passing(smp_wmb), FLAG_FIRST, NEVER),
    ("MP, mutex released", message_passing(locked), FLAG_FIRST, NEVER),
    (
        "2+2W",
        [two_stores(X, Y, nothing, 1, 2), two_stores(Y, X, nothing, 1, 2)],
        {X: 1, Y: 1},
        RELAXED_ONLY,
    ),
    ("LB", [load_then_store(X, Y, "a"), load_then_store(Y, X, "b")], {"a": 1, "b": 1}, NEVER),
    (
        "SB with forwarding",
        [forwarded(X, Y, "a"), forwarded(Y, X, "b")],
        {"aown": 1, "aother": 0, "bown": 1, "bother": 0},
        WEAK,
    ),
    ("own store missed", [forwarded(X, Y, "a")], {"aown": 0}, NEVER),
    ("coherence", [two_stores(X, X, nothing, 1, 2)], {X: 1}, NEVER),
    (
        "coherence, as another sees it",
        [two_stores(X, X, nothing, 1, 2), two_loads(X, X, "r")],
        {"r1": 2, "r2": 1},
        NEVER,
    ),
    ("R", [storing(Y, 2, nothing, X, "a"), two_stores(X, Y, nothing)], {Y: 2, "a": 0}, WEAK),
    (
        "R, with the value that is there",
        [storing(Y, 0, nothing, X, "a"), two_stores(X, Y, nothing)],
        {Y: 0, "a": 0},
        WEAK,
    ),
    (
        "IRIW",
        [single(X, 1), single(Y, 1), two_loads(X, Y, "p"), two_loads(Y, X, "q")],
        {"p1": 1, "p2": 0, "q1": 1, "q2": 0},
        NEVER,
    ),
)


@pytest.mark.parametrize("shape", SHAPES, ids=lambda shape: shape[0])
def test_a_litmus_shape_has_the_outcomes_of_its_memory_order(shape: Shape) -> None:
    name, programs, wanted, expected = shape
    if name == "IRIW":
        # Four tasks; stores reach all others at the same time by construction, so one order is
        # enough.
        assert seen(programs, TSO, **wanted) is expected[1]
        return
    assert (
        tuple(seen(programs, memory_order, **wanted) for memory_order in (SC, TSO, RELAXED))
        == expected
    )


def test_a_stronger_order_has_no_outcome_that_a_weaker_one_has_not() -> None:
    for programs in (store_buffering(nothing, nothing), message_passing(nothing)):
        strong, middle, weak = (
            outcomes(programs, memory_order) for memory_order in (SC, TSO, RELAXED)
        )
        assert strong <= middle <= weak
    assert len(outcomes(store_buffering(nothing, nothing), SC)) == 3
    assert len(outcomes(store_buffering(nothing, nothing), TSO)) == 4
    assert len(outcomes(message_passing(nothing), TSO)) == 3
    assert len(outcomes(message_passing(nothing), RELAXED)) == 4


def _never(*_: object) -> bool:
    return False


def _flushes_the_newest(order: MemoryOrder, waiting: buffer.Buffer) -> list[int]:
    del order
    return [len(waiting) - 1] if waiting else []


def _flushes_any(order: MemoryOrder, waiting: buffer.Buffer) -> list[int]:
    del order
    return list(range(len(waiting)))


def _nothing_to_flush(order: MemoryOrder, waiting: buffer.Buffer) -> list[int]:
    del order, waiting
    return []


def _nothing(*_: object) -> None:
    return None


def _drained_at_once(view: buffer.MemoryView) -> None:
    buffer_capture(view)
    buffer.drain(view)


buffer_capture = buffer.capture

MISTAKES: dict[str, tuple[object, str, object]] = {
    "a barrier drains nothing": (buffer, "drains", _never),
    "stores do not wait": (world_module, "capture", _drained_at_once),
    "a task misses its own stores": (buffer, "lay_over", _nothing),
    "others see what waits": (world_module, "leave", _nothing),
    "the newest store first": (world_module, "can_flush", _flushes_the_newest),
    "stores in any order": (world_module, "can_flush", _flushes_any),
    "no store arrives by itself": (world_module, "can_flush", _nothing_to_flush),
    "a store of the same value is none": (buffer, "before", _nothing),
}


@pytest.mark.parametrize("mistake", MISTAKES)
def test_a_mistake_of_the_store_buffers_changes_what_is_seen(
    mistake: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    module, name, wrong = MISTAKES[mistake]
    monkeypatch.setattr(module, name, wrong)
    if name == "before":
        # The rest of what it does stays: barriers drain.
        monkeypatch.setattr(world_module, "before", _drains_only)
    assert any(
        seen(programs, order, **wanted) is not sees
        for shape, programs, wanted, expected in SHAPES
        if shape != "IRIW"
        for order, sees in zip((SC, TSO, RELAXED), expected, strict=True)
    )


def _drains_only(view: buffer.MemoryView, point: Point) -> None:
    if drains(view.order, point):
        buffer.drain(view)
