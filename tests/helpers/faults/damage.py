"""Changing snapshots: by hand at one place, or at random."""

from dataclasses import replace
from random import Random
from typing import Any

from ipvs_est import Snapshot
from ipvs_est.answers.snapshot import ContextSnapshot, ObjectState
from ipvs_est.answers.state import KthreadState, TickState


def with_state(snapshot: Snapshot, **changes: Any) -> Snapshot:
    """Fields of the netns changed."""
    return replace(snapshot, state=replace(snapshot.state, **changes))


def with_sysctls(snapshot: Snapshot, **changes: Any) -> Snapshot:
    """Sysctl values changed."""
    return replace(snapshot, sysctls=replace(snapshot.sysctls, **changes))


def with_kd(snapshot: Snapshot, slot: int, **changes: Any) -> Snapshot:
    """Recorded fields of a kd changed."""
    kthreads = list(snapshot.state.kthreads)
    kthreads[slot] = replace(kd_of(snapshot, slot), **changes)
    return with_state(snapshot, kthreads=tuple(kthreads))


def with_context(snapshot: Snapshot, slot: int, **changes: Any) -> Snapshot:
    """The other fields of a kd changed."""
    contexts = list(snapshot.contexts)
    contexts[slot] = replace(context_of(snapshot, slot), **changes)
    return replace(snapshot, contexts=tuple(contexts))


def with_tick(snapshot: Snapshot, slot: int, index: int, **changes: Any) -> Snapshot:
    """Fields of a kd's tick, by its place among the ticks there are, changed."""
    ticks = list(kd_of(snapshot, slot).ticks)
    ticks[index] = replace(ticks[index], **changes)
    return with_kd(snapshot, slot, ticks=tuple(ticks))


def with_object(snapshot: Snapshot, object_id: int, **changes: Any) -> Snapshot:
    """Fields of a stats object changed."""
    return replace(
        snapshot,
        objects=tuple(
            replace(object_state, **changes) if object_state.id == object_id else object_state
            for object_state in snapshot.objects
        ),
    )


def kd_of(snapshot: Snapshot, slot: int) -> KthreadState:
    """The kd in that slot."""
    kd = snapshot.state.kthreads[slot]
    assert kd is not None
    return kd


def context_of(snapshot: Snapshot, slot: int) -> ContextSnapshot:
    """The same, what the recorded state leaves out."""
    context = snapshot.contexts[slot]
    assert context is not None
    return context


def object_of(snapshot: Snapshot, object_id: int) -> ObjectState:
    """That object."""
    (found,) = [object_state for object_state in snapshot.objects if object_state.id == object_id]
    return found


def damaged(snapshot: Snapshot, random: Random) -> Snapshot:
    """One to three random changes."""
    for _ in range(random.randint(1, 3)):
        snapshot = random.choice(_DAMAGES)(snapshot, random)
    return snapshot


def _netns(snapshot: Snapshot, random: Random) -> Snapshot:
    name = random.choice(
        ("enable", "stopped", "add_ktid", "max_threads", "chain_max", "calc_phase", "genid")
    )
    high = 1 if name in ("enable", "stopped", "calc_phase") else 9
    return with_state(snapshot, **{name: random.randint(0, high)})


def _sysctls(snapshot: Snapshot, random: Random) -> Snapshot:
    cpulist = random.choice((None, (), (0,), (0, 1)))
    return with_sysctls(snapshot, run_estimation=random.random() < 0.5, cpulist=cpulist)


def _slot(snapshot: Snapshot, random: Random) -> int | None:
    """A slot with a kd, if there is one."""
    slots = [slot for slot, kd in enumerate(snapshot.state.kthreads) if kd is not None]
    return random.choice(slots) if slots else None


def _kd(snapshot: Snapshot, random: Random) -> Snapshot:
    slot = _slot(snapshot, random)
    if slot is None:
        return snapshot
    name = random.choice(("est_count", "est_max_count", "chain_max", "tick_max", "running"))
    kd = kd_of(snapshot, slot)
    value: int = getattr(kd, name)
    changed = not value if name == "running" else max(0, value + random.choice((-9, -1, 1, 5)))
    return with_kd(snapshot, slot, **{name: changed})


def _avail(snapshot: Snapshot, random: Random) -> Snapshot:
    slot = _slot(snapshot, random)
    if slot is None:
        return snapshot
    bit = 1 << random.randrange(snapshot.params.nticks)
    return with_kd(snapshot, slot, avail=kd_of(snapshot, slot).avail ^ bit)


