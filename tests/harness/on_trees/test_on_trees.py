"""The code of real trees under the recordings, and what its programs answer."""

import json
from pathlib import Path
from typing import Any

import pytest

from ipvs_est.replay import Failed, Passed
from ipvs_est_checks.harness.building.build import build
from ipvs_est_checks.harness.building.options import BuildOptions, Variant
from ipvs_est_checks.harness.building.tree import Tree, read_tree
from ipvs_est_checks.harness.histories.replay import outcome_on_tree
from ipvs_est_checks.harness.process import answers, running
from ipvs_est_checks.terminal.bad_input import BadInputError
from kernels.kernel_trees import CHECKOUT, need_tree

TRACES = CHECKOUT / "tests" / "data" / "traces"
SMALL = BuildOptions(hz=100, nticks=5, chain_factor=3, load_divisor=8)
CONFIGURE: dict[str, Any] = {
    "configure": {"params": {"hz": 100, "nticks": 5, "chain_factor": 3, "possible_cpus": 1}}
}


def recorded(kernel: str) -> list[Path]:
    found = []
    for path in sorted(TRACES.glob("*.jsonl")):
        with path.open() as file:
            if json.loads(file.readline())["kernel"] == kernel:
                found.append(path)
    assert found
    return found


def answered_by(
    tree: Tree, lines: list[dict[str, Any]], variant: Variant = Variant.PLAIN
) -> list[Any]:
    options = BuildOptions(SMALL.hz, SMALL.nticks, SMALL.chain_factor, 8, variant=variant)
    text = "".join(f"{json.dumps(line)}\n" for line in lines)
    return [json.loads(answer) for answer in answers(build(tree, options), text.encode())]


@pytest.mark.parametrize(("kernel", "version"), [("7.3.4", (7, 3, 4)), ("6.12.117", (6, 12, 117))])
def test_a_tree_of_the_recorded_version_reproduces_every_recording(
    kernel: str, version: tuple[int, int, int]
) -> None:
    tree = need_tree(version[:2])
    if tree.version != version:
        pytest.skip(f"the tree is of {tree.version}, not of {version}")
    outcomes = [outcome_on_tree(path, tree) for path in recorded(kernel)]
    assert [outcome for outcome in outcomes if not isinstance(outcome, Passed)] == []


def test_a_difference_is_told_with_its_place(tmp_path: Path) -> None:
    tree = need_tree()
    header = {
        "trace": "made",
        "format": 1,
        "kernel": "7.3.4",
        "seed": 0,
        "params": {
            "hz": 100,
            "nticks": 5,
            "chain_factor": 3,
            "preempt_rcu": False,
            "load_divisor": 8,
            "possible_cpus": 1,
            "est_cost_ns": 1000,
            "initial_jiffies": 1000,
        },
    }
    lines = [header, {"op": "svc", "id": 1, "result": {"ret": -12}}]
    trace = tmp_path / "made.jsonl"
    trace.write_text("".join(f"{json.dumps(line)}\n" for line in lines))
    outcome = outcome_on_tree(trace, tree)
    assert isinstance(outcome, Failed)
    assert outcome.line == 2
    assert (outcome.difference.path, outcome.difference.recorded) == ("ret", -12)
    assert outcome.difference.computed == 0


def test_each_configuration_starts_a_new_machine() -> None:
    tree = need_tree()
    start, dump = {"op": "svc", "id": 1}, {"op": "dump"}
    found = answered_by(
        tree, [CONFIGURE, dump, start, {"op": "advance", "n": 3}, CONFIGURE, dump, start]
    )
    assert found[1] == found[5]
    assert found[2] == found[6] == {"result": {"ret": 0}}


def test_what_makes_no_sense_is_refused_and_changes_nothing() -> None:
    tree = need_tree()
    bad: list[tuple[dict[str, Any], str]] = [
        ({"op": "svc"}, "id"),
        ({"op": "svc", "id": -1}, "id"),
        ({"op": "svc", "id": 1, "more": 1}, "more"),
        ({"op": "svc", "id": 1.5}, "id"),
        ({"op": "read", "id": 9}, "id"),
        ({"op": "nothing"}, "op"),
        ({"op": "traffic", "id": 1}, "cpu"),
        ({"op": "run_estimation", "value": 2**31}, "value"),
    ]
    found = answered_by(
        tree, [CONFIGURE, {"op": "dump"}, *(line for line, _ in bad), {"op": "dump"}]
    )
    assert [entry["error"]["field"] for entry in found[2:-1]] == [field for _, field in bad]
    assert found[1] == found[-1]


def test_a_line_that_is_no_json_is_answered_with_its_number() -> None:
    tree = need_tree()
    text = f'{json.dumps(CONFIGURE)}\n{{"op":"dump"\n{{"op":"settle","op":"settle"}}\n'
    found = [json.loads(answer) for answer in answers(build(tree, SMALL), text.encode())]
    assert [entry["error"]["line"] for entry in found[1:]] == [2, 3]
    assert found[2]["error"]["message"].endswith("a member is given twice")


def test_a_recorded_result_is_compared() -> None:
    tree = need_tree()
    lines: list[dict[str, Any]] = [
        CONFIGURE,
        {"op": "svc", "id": 1, "result": {"ret": 0}},
        {"op": "svc", "id": 2, "result": {"ret": -22}},
    ]
    found = answered_by(tree, lines)
    assert found[1]["equal"] is True
    assert (found[2]["equal"], found[2]["differs_at"]) == (False, "ret")


def test_parameters_of_another_build_are_refused() -> None:
    tree = need_tree()
    with running(build(tree, SMALL)):
        found = answered_by(tree, [{"configure": {"params": {"hz": 250}}}])
    assert found[0]["error"]["field"] == "hz"


def test_a_compile_error_in_the_users_file_is_told_with_its_place(tmp_path: Path) -> None:
    tree = need_tree()
    copy = tmp_path / "tree"
    copy.mkdir()
    for path in tree.path.iterdir():
        if path.name != "net":
            (copy / path.name).symlink_to(path)
    folder = copy / "net/netfilter/ipvs"
    folder.mkdir(parents=True)
    for path in (tree.path / "net/netfilter/ipvs").iterdir():
        (folder / path.name).symlink_to(path)
    estimator = folder / "ip_vs_est.c"
    text = estimator.read_text()
    estimator.unlink()
    estimator.write_text(text + "\nint broken = nothing;\n")
    line = text.count("\n") + 2
    with pytest.raises(BadInputError) as caught:
        build(read_tree(copy), SMALL)
    assert "\n" not in caught.value.message
    place = f"does not compile: net/netfilter/ipvs/ip_vs_est.c:{line}:"
    assert place in caught.value.message
