"""The table of accesses: every field has a row, and every point of the model is in one."""

import ast
from dataclasses import fields
from pathlib import Path

import pytest

import ipvs_est
from access_table import TABLE
from ipvs_est.machine.hlist import Node
from ipvs_est.state.kthread_context import KthreadContext, Tick
from ipvs_est.state.netns import DelayedWork, Netns
from ipvs_est.state.stats import Estimator, StatsObject
from ipvs_est_checks.explore import engine

SHARED = (Netns, DelayedWork, KthreadContext, Tick, Estimator, StatsObject)
# Of the model itself: how an object lies on the heap.
_HEAP = {"serial", "life"}


def _points() -> set[str]:
    """Every FieldAccess of the model and of what the explorer adds, as in the table."""
    found: set[str] = set()
    for package in (ipvs_est, engine):
        for path in package.__path__:
            for file in Path(path).rglob("*.py"):
                found |= set(map(_point, _made(ast.parse(file.read_text(encoding="utf-8")))))
    return found


def _made(tree: ast.AST) -> list[ast.Call]:
    return [
        node
        for node in ast.walk(tree)
        if isinstance(node, ast.Call)
        and isinstance(node.func, ast.Name)
        and node.func.id == "FieldAccess"
    ]


def _point(call: ast.Call) -> str:
    name: object = ast.literal_eval(call.args[1])
    (write,) = (
        ast.literal_eval(keyword.value) for keyword in call.keywords if keyword.arg == "write"
    )
    return f"{name} {'w' if write else 'r'}"


@pytest.mark.parametrize("owner", SHARED, ids=lambda owner: owner.__name__)
def test_every_field_has_a_row_and_every_row_a_field(owner: type) -> None:
    rows = [row.field for row in TABLE if row.owner == owner.__name__]
    assert len(rows) == len(set(rows))
    assert set(rows) == {field.name for field in fields(owner)} - _HEAP


def test_a_node_of_a_list_has_the_fields_of_an_estimator() -> None:
    assert {field.name for field in fields(Node)} == {"next", "prev"}


def test_every_point_of_the_model_is_in_the_table_and_no_other() -> None:
    assert set().union(*(row.points for row in TABLE)) == _points()


def test_a_field_without_a_point_says_why() -> None:
    assert [(row.owner, row.field) for row in TABLE if not (row.points or row.why)] == []
