"""The snapshot: lossless as JSON, strict on the way back, and different when the state is."""

import json
from collections import Counter
from collections.abc import Iterator
from copy import deepcopy
from typing import Any

import pytest
from hypothesis import given, settings

from ipvs_est import (
    MAINLINE,
    REVISIONS,
    V7,
    OperationError,
    Oracle,
    Params,
    Revision,
    Snapshot,
    ViolationError,
)
from ipvs_est.answers.snapshot import snapshot_from_json, snapshot_to_json
from ipvs_est.language.input_error import InputError
from ipvs_est.language.operations import (
    OPERATIONS,
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
from model import TINY, booted
from strategies import Machine, machines, repeatable

# Any in this file: parsed JSON, which the tests damage at will.

Path = tuple[str | int, ...]


def run(params: Params, revision: Revision, history: list[Operation]) -> Iterator[Oracle]:
    """The oracle after each operation that could be applied."""
    oracle = Oracle(params, revision)
    for operation in history:
        try:
            oracle.apply(operation)
        except OperationError:
            continue
        except ViolationError:
            pass
        yield oracle


def through_text(snapshot: Snapshot) -> Any:
    return json.loads(json.dumps(snapshot_to_json(snapshot)))


def rich() -> Snapshot:
    """A snapshot in which hardly anything is empty."""
    oracle = booted(V7)
    history: list[Operation] = [
        WriteCpulist("0-2"),
        AddService(1),
        *(AddDest(number, 1) for number in range(2, 24)),
        Advance(1000),
        *(StartDest(number) for number in range(30, 40)),
        Traffic(2, 1, 1, 2, 3, 4, 5),
        GetDest(2),
        Advance(250),
        DeleteDest(2),
        DeleteDest(3),
        # Taking the last estimator of a kthread frees what the calc phase then reads.
        WriteCpulist("0-2"),
        FailAllocations(1),
        StartDest(50),
        Advance(6001),
        DeleteDest(4),
        StartDest(51),
        Delete(30),
        FailAllocations(2, 3),
    ]
    for operation in history:
        oracle.apply(operation)
    snapshot = oracle.snapshot()
    assert len(snapshot.contexts) == 3
    assert snapshot.state.temp
    assert snapshot.memory.waiting
    assert snapshot.memory.failing
    assert snapshot.violations
    assert [dest.id for dest in snapshot.dests if dest.in_trash] == [2, 3, 4]
    return snapshot


def paths(value: Any, path: Path = ()) -> Iterator[Path]:
    """The paths of all members inside a JSON value, and of the first items of each list."""
    if isinstance(value, dict):
        for name, entry in value.items():
            yield (*path, name)
            yield from paths(entry, (*path, name))
    elif isinstance(value, list):
        for index, entry in enumerate(value[:3]):
            yield (*path, index)
            yield from paths(entry, (*path, index))


def spelled(path: Path) -> str:
    """The path as errors name it."""
    text = ""
    for item in path:
        if isinstance(item, int):
            text += f"[{item}]"
        else:
            text += f".{item}" if text else item
    return text


def parent_of(value: Any, path: Path) -> Any:
    for item in path[:-1]:
        value = value[item]
    return value


def field_of_error(value: object) -> str:
    with pytest.raises(InputError) as caught:
        snapshot_from_json(value)
    return caught.value.field


# Both ways


def test_snapshots_survive_json_wherever_a_history_leads() -> None:
    applied: Counter[str] = Counter()

    @settings(repeatable, max_examples=60)
    @given(machine=machines())
    def survive(machine: Machine) -> None:
        params, revision, history = machine
        for number, oracle in enumerate(run(params, revision, history)):
            if number % 5 == 0 or oracle.ended:
                snapshot = oracle.snapshot()
                assert snapshot_from_json(through_text(snapshot)) == snapshot
        applied.update(operation.op for operation in history)

    survive()
    # A bound, not a count: another release of Hypothesis may draw other histories.
    assert len(applied) >= 20


EVERYTHING: list[Operation] = [
    *(StartTotal(), StartService(1), StartDest(2), SetCpulist(2), SetCost(11875), SetNice(5)),
    *(Advance(700), Traffic(2, 1, 1, 2, 3, 4, 5), Settle(), Advance(600), Read(2), Export(2)),
    *(Zero(2), SetRunEstimation(0), Advance(10), SetRunEstimation(1), Delete(2), Delete(1)),
    *(Dump(), Disable(), Cleanup(), InitNetns(), AddService(3), AddDest(4, 3), GetDest(4)),
    *(WriteCpulist("0-2"), ReadCpulist(), Advance(600), DeleteDest(4), PutDest(4)),
    *(FailAllocations(2), AddDest(5, 3), AddDest(4, 3), DeleteService(3), TakeSnapshot()),
    *(Packet(4, 1, 1, 2, 3, 4, 5), ReadPercpu(), ReadStatus(), Advance(7000), ExitNetns()),
]


@pytest.mark.parametrize("revision", REVISIONS.values(), ids=list(REVISIONS))
def test_every_operation_leaves_a_snapshot_that_survives_json(revision: Revision) -> None:
    assert {type(operation) for operation in EVERYTHING} == set(OPERATIONS)
    oracle = Oracle(TINY, revision)
    for operation in EVERYTHING:
        if isinstance(operation, ReadStatus) and not revision.has_status_file:
            continue
        oracle.apply(operation)
        snapshot = oracle.snapshot()
        assert snapshot_from_json(through_text(snapshot)) == snapshot


def test_rich_snapshot_survives_json() -> None:
    snapshot = rich()
    assert snapshot_from_json(through_text(snapshot)) == snapshot


@settings(repeatable, max_examples=40)
@given(machine=machines())
def test_equal_histories_give_equal_snapshots_and_equal_text(machine: Machine) -> None:
    params, revision, history = machine
    *_, left = run(params, revision, history)
    *_, right = run(params, revision, history)
    assert left.snapshot() == right.snapshot()
    assert hash(left.snapshot()) == hash(right.snapshot())
    assert json.dumps(snapshot_to_json(left.snapshot())) == json.dumps(
        snapshot_to_json(right.snapshot())
    )


def test_taking_a_snapshot_changes_nothing() -> None:
    oracle = booted()
    before = oracle.snapshot()
    assert oracle.snapshot() == before
    assert oracle.apply(TakeSnapshot()).snapshot == before


# What decides what happens next is in it

IDLE_DEST: list[Operation] = [AddService(1), AddDest(2, 1), Advance(500)]


@pytest.mark.parametrize(
    ("left", "right"),
    [
        ([Advance(1)], [Advance(2)]),
        ([SetCost(1)], [SetCost(2)]),
        ([], [FailAllocations(1)]),
        ([FailAllocations(1)], [FailAllocations(2)]),
        ([FailAllocations(1, 1)], [FailAllocations(1, 2)]),
        ([WriteCpulist("0-3")], [WriteCpulist("0-2")]),
        ([StartService(1)], [StartDest(1)]),
        (IDLE_DEST, [*IDLE_DEST, GetDest(2)]),
        # Counters of a destination in the trash come back with it.
        (
            [*IDLE_DEST, DeleteDest(2)],
            [*IDLE_DEST, DeleteDest(2), Traffic(2, 0, 1, 1, 1, 1, 1)],
        ),
    ],
)
def test_states_that_go_on_differently_have_different_snapshots(
    left: list[Operation], right: list[Operation]
) -> None:
    (*_, first), (*_, second) = (
        run(TINY, MAINLINE, [InitNetns(), *history]) for history in (left, right)
    )
    assert first.snapshot() != second.snapshot()


def test_snapshots_of_different_machines_differ() -> None:
    taken = {
        Oracle(params, revision).snapshot()
        for params in (TINY, Params(), Params(hz=1000), Params(hz=1000, word_bits=32))
        for revision in (V7, MAINLINE)
    }
    assert len(taken) == 8


def test_failures_that_are_over_leave_no_trace() -> None:
    oracle = booted()
    oracle.apply(FailAllocations(1))
    assert oracle.snapshot().memory.failing == (
        oracle.snapshot().memory.allocations + 1,
        oracle.snapshot().memory.allocations + 1,
    )
    oracle.apply(StartDest(1))
    assert oracle.snapshot().memory.failing is None


def test_lengths_agree_with_the_lists() -> None:
    snapshot = rich()
    for kd, context in zip(snapshot.state.kthreads, snapshot.contexts, strict=True):
        assert kd is not None
        assert context is not None
        rows = {tick.row: tick for tick in kd.ticks}
        assert context.tick_len == tuple(rows[row].len if row in rows else 0 for row in range(5))
        assert [row for row, _ in context.chain_len] == list(rows)
        for row, chain_len in context.chain_len:
            chains = dict(rows[row].chains)
            assert chain_len == tuple(len(chains.get(cid, ())) for cid in range(3))


# Damaged input


def test_anything_of_another_type_is_named() -> None:
    value = through_text(rich())
    damaged = 0
    for path in list(paths(value)):
        parent = parent_of(value, path)
        kept = parent[path[-1]]
        wrong: list[object] = [0.5]
        if isinstance(kept, bool):
            wrong += [0, "true", None]
        elif isinstance(kept, int):
            wrong += [True, "0", -(10**5000), [kept]]
        elif isinstance(kept, str):
            wrong += [0, True, [kept]]
        elif kept is not None:
            wrong += [0, True, "x", {} if isinstance(kept, list) else []]
        for item in wrong:
            parent[path[-1]] = item
            assert field_of_error(value) == spelled(path)
            damaged += 1
        parent[path[-1]] = kept
    assert damaged > 1000
    assert snapshot_from_json(value) == rich()


def test_missing_member_is_named() -> None:
    value = through_text(rich())
    removed = 0
    for path in list(paths(value)):
        name = path[-1]
        # Rows and chains are there as long as they hold something; the parameters of a
        # header may leave out what follows from the others.
        optional = path[-2:-1] in (("ticks",), ("chains",))
        optional = optional or path in {("params", "tick_jiffies"), ("params", "tick_chains")}
        if isinstance(name, int) or optional:
            continue
        parent = parent_of(value, path)
        kept = dict(parent)
        del parent[name]
        assert field_of_error(value) == spelled(path)
        parent.clear()
        parent.update(kept)
        removed += 1
    assert removed > 200
    assert snapshot_from_json(value) == rich()


def test_unknown_member_is_named() -> None:
    value = through_text(rich())
    added = 0
    for path in [(), *paths(value)]:
        here = value if path == () else parent_of(value, path)[path[-1]]
        if isinstance(here, dict):
            here["extra"] = 0
            assert field_of_error(value) == spelled((*path, "extra"))
            del here["extra"]
            added += 1
    assert added > 30
    assert snapshot_from_json(value) == rich()


def test_group_of_another_size_is_named() -> None:
    value = through_text(rich())
    for size in (0, 4, 6):
        value["objects"][0]["kstats"] = [0] * size
        assert field_of_error(value) == "objects[0].kstats"


@pytest.mark.parametrize(
    ("path", "wrong"),
    [
        (("version",), 1),
        (("version",), 3),
        (("objects", 0, "owner"), "calc"),
        (("objects", 0, "owner"), "Total"),
        (("objects", 0, "life"), "dead"),
        (("objects", 0, "ktid"), -2),
        (("objects", 0, "ktrow"), 256),
        (("objects", 0, "ktcid"), -1),
        (("objects", 0, "rates", 4), 2**64),
        (("objects", 0, "last", 0), -1),
        (("contexts", 0, "task", "state"), "dozing"),
        (("contexts", 0, "chain_len", 0, 0), 64),
        (("contexts", 0, "chain_len", 0, 1, 0), -1),
        (("contexts", 0, "tick_len", 0), -1),
        (("contexts", 0, "task", "nice"), 20),
        (("contexts", 0, "task", "cpus", 0), 8192),
        (("sysctls", "nice"), -21),
        (("params", "hz"), 0),
        (("params", "tick_jiffies"), 1),
        (("state", "jiffies"), 2**64),
        (("state", "kthreads", 0, "avail"), "0x1f"),
        (("state", "kthreads", 0, "avail"), "01"),
        (("state", "kthreads", 0, "avail"), ""),
        (("state", "temp", 0), -1),
    ],
)
def test_value_that_cannot_be_is_named(path: Path, wrong: object) -> None:
    value = through_text(rich())
    parent_of(value, path)[path[-1]] = wrong
    assert field_of_error(value) == spelled(path)


@pytest.mark.parametrize("row", ["", "x", "01", "-1", "100", "\u0661"])
def test_row_that_is_no_number_is_named(row: str) -> None:
    value = through_text(rich())
    value["state"]["kthreads"][0]["ticks"][row] = {}
    assert field_of_error(value) == f"state.kthreads[0].ticks.{row}"


@pytest.mark.parametrize("value", [None, 1, "x", [], [{}], 0.5, {}])
def test_what_is_no_snapshot_at_all_is_refused(value: object) -> None:
    assert field_of_error(deepcopy(value)) in ("", "version")