def _lengths(snapshot: Snapshot, random: Random) -> Snapshot:
    slot = _slot(snapshot, random)
    if slot is None or snapshot.contexts[slot] is None:
        return snapshot
    context = context_of(snapshot, slot)
    if context.chain_len and random.random() < 0.5:
        index = random.randrange(len(context.chain_len))
        row, lengths = context.chain_len[index]
        cid = random.randrange(len(lengths))
        lengths = (*lengths[:cid], lengths[cid] + 1, *lengths[cid + 1 :])
        rows = (*context.chain_len[:index], (row, lengths), *context.chain_len[index + 1 :])
        return with_context(snapshot, slot, chain_len=rows)
    row = random.randrange(len(context.tick_len))
    tick_len = list(context.tick_len)
    tick_len[row] = random.choice((0, tick_len[row] + 1))
    return with_context(snapshot, slot, tick_len=tuple(tick_len))


def _task(snapshot: Snapshot, random: Random) -> Snapshot:
    slot = _slot(snapshot, random)
    if slot is None or snapshot.contexts[slot] is None:
        return snapshot
    task = context_of(snapshot, slot).task
    if task is None:
        return snapshot
    stopping = random.random() < 0.5
    return with_context(snapshot, slot, task=replace(task, life="freed", should_stop=stopping))


def _tick(snapshot: Snapshot, random: Random) -> Snapshot:
    slot = _slot(snapshot, random)
    if slot is None or not kd_of(snapshot, slot).ticks:
        return snapshot
    ticks = kd_of(snapshot, slot).ticks
    index = random.randrange(len(ticks))
    tick = ticks[index]
    bit = 1 << random.randrange(snapshot.params.tick_chains)
    what = random.choice(("present", "full", "gone", "shorter", "longer", "emptied"))
    if what == "present":
        return with_tick(snapshot, slot, index, present=tick.present ^ bit)
    if what == "full":
        return with_tick(snapshot, slot, index, full=tick.full ^ bit)
    if what == "gone":
        return with_kd(snapshot, slot, ticks=(*ticks[:index], *ticks[index + 1 :]))
    if not tick.chains:
        return snapshot
    return with_tick(snapshot, slot, index, chains=_chains(snapshot, random, tick, what))


def _chains(
    snapshot: Snapshot, random: Random, tick: TickState, what: str
) -> tuple[tuple[int, tuple[int, ...]], ...]:
    (cid, ids), *rest = tick.chains
    if what == "emptied":
        return tuple(rest)
    if what == "shorter":
        return ((cid, ids[1:]), *rest)
    moved = random.choice(snapshot.objects).id if snapshot.objects else 77
    return ((cid, (moved, *ids)), *rest)


def _temp(snapshot: Snapshot, random: Random) -> Snapshot:
    temp = snapshot.state.temp
    if temp and random.random() < 0.5:
        return with_state(snapshot, temp=temp[1:])
    moved = random.choice(snapshot.objects).id if snapshot.objects else 77
    return with_state(snapshot, temp=(moved, *temp))


def _array(snapshot: Snapshot, random: Random) -> Snapshot:
    kthreads = snapshot.state.kthreads
    if kthreads and random.random() < 0.5:
        slot = random.randrange(len(kthreads))
        contexts = (*snapshot.contexts[:slot], None, *snapshot.contexts[slot + 1 :])
        holed = (*kthreads[:slot], None, *kthreads[slot + 1 :])
        return replace(with_state(snapshot, kthreads=holed), contexts=contexts)
    longer = with_state(snapshot, kthreads=(*kthreads, None), kt_count=len(kthreads) + 1)
    return replace(longer, contexts=(*snapshot.contexts, None))


def _object(snapshot: Snapshot, random: Random) -> Snapshot:
    if not snapshot.objects:
        return snapshot
    object_state = random.choice(snapshot.objects)
    what = random.choice(("ktid", "ktrow", "ktcid", "owner", "owner", "last", "gone"))
    if what == "gone":
        return replace(
            snapshot, objects=tuple(x for x in snapshot.objects if x is not object_state)
        )
    changes: dict[str, Any] = {
        "ktid": random.randint(-1, 3),
        "ktrow": random.randint(0, 6),
        "ktcid": random.randint(0, 3),
        "owner": "total",
        "last": (*object_state.last[:4], random.choice((object_state.kstats[4], 5))),
    }
    return with_object(snapshot, object_state.id, **{what: changes[what]})


_DAMAGES = (
    *(_netns, _netns, _sysctls, _kd, _kd, _avail, _lengths, _lengths, _task),
    *(_tick, _tick, _temp, _array, _object, _object),
)
