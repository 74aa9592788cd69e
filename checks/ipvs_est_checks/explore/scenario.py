"""Scenarios: small worlds as data, a machine, what happened before, and tasks that race."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ipvs_est.header import params_from_json
from ipvs_est.input_error import InputError
from ipvs_est.json_input import check_unique_keys, integer, parse_object, type_name
from ipvs_est.operation_json import operation_from_json
from ipvs_est.operations import Operation
from ipvs_est.params import Params
from ipvs_est_checks.explore.bodies import CONCURRENT

VERSION = 1
_FIELDS = frozenset({"scenario", "about", "params", "setup", "tasks", "jiffies"})
_FOLDER = Path(__file__).parent / "scenarios"


@dataclass(frozen=True, slots=True)
class Actor:
    """One control process or sysctl writer."""

    name: str
    operations: tuple[Operation, ...]


@dataclass(frozen=True, slots=True)
class Scenario:
    """One small world."""

    name: str
    about: str
    params: Params
    setup: tuple[Operation, ...]
    """Applied one after the other, under the sequential schedule."""
    actors: tuple[Actor, ...]
    """From here on these, the kthreads, the reload work, RCU and time run in any order."""
    jiffies: int
    """How far time may go on; afterwards nobody's sleep ends."""


def scenario_from_text(name: str, text: str) -> Scenario:
    """The scenario that a JSON object describes; raises InputError naming the field."""
    value = parse_object(text)
    check_unique_keys(text)
    for field in sorted(_FIELDS - value.keys()):
        raise InputError(field, "missing")
    for field in sorted(value.keys() - _FIELDS):
        raise InputError(field, "unknown field")
    integer(value["scenario"], "scenario", VERSION, VERSION)
    tasks = value["tasks"]
    if not isinstance(tasks, dict) or not tasks:
        raise InputError("tasks", "expected an object with at least one task")
    if not isinstance(value["about"], str):
        raise InputError("about", f"expected a string, found {type_name(value['about'])}")
    return Scenario(
        name,
        value["about"],
        params_from_json(value["params"]),
        _operations(value["setup"], "setup"),
        tuple(Actor(each, _of_task(tasks[each], f"tasks.{each}")) for each in tasks),
        integer(value["jiffies"], "jiffies", 0, 10**6),
    )


def _operations(value: object, field: str) -> tuple[Operation, ...]:
    if not isinstance(value, list):
        raise InputError(field, f"expected a list of operations, found {type_name(value)}")
    return tuple(_operation(each, f"{field}[{index}]") for index, each in enumerate(value))


def _of_task(value: object, field: str) -> tuple[Operation, ...]:
    operations = _operations(value, field)
    for index, each in enumerate(operations):
        if not isinstance(each, CONCURRENT):
            raise InputError(f"{field}[{index}].op", f"a task cannot do {each.op!r}")
    return operations


def _operation(value: Any, field: str) -> Operation:
    # Any: parsed data from outside.
    if not isinstance(value, dict):
        raise InputError(field, f"expected an operation, found {type_name(value)}")
    try:
        return operation_from_json(value)
    except InputError as error:
        raise InputError(f"{field}.{error.field}", error.message) from None


def library() -> tuple[str, ...]:
    """Names of the scenarios that come with the tool."""
    return tuple(sorted(path.stem for path in _FOLDER.glob("*.json")))


def load(name: str) -> Scenario:
    """A scenario of the library, or one in a file; raises InputError or OSError."""
    path = _FOLDER / f"{name}.json" if name in library() else Path(name)
    return scenario_from_text(path.stem, path.read_text(encoding="utf-8"))
