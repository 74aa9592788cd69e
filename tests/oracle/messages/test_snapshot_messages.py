"""What is wrong with a snapshot or a recorded state is told in one line, word for word."""

import json
from typing import Any

import pytest

from ipvs_est.answers.snapshot import snapshot_from_json, snapshot_to_json
from ipvs_est.answers.state import state_from_json
from ipvs_est.language.input_error import InputError
from ipvs_est.language.operations import AddService, Advance
from model import booted, run

# Any in this file: parsed JSON, which the tests damage at will.

Path = tuple[str | int, ...]

KD = ("state", "kthreads", 0)
TICK = (*KD, "ticks", "4")
LONG = "x" * 41


def snapshot() -> Any:
    """A snapshot with one tick in one kthread, as parsed JSON."""
    oracle = booted()
    run(oracle, [AddService(1), Advance(500)])
    return json.loads(json.dumps(snapshot_to_json(oracle.snapshot())))


def changed(value: Any, path: Path, wrong: object) -> Any:
    """The JSON value with something else at that path."""
    parent = value
    for item in path[:-1]:
        parent = parent[item]
    parent[path[-1]] = wrong
    return value


def said_of_snapshot(value: object) -> str:
    with pytest.raises(InputError) as found:
        snapshot_from_json(value)
    return str(found.value)


def said_of_state(value: object) -> str:
    with pytest.raises(InputError) as found:
        state_from_json(value)
    return str(found.value)


@pytest.mark.parametrize(
    ("path", "wrong", "message"),
    [
        (("now",), "7", "now: expected an integer, found a string"),
        (("revision",), 7, "revision: expected a string, found an integer"),
        (("contexts", 0, "needed"), 1, "contexts[0].needed: expected a boolean, found an integer"),
        (("now",), -1, "now: -1 is not in 0.."),
        (("version",), 1, "version: 1 is not in 2..2"),
        (
            ("objects", 1, "owner"),
            "calc",
            "objects[1].owner: 'calc' is not one of total, service, dest",
        ),
        (
            ("objects", 1, "owner"),
            LONG,
            f"objects[1].owner: {LONG[:40]!r} is not one of total, service, dest",
        ),
        (("objects",), {}, "objects: expected a list, found an object"),
        (("objects", 0, "last"), [0] * 4, "objects[0].last: expected 5 items, found 4"),
        (("objects", 0), [], "objects[0]: expected an object, found a list"),
        (("objects", 0, "more"), 0, "objects[0].more: unknown field"),
        (("state", "more"), 0, "state.more: unknown field"),
        (("state",), None, "state: expected an object, found null"),
        (("state", "temp"), "", "state.temp: expected a list, found a string"),
        (("state", "kthreads"), {}, "state.kthreads: expected a list, found an object"),
        ((*KD, "running"), 1, "state.kthreads[0].running: expected true or false"),
        (
            (*KD, "avail"),
            "0x1f",
            "state.kthreads[0].avail: expected a bitmap as a string of hex digits",
        ),
        ((*KD, "ticks"), [], "state.kthreads[0].ticks: expected an object, found a list"),
        (
            (*KD, "ticks", "x"),
            {},
            "state.kthreads[0].ticks.x: expected the number of a row or chain",
        ),
        (
            (*TICK, "len"),
            True,
            "state.kthreads[0].ticks.4.len: expected an integer, found a boolean",
        ),
        (
            (*TICK, "present"),
            3,
            "state.kthreads[0].ticks.4.present: expected a bitmap as a string of hex digits",
        ),
        (
            (*TICK, "full"),
            None,
            "state.kthreads[0].ticks.4.full: expected a bitmap as a string of hex digits",
        ),
        (
            (*TICK, "chains"),
            1,
            "state.kthreads[0].ticks.4.chains: expected an object, found an integer",
        ),
        (
            (*TICK, "chains", "0"),
            1,
            "state.kthreads[0].ticks.4.chains.0: expected a list, found an integer",
        ),
        (
            (*TICK, "chains", "0", 0),
            None,
            "state.kthreads[0].ticks.4.chains.0[0]: expected an integer, found null",
        ),
    ],
)
def test_wrong_value_in_a_snapshot(path: Path, wrong: object, message: str) -> None:
    assert said_of_snapshot(changed(snapshot(), path, wrong)) == message


def test_member_missing_from_a_snapshot() -> None:
    value = snapshot()
    del value["objects"][1]["ktid"]
    assert said_of_snapshot(value) == "objects[1].ktid: missing"
    value = snapshot()
    del value["state"]["kthreads"][0]["est_row"]
    assert said_of_snapshot(value) == "state.kthreads[0].est_row: missing"


@pytest.mark.parametrize(
    ("value", "found"), [(None, "null"), (7, "an integer"), ([], "a list"), ("", "a string")]
)
def test_what_is_no_object_is_named_without_a_path(value: object, found: str) -> None:
    assert said_of_snapshot(value) == f"expected an object, found {found}"
    assert said_of_state(value) == f"expected an object, found {found}"


def test_a_state_by_itself_has_paths_of_its_own() -> None:
    assert said_of_state({}) == "add_ktid: missing"
    state = snapshot()["state"]
    assert said_of_state(changed(state, ("temp",), [0, -1])) == (
        f"temp[1]: -1 is not in 0..{2**64 - 1}"
    )


def test_a_state_may_have_holes_between_its_kthreads() -> None:
    state = snapshot()["state"]
    (kd,) = state["kthreads"]
    state["kthreads"] = [None, kd, None]
    hole, found, other = state_from_json(state).kthreads
    assert (hole, other) == (None, None)
    assert found is not None
    assert [tick.row for tick in found.ticks] == [4]


def test_ticks_and_chains_are_in_the_order_of_their_numbers() -> None:
    state = snapshot()["state"]
    (kd,) = state["kthreads"]
    tick = kd["ticks"]["4"]
    kd["ticks"] = {"10": tick, "4": {**tick, "chains": {"2": [5], "0": [7, 6]}}}
    (found,) = state_from_json(state).kthreads
    assert found is not None
    assert [tick.row for tick in found.ticks] == [4, 10]
    assert found.ticks[0].chains == ((0, (7, 6)), (2, (5,)))
