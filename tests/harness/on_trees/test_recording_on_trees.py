"""Traces that are made of a tree's code: the ones that were recorded come out again."""

import json

import pytest

from ipvs_est_checks.harness.histories.recording import recorded
from ipvs_est_checks.terminal.bad_input import BadInputError
from kernels.kernel_trees import CHECKOUT, need_tree

TRACE = CHECKOUT / "tests" / "data" / "traces" / "small-1017.jsonl"


def test_a_recorded_trace_of_the_tree_is_made_again_without_its_results() -> None:
    tree = need_tree((7, 3))
    lines = TRACE.read_text().splitlines()
    made = recorded(tree, "t", lines)
    header = json.loads(lines[0])
    assert made[0] == {**header, "kernel": "7.3.4"}
    if header["kernel"] == "7.3.4":
        assert made[1:] == [json.loads(line) for line in lines[1:]]
    assert len(made) == len(lines)


@pytest.mark.parametrize("line", ["{", '{"op":"no-such"}', '{"op":"svc"}'])
def test_a_line_that_is_no_operation_is_named(line: str) -> None:
    tree = need_tree((7, 3))
    with pytest.raises(BadInputError, match=r"^t:2: "):
        recorded(tree, "t", [TRACE.read_text().splitlines()[0], line])
