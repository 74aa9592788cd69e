"""Kthread contexts: ticks, chains, lengths and tasks."""

import struct
from collections.abc import Callable
from dataclasses import dataclass

from ipvs_est.answers.snapshot import ContextSnapshot
from ipvs_est.answers.state import KthreadState, TickState
from ipvs_est_checks.live.memory.protocol import KernelMemory
from ipvs_est_checks.live.memory.unreadable import TornError
from ipvs_est_checks.live.reading.lists import Noted
from ipvs_est_checks.live.reading.structs import Structs
from ipvs_est_checks.live.reading.tasks import TaskReader, TaskTimes

_MOST_CONTEXTS = 1 << 15

Chain = Callable[[int, int], tuple[int, ...]]
"""Ids of the estimators on an hlist, by its first node and where its head is."""


@dataclass(frozen=True, slots=True)
class Contexts:
    """All slots of a netns."""

    kthreads: tuple[KthreadState | None, ...]
    contexts: tuple[ContextSnapshot | None, ...]
    times: tuple[TaskTimes | None, ...]


def read_contexts(
    memory: KernelMemory,
    structs: Structs,
    tasks: TaskReader,
    array: int,
    count: int,
    chain: Chain,
    noted: Noted,
) -> Contexts:
    """The contexts of est_kt_arr. Raises UnreadableError."""
    if not 0 <= count <= _MOST_CONTEXTS:
        raise TornError(f"{count} kthread contexts, which cannot be")
    raw = memory.read(array, 8 * count) if count else b""
    noted.add(array, raw)
    slots = struct.unpack(f"<{count}Q", raw)
    found = [
        _context(memory, structs, tasks, slot, at, chain, noted) if at else (None, None, None)
        for slot, at in enumerate(slots)
    ]
    return Contexts(
        tuple([triple[0] for triple in found]),
        tuple([triple[1] for triple in found]),
        tuple([triple[2] for triple in found]),
    )


def _context(
    memory: KernelMemory,
    structs: Structs,
    tasks: TaskReader,
    slot: int,
    at: int,
    chain: Chain,
    noted: Noted,
) -> tuple[KthreadState, ContextSnapshot, TaskTimes | None]:
    raw = memory.read(at, structs.kd.size)
    for offset, size in structs.kd_watched:
        noted.add(at + offset, raw[offset : offset + size])
    id_, task, calc, est_count, est_max, chain_max, tick_max, add_row, est_row, timer, *rest = (
        structs.kd.values(raw)
    )
    if id_ != slot:
        raise TornError(f"a kthread context {id_} in slot {slot}")
    if not 0 <= est_row < structs.nticks:
        raise TornError(f"est_row {est_row} of kthread {slot}, which cannot be")
    tick_len = struct.unpack_from(f"<{structs.nticks}i", raw, structs.kd_tick_len)
    if min(tick_len) < 0 or min(est_count, est_max, chain_max, tick_max) < 0:
        raise TornError(f"a negative number in kthread {slot}, which cannot be")
    ticks: list[TickState] = []
    chain_len: list[tuple[int, tuple[int, ...]]] = []
    places = struct.unpack_from(f"<{structs.nticks}Q", raw, structs.kd_ticks)
    for row, place in enumerate(places):
        if place:
            tick, lengths = _tick(memory, structs, row, place, tick_len[row], chain, noted)
            ticks.append(tick)
            chain_len.append((row, lengths))
    found = None if not task else tasks.kthread(slot, task)
    running = found is not None and found[0].state != "exited" and found[0].life == "live"
    state = KthreadState(
        id=id_,
        running=running,
        est_count=est_count,
        est_max_count=est_max,
        chain_max=chain_max,
        tick_max=tick_max,
        add_row=max(0, add_row),
        est_row=est_row,
        est_timer=timer,
        # Bits of rows that there are not are set, too.
        avail=rest[0] & (1 << structs.nticks) - 1,
        ticks=tuple(ticks),
    )
    needed = bool(rest[1]) if structs.kd_needed else True
    context = ContextSnapshot(
        slot, needed, calc != 0, tick_len, tuple(chain_len), None if found is None else found[0]
    )
    return state, context, None if found is None else found[1]


def _tick(
    memory: KernelMemory,
    structs: Structs,
    row: int,
    at: int,
    length: int,
    chain: Chain,
    noted: Noted,
) -> tuple[TickState, tuple[int, ...]]:
    raw = memory.read(at, structs.tick_size)
    start = structs.tick_chains
    # What is before the chains is for the time when the tick is freed.
    noted.add(at + start, raw[start:])
    heads = struct.unpack_from(f"<{structs.chains}Q", raw, start)
    chains: list[tuple[int, tuple[int, ...]]] = []
    for cid, node in enumerate(heads):
        if node:
            chains.append((cid, chain(node, at + start + 8 * cid)))
    present, full = (_bitmap(raw, bitmap, structs.chains) for bitmap in structs.tick_bitmaps)
    lengths = struct.unpack_from(f"<{structs.chains}i", raw, structs.tick_chain_len)
    if min(lengths) < 0:
        raise TornError(f"a negative length of a chain of row {row}, which cannot be")
    return TickState(row, length, present, full, tuple(chains)), lengths


def _bitmap(raw: bytes, at: int, bits: int) -> int:
    return int.from_bytes(raw[at : at + 8], "little") & (1 << bits) - 1
