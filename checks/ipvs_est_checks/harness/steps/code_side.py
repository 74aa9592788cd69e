"""The code's side: the program of a tree follows the model's steps."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

from ipvs_est.language.header import params_to_json
from ipvs_est.language.operation_json import operation_from_json, operation_to_json
from ipvs_est.language.operations import AddService, FailAllocations, Operation, Packet
from ipvs_est_checks.explore.scenarios.scenario import Actor, Scenario
from ipvs_est_checks.harness.steps.model_side import ModelTurn
from ipvs_est_checks.subjects.schedules import Ask
from ipvs_est_checks.terminal.bad_input import BadInputError

# Any in this file: parsed JSON of our own program.

_FIRST_ID, _LAST_ID = 1001, 1060
"""Ids among which the table of services is tried."""


@dataclass(frozen=True, slots=True)
class CodePoint:
    """The code at a common point."""

    passed: tuple[str, ...]
    """Places on the way there."""
    place: str
    able: tuple[str, ...]
    """Sorted."""
    callbacks: int
    snapshot: dict[str, Any] | None
    frames: tuple[int, ...] = ()
    """Addresses of the code that stands there, the innermost first."""


@dataclass(frozen=True, slots=True)
class CodeRun:
    """What the code did with a schedule."""

    points: tuple[CodePoint, ...]
    """Before the first step and after each, up to one that cannot be followed."""
    violations: tuple[dict[str, Any], ...]


def follow(
    ask: Ask, steps: Sequence[ModelTurn], *, snapshots: bool, frames: bool = False
) -> CodeRun:
    """Let the code go the model's way, from what was prepared."""
    return code_run(ask(follow_line(steps, snapshots=snapshots, frames=frames)))


def follow_line(
    steps: Sequence[ModelTurn], *, snapshots: bool, frames: bool = False
) -> dict[str, object]:
    """What asks a program for that."""
    lines = [[step.name, step.number, step.place, step.unlocks, step.others] for step in steps]
    return {"follow": lines, "snapshots": snapshots, "frames": frames}


def code_run(answer: dict[str, Any]) -> CodeRun:
    """A program's answer. Raises BadInputError if it refuses."""
    if "error" in answer:
        raise BadInputError(f"{answer['error']['field']}: {answer['error']['message']}")
    followed = answer["followed"]
    points = tuple(_point(*entry) for entry in followed["points"])
    return CodeRun(points, tuple(followed["violations"]))


def _point(
    passed: list[str],
    place: str,
    able: list[str],
    callbacks: int,
    snapshot: dict[str, Any] | None,
    frames: Sequence[int] = (),
) -> CodePoint:
    return CodePoint(tuple(passed), place, tuple(sorted(able)), callbacks, snapshot, tuple(frames))


def why_not(scenario: Scenario) -> str:
    """Why the code cannot be compared in this scenario; empty if it can."""
    operations = [
        *scenario.setup,
        *(operation for actor in scenario.actors for operation in actor.operations),
    ]
    if any(isinstance(operation, Packet) for operation in operations):
        return "a tree's program knows no packets of a destination"
    first = next(
        (
            operation
            for operation in operations
            if isinstance(operation, FailAllocations | AddService)
        ),
        0,
    )
    if isinstance(first, FailAllocations):
        return "the code counts the tables that it allocates for the first service as well"
    return ""


def with_own_breaks(scenario: Scenario) -> Scenario:
    """The scenario with as many steps between two breaks of a walk as the kernel has."""
    return replace(scenario, params=replace(scenario.params, steps_per_break=0))


def in_order_of_table(ask: Ask, scenario: Scenario) -> Scenario:
    """The scenario with other ids of services, so that the kernel's table has them in ascending
    order: netns exit flushes them in the table's order, the model by ids."""
    ids = sorted(
        {
            operation.id
            for operations in (scenario.setup, *(actor.operations for actor in scenario.actors))
            for operation in operations
            if isinstance(operation, AddService)
        }
    )
    if len(ids) < 2:
        return scenario
    chosen = _ascending(_order_of_table(ask, scenario))
    if len(chosen) < len(ids):
        raise BadInputError(f"{scenario.name}: the table has only {len(chosen)} services in order")
    names = dict(zip(ids, chosen, strict=False))
    return replace(
        scenario,
        setup=_renamed(scenario.setup, names),
        actors=tuple(
            Actor(actor.name, _renamed(actor.operations, names)) for actor in scenario.actors
        ),
    )


def _renamed(operations: Sequence[Operation], names: dict[int, int]) -> tuple[Operation, ...]:
    found: list[Operation] = []
    for operation in operations:
        value = operation_to_json(operation)
        for field in ("id", "service"):
            before = value.get(field)
            if isinstance(before, int) and before in names:
                value[field] = names[before]
        found.append(operation_from_json(value))
    return tuple(found)


def _order_of_table(ask: Ask, scenario: Scenario) -> list[int]:
    """Ids in the order in which netns exit comes to their services."""
    params = params_to_json(scenario.params)
    lines: list[dict[str, Any]] = [{"configure": {"params": params, "watch": ["events"]}}]
    lines.append({"op": "init"})
    lines += [{"op": "add_service", "id": number} for number in range(_FIRST_ID, _LAST_ID + 1)]
    lines.append({"op": "exit"})
    answer: dict[str, Any] = {}
    for line in lines:
        answer = ask(line)
        if "result" not in answer and "configured" not in answer:
            raise BadInputError(f"{scenario.name}: the order of services is not told: {answer}")
    events = [entry for entry in answer["events"] if entry["event"] == "stopped"]
    return [event["id"] for event in events if event["id"] >= _FIRST_ID]


def _ascending(order: Sequence[int]) -> list[int]:
    """A longest run of ids, in that order, that ascends."""
    best: list[list[int]] = []
    for number in order:
        before = max((run for run in best if run[-1] < number), key=len, default=[])
        best.append([*before, number])
    return max(best, key=len, default=[])
