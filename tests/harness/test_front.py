"""The process that answers for a tree, as far as it answers without a compiler."""

import io
import json
from pathlib import Path
from typing import Any

import pytest

from ipvs_est.answers.snapshot import SNAPSHOT_VERSION
from ipvs_est.language.event_json import EVENTS_VERSION
from ipvs_est.language.input_error import InputError
from ipvs_est.language.operations import OPERATIONS
from ipvs_est.language.params import Params
from ipvs_est_checks.harness.building.options import BuildOptions, Variant, options_for
from ipvs_est_checks.harness.building.tree import Tree
from ipvs_est_checks.harness.front import params_of, serve

TREE = Tree(Path("/nowhere"), (7, 3, 4), "", "")


def said(*lines: bytes) -> list[dict[str, Any]]:
    sink = io.BytesIO()
    serve(TREE, Variant.PLAIN, io.BytesIO(b"".join(lines)), sink)
    return [json.loads(line) for line in sink.getvalue().splitlines()]


def test_its_first_line_is_the_handshake_of_a_subject() -> None:
    (handshake,) = said()
    assert handshake["protocol"] == 1
    assert handshake["kernels"] == ["7.3.4"]
    assert handshake["gives"] == {
        "violations": 1,
        "snapshot": SNAPSHOT_VERSION,
        "events": EVENTS_VERSION,
        "fail_allocations": 1,
    }
    known = {operation.op for operation in OPERATIONS}
    # What the program in C does not know must not be asked of it.
    assert known - set(handshake["operations"]) == {"packet", "read_status", "read_percpu"}
    assert set(handshake["operations"]) <= known


def test_an_operation_before_any_machine_is_refused_with_its_seq() -> None:
    _, answer = said(b'{"op":"dump","seq":7}\n')
    assert answer["seq"] == 7
    assert answer["error"]["type"] == "bad-input"
    assert answer["error"]["line"] == 1


def test_parameters_that_no_kernel_has_are_refused_by_name() -> None:
    _, answer = said(b'{"configure":{"params":{"hz":0}}}\n')
    assert answer["error"]["field"] == "params.hz"


def test_a_compiler_that_is_not_there_is_told_as_an_answer(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CC", "no-such-cc")
    _, refused, after = said(b'{"configure":{}}\n', b'{"op":"dump"}')
    assert refused["error"]["message"].startswith("no C compiler")
    assert after["error"]["field"] == "op"


def test_parameters_that_are_left_out_have_their_defaults() -> None:
    assert params_of({"configure": {}}) == Params()
    small = {"nticks": 5, "chain_factor": 3, "hz": 100}
    assert params_of({"configure": {"params": small}}) == Params(hz=100, nticks=5, chain_factor=3)


@pytest.mark.parametrize("value", [{"configure": 1}, {"configure": {"params": []}}])
def test_a_configuration_that_is_none_is_refused(value: dict[str, Any]) -> None:
    with pytest.raises(InputError):
        params_of(value)


def test_the_build_follows_from_the_parameters() -> None:
    params = Params(hz=100, nticks=5, chain_factor=3, preempt_rcu=True, possible_cpus=65)
    assert options_for(params) == BuildOptions(
        hz=100, nticks=5, chain_factor=3, load_divisor=8, preempt_rcu=True, many_cpus=True
    )
