"""Scenarios: small worlds as data: a machine, what happened before, and tasks that race.

A JSON object; `about` and `tasks` are required beside the format's version, the rest has
defaults:

    {
     "scenario": 1,
     "about": "The thread limit shrinks while kthread 0 needs one more thread.",
     "params": {"possible_cpus": 2, "load_divisor": 2},
     "setup": [{"op": "init"}, {"op": "add_service", "id": 1}, {"op": "advance", "n": 150}],
     "tasks": {
      "CTL": [{"op": "add_service", "id": 2}],
      "SYSCTL": [{"op": "write_cpulist", "text": "0"}]
     },
     "jiffies": 10
    }

`params`: what differs from `TINY`. `setup`: operations as in SCHEMA.md, in the sequential
schedule; default: netns init. One with `"times": N` is done N times, with ids rising from `id`.
`tasks`: each a name, other than those of the kthreads (`ipvs-e:0`), the reload work, time and RCU,
and the operations that it does in turn. `jiffies`: how far time may go on while the tasks race;
default 10.
"""

import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ipvs_est.language.header import params_from_json, params_to_json
from ipvs_est.language.input_error import InputError
from ipvs_est.language.json_input import check_unique_keys, integer, parse_object, type_name
from ipvs_est.language.operation_json import operation_from_json, operation_to_json
from ipvs_est.language.operations import InitNetns, Operation
from ipvs_est.language.params import Params
from ipvs_est_checks.explore.engine.bodies import CONCURRENT

VERSION = 1
MAX_TIMES = 1000
MAX_JIFFIES = 10**6
JIFFIES = 10
"""How far time may go on by default."""
TINY = Params(hz=100, nticks=2, chain_factor=1, est_cost_ns=95_000)
"""Two rows of one chain each, which one estimator fills: two estimators in a kthread."""

_REQUIRED = frozenset({"scenario", "about", "tasks"})
_FIELDS = _REQUIRED | {"params", "setup", "jiffies"}
# Fields of a header that follow from the others.
_DERIVED = frozenset({"tick_jiffies", "tick_chains"})
# Whom a timeline names beside the kthreads and the tasks of a scenario.
_OTHERS = frozenset({"est_reload_work", "time", "RCU"})
_FOLDER = Path(__file__).parent / "library"


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
    for field in sorted(_REQUIRED - value.keys()):
        raise InputError(field, "missing")
    for field in sorted(value.keys() - _FIELDS):
        raise InputError(field, "unknown field")
    integer(value["scenario"], "scenario", VERSION, VERSION)
    tasks = value["tasks"]
    if not isinstance(tasks, dict) or not tasks:
        raise InputError("tasks", "expected an object with at least one task")
    for task in tasks:
        if not is_name_of_task(task):
            raise InputError("tasks", f"{task!r} is no name for a task of control")
    if not isinstance(value["about"], str):
        raise InputError("about", f"expected a string, found {type_name(value['about'])}")
    return Scenario(
        name,
        value["about"],
        _params(value.get("params", {})),
        _operations(value["setup"], "setup") if "setup" in value else (InitNetns(),),
        tuple(Actor(task, _of_task(tasks[task], f"tasks.{task}")) for task in tasks),
        integer(value.get("jiffies", JIFFIES), "jiffies", 0, MAX_JIFFIES),
    )


def is_name_of_task(name: str) -> bool:
    """Whether a task of control may have that name: no other task has it."""
    return bool(name.strip()) and not name.startswith("ipvs-e:") and name not in _OTHERS


def _params(value: object) -> Params:
    if not isinstance(value, dict):
        raise InputError("params", f"expected an object, found {type_name(value)}")
    # What follows from the others is not in the way of a change.
    defaults = {
        name: parameter for name, parameter in params_to_json(TINY).items() if name not in _DERIVED
    }
    return params_from_json({**defaults, **value})


def _operations(value: object, field: str) -> tuple[Operation, ...]:
    if not isinstance(value, list):
        raise InputError(field, f"expected a list of operations, found {type_name(value)}")
    return tuple(
        operation
        for index, entry in enumerate(value)
        for operation in _repeated(entry, f"{field}[{index}]")
    )


def _repeated(value: Any, field: str) -> Iterator[Operation]:
    # Any: parsed data from outside.
    if not isinstance(value, dict) or "times" not in value:
        yield _operation(value, field)
        return
    times = integer(value["times"], f"{field}.times", 1, MAX_TIMES)
    once = {name: entry for name, entry in value.items() if name != "times"}
    first = integer(once["id"], f"{field}.id", 0, 2**31) if "id" in once else None
    for number in range(times):
        yield _operation(once if first is None else {**once, "id": first + number}, field)


def _of_task(value: object, field: str) -> tuple[Operation, ...]:
    operations = _operations(value, field)
    for index, operation in enumerate(operations):
        if not isinstance(operation, CONCURRENT):
            raise InputError(f"{field}[{index}].op", f"a task cannot do {operation.op!r}")
    return operations


def _operation(value: Any, field: str) -> Operation:
    # Any: parsed data from outside.
    if not isinstance(value, dict):
        raise InputError(field, f"expected an operation, found {type_name(value)}")
    try:
        return operation_from_json(value)
    except InputError as error:
        raise InputError(f"{field}.{error.field}", error.message) from None


def scenario_text(scenario: Scenario) -> str:
    """The JSON object on one line, a scenario file as it is."""
    tiny = params_to_json(TINY)
    params = {
        name: parameter
        for name, parameter in params_to_json(scenario.params).items()
        if name not in _DERIVED and parameter != tiny.get(name)
    }
    value = {
        "scenario": VERSION,
        "about": scenario.about,
        "params": params,
        "setup": [operation_to_json(operation) for operation in scenario.setup],
        "tasks": {
            actor.name: [operation_to_json(operation) for operation in actor.operations]
            for actor in scenario.actors
        },
        "jiffies": scenario.jiffies,
    }
    return json.dumps(value)


def library() -> tuple[str, ...]:
    """Names of the scenarios that come with the tool."""
    return tuple(sorted(path.stem for path in _FOLDER.glob("*.json")))


def load(name: str) -> Scenario:
    """A scenario of the library, or one in a file; raises InputError or OSError."""
    path = _FOLDER / f"{name}.json" if name in library() else Path(name)
    return scenario_from_text(path.stem, path.read_text(encoding="utf-8"))
