"""A snapshot of a tree's code has what the model's has, wherever both behave alike."""

import json
from pathlib import Path
from typing import Any

import pytest

from ipvs_est.answers.snapshot import snapshot_from_json, snapshot_to_json
from ipvs_est.language.difference import first_difference
from ipvs_est.language.header import header_from_json
from ipvs_est.language.operation_json import operation_from_json
from ipvs_est.oracle import Oracle
from ipvs_est_checks.harness.building.build import build
from ipvs_est_checks.harness.building.options import BuildOptions, options_for
from ipvs_est_checks.harness.process import answers
from kernels.kernel_trees import CHECKOUT, need_tree

TRACES = CHECKOUT / "tests" / "data" / "traces"
# Of the model's own making: its name, its heap's numbering, and violations, which answers tell.
OF_THE_MODEL = ("revision", "memory", "violations")
SMALL = {"hz": 100, "nticks": 5, "chain_factor": 3}


def histories(kernel: str) -> list[Path]:
    """Recordings of that kernel in the small geometry."""
    found = []
    for path in sorted(TRACES.glob("*.jsonl")):
        header = path.read_text().partition("\n")[0]
        value = json.loads(header)
        if value["kernel"] == kernel and SMALL.items() <= value["params"].items():
            found.append(path)
    return found


@pytest.mark.parametrize(
    ("kernel", "series", "snapshots"), [("7.3.4", (7, 3), 502), ("6.12.117", (6, 12), 667)]
)
def test_every_snapshot_of_the_recorded_histories_is_the_models(
    kernel: str, series: tuple[int, int], snapshots: int
) -> None:
    tree = need_tree(series)
    compared = 0
    for path in histories(kernel)[:12]:
        header_line, *lines = path.read_text().splitlines()
        header = header_from_json(json.loads(header_line))
        oracle = Oracle(header.params, header.revision)
        asked = [header_line]
        operations: list[dict[str, Any]] = []
        for line in lines:
            operation = json.loads(line)
            del operation["result"]
            operations.append(operation)
            asked += [json.dumps(operation), '{"op":"snapshot"}']
        program = build(tree, options_for(header.params))
        seen = answers(program, "".join(f"{name}\n" for name in asked).encode())
        for number, operation in enumerate(operations):
            oracle.apply(operation_from_json(operation))
            found = snapshot_to_json(snapshot_from_json(json.loads(seen[2 * number + 2])["result"]))
            expected = snapshot_to_json(oracle.snapshot())
            for name in OF_THE_MODEL:
                del found[name], expected[name]
            assert first_difference(expected, found) is None, (path.name, number, operation)
            compared += 1
    assert compared == snapshots


def test_a_watched_snapshot_comes_with_each_answer() -> None:
    tree = need_tree()
    program = build(tree, BuildOptions(100, 5, 3, 8))
    params = {**SMALL, "load_divisor": 8}
    lines: list[dict[str, Any]] = [
        {"configure": {"params": params, "watch": ["snapshot"]}},
        {"op": "svc", "id": 7},
        {"op": "snapshot"},
    ]
    text = "".join(f"{json.dumps(line)}\n" for line in lines)
    configured, started, asked = [json.loads(answer) for answer in answers(program, text.encode())]
    assert configured["configured"]["watch"] == ["snapshot"]
    assert started["snapshot"] == asked["result"] == asked["snapshot"]
    assert [entry["id"] for entry in started["snapshot"]["objects"]] == [7]
