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
        each
        for each in ast.walk(tree)
        if isinstance(each, ast.Call)
        and isinstance(each.func, ast.Name)
        and each.func.id == "FieldAccess"
    ]


def _point(call: ast.Call) -> str:
    name: object = ast.literal_eval(call.args[1])
    (write,) = (ast.literal_eval(each.value) for each in call.keywords if each.arg == "write")
    return f"{name} {'w' if write else 'r'}"


@pytest.mark.parametrize("owner", SHARED, ids=lambda each: each.__name__)
def test_every_field_has_a_row_and_every_row_a_field(owner: type) -> None:
    rows = [each.field for each in TABLE if each.owner == owner.__name__]
    assert len(rows) == len(set(rows))
    assert set(rows) == {each.name for each in fields(owner)} - _HEAP


def test_a_node_of_a_list_has_the_fields_of_an_estimator() -> None:
    assert {each.name for each in fields(Node)} == {"next", "prev"}


def test_every_point_of_the_model_is_in_the_table_and_no_other() -> None:
    assert set().union(*(each.points for each in TABLE)) == _points()


def test_a_field_without_a_point_says_why() -> None:
    assert [(each.owner, each.field) for each in TABLE if not (each.points or each.why)] == []
