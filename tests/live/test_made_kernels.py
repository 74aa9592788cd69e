"""Machines made of the model's snapshots, read back: as a dump, and as a running kernel's files."""

from dataclasses import replace
from pathlib import Path

import pytest

from ipvs_est import MAINLINE, Oracle, Params, Snapshot
from ipvs_est.answers.snapshot import ContextSnapshot, ObjectState
from ipvs_est.answers.state import KthreadState, State, TickState
from ipvs_est.language.operations import (
    AddDest,
    AddService,
    Advance,
    DeleteDest,
    GetDest,
    InitNetns,
)
from ipvs_est_checks.live.memory.by_drgn import kernel_by_drgn
from ipvs_est_checks.live.memory.dump import open_dump
from ipvs_est_checks.live.memory.live import open_live
from ipvs_est_checks.live.reading.netns import NetnsReading, Reader
from kernels.made_netns import INODE, made_kernel


def _history(params: Params) -> Snapshot:
    """Two services with destinations, one destination in the trash, after limits were computed."""
    oracle = Oracle(params, MAINLINE)
    for operation in (
        InitNetns(),
        AddService(1),
        AddDest(2, 1),
        AddDest(3, 1),
        Advance(20 * params.hz),
        AddService(4),
        AddDest(5, 4),
        GetDest(3),
        DeleteDest(3),
        Advance(params.hz),
    ):
        oracle.apply(operation)
    return oracle.snapshot()


GEOMETRIES = (
    Params(hz=250, possible_cpus=4),
    Params(hz=100, preempt_rcu=True, possible_cpus=2),
    Params(hz=1000, possible_cpus=70, housekeeping_cpus=frozenset({0, 69})),
)


@pytest.mark.parametrize("params", GEOMETRIES, ids=lambda params: f"hz{params.hz}")
@pytest.mark.parametrize("one_table", [True, False], ids=["own-table", "static-tables"])
def test_a_dump_gives_back_the_snapshot(tmp_path: Path, params: Params, one_table: bool) -> None:
    snapshot = _history(params)
    kernel = made_kernel(snapshot, one_table=one_table, from_place=one_table)
    path = tmp_path / "dump"
    path.write_bytes(kernel.dump())
    with open_dump(path) as opened:
        reader = Reader(opened)
        (namespace,) = reader.namespaces()
        reading = reader.read(namespace)
    assert namespace.inode == INODE
    assert reader.revision == ("mainline" if one_table else "stable")
    assert reader.machine.params.hz == params.hz
    assert reader.machine.params.kthread_cpus == params.kthread_cpus
    _assert_same(reading, snapshot)


def test_a_running_kernel_is_read_as_its_dump_is(tmp_path: Path) -> None:
    kernel = made_kernel(_history(GEOMETRIES[0]))
    (tmp_path / "dump").write_bytes(kernel.dump())
    with open_dump(tmp_path / "dump") as opened:
        reader = Reader(opened)
        dead = reader.read(next(reader.namespaces()))
    with open_live(kernel.live(tmp_path / "root")) as opened:
        reader = Reader(opened)
        alive = reader.read(next(reader.namespaces()))
        assert reader.unchanged(alive)
    assert alive.snapshot == dead.snapshot
    assert alive.names == dead.names


def test_what_was_read_and_is_no_longer_there_is_noticed(tmp_path: Path) -> None:
    kernel = made_kernel(_history(GEOMETRIES[0]))
    root = kernel.live(tmp_path / "root")
    with open_live(root) as opened:
        reader = Reader(opened)
        reading = reader.read(next(reader.namespaces()))
        kcore = root / "proc/kcore"
        raw = bytearray(kcore.read_bytes())
        at = kernel.physical(kernel.places["netns"]) + kernel.offset("netns_ipvs", "est_kt_count")
        raw[64 + 2 * 56 + at] += 1
        with kcore.open("r+b") as file:
            file.write(raw)
        assert not reader.unchanged(reading)


def test_drgn_reads_the_same_memory(tmp_path: Path) -> None:
    pytest.importorskip("drgn", reason="drgn is not installed")
    path = tmp_path / "dump"
    path.write_bytes(made_kernel(_history(GEOMETRIES[0])).dump())
    with open_dump(path) as opened:
        reader = Reader(opened)
        own = reader.read(next(reader.namespaces()))
    reader = Reader(kernel_by_drgn(path))
    assert reader.read(next(reader.namespaces())).snapshot == own.snapshot


def test_five_levels_of_page_tables_are_walked(tmp_path: Path) -> None:
    snapshot = _history(GEOMETRIES[0])
    path = tmp_path / "dump"
    path.write_bytes(made_kernel(snapshot, five_levels=True).dump())
    with open_dump(path) as opened:
        reader = Reader(opened)
        _assert_same(reader.read(next(reader.namespaces())), snapshot)


def _assert_same(reading: NetnsReading, model: Snapshot) -> None:
    """Equal in all that is read, whatever numbers the objects have."""
    read = reading.snapshot
    ids = dict(zip(_order(read), _order(model), strict=True))
    assert _renumbered(read.state, ids) == model.state
    assert [_known(context) for context in read.contexts] == [
        _known(context) for context in model.contexts
    ]
    counted = {
        object_state.id: replace(object_state, cpustats=()) for object_state in model.objects
    }
    assert {
        ids[object_state.id]: replace(object_state, id=ids[object_state.id])
        for object_state in read.objects
    } == {id_: _owned(object_state, model) for id_, object_state in counted.items()}
    assert read.sysctls == model.sysctls
    assert read.trash_scan_due == model.trash_scan_due
    assert (read.work.pending, read.work.due) == (model.work.pending, model.work.due)
    assert len(read.dests) == len(model.dests)
    for mine, theirs in zip(read.dests, model.dests, strict=True):
        assert (mine.in_trash, mine.idle_start) == (theirs.in_trash, theirs.idle_start)
        assert mine.references == theirs.references


def _order(snapshot: Snapshot) -> list[int]:
    """Ids by where their objects are, which both have alike."""
    listed = list(snapshot.state.temp)
    for kd in snapshot.state.kthreads:
        for tick in kd.ticks if kd is not None else ():
            listed += [identity for _, ids in tick.chains for identity in ids]
    assert len(listed) > 4
    return listed


def _renumbered(state: State, ids: dict[int, int]) -> State:
    def tick(tick_state: TickState) -> TickState:
        chains = tuple(
            (cid, tuple(ids[id_] for id_ in members)) for cid, members in tick_state.chains
        )
        return replace(tick_state, chains=chains)

    def kthread(kthread_state: KthreadState | None) -> KthreadState | None:
        return kthread_state and replace(
            kthread_state, ticks=tuple(tick(one) for one in kthread_state.ticks)
        )

    return replace(
        state,
        temp=tuple(ids[number] for number in state.temp),
        kthreads=tuple(kthread(kthread_state) for kthread_state in state.kthreads),
    )


def _known(context: ContextSnapshot | None) -> ContextSnapshot | None:
    """Without what no memory tells."""
    if context is None or context.task is None:
        return context
    return replace(context, task=replace(context.task, wake_at=None, waits_for=None, references=0))


def _owned(object_state: ObjectState, model: Snapshot) -> ObjectState:
    services = {service.id for service in model.services}
    owner = object_state.owner if object_state.owner == "total" else "dest"
    return replace(object_state, owner="service" if object_state.id in services else owner)
