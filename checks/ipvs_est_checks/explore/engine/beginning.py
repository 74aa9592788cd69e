"""Searches that begin where a given schedule has led, as far as it can still be followed."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import TypeVar

from ipvs_est import Revision
from ipvs_est.language.violations import Violation, ViolationError, describe
from ipvs_est_checks.explore.engine.memory.order import MemoryOrder
from ipvs_est_checks.explore.engine.world import RCU, TIME, World, enabled, flush_of, start, step
from ipvs_est_checks.explore.scenarios.scenario import Scenario
from ipvs_est_checks.explore.schedulers.scheduler import System

W = TypeVar("W")
_NAMES = {TIME: "time", RCU: "a grace period"}


@dataclass(frozen=True, slots=True)
class Fit:
    """How much of a schedule can be followed."""

    choices: tuple[int, ...]
    """The steps that can be made, without a failure."""
    why: str
    """What is in the way of the next one; '' = that was all."""


def fit(
    scenario: Scenario,
    revision: Revision,
    choices: Sequence[int],
    order: MemoryOrder = MemoryOrder.SC,
) -> Fit:
    """Follow a schedule that may be of another scenario or model, from its start."""
    world = start(scenario, revision, order=order)
    for done, choice in enumerate(choices):
        if choice not in enabled(world):
            return Fit(tuple(choices[:done]), f"{_who(world, choice)} cannot go on there")
        try:
            step(world, choice)
        except ViolationError as error:
            return Fit(tuple(choices[:done]), f"it fails there: {describe(error.violation)}")
    return Fit(tuple(choices), "")


def _who(world: World, choice: int) -> str:
    flushed = flush_of(choice)
    if flushed is None and choice < 0:
        return _NAMES[choice]
    index = choice if flushed is None else flushed[0]
    thread = world.by_index.get(index)
    name = f"task {index}" if thread is None else thread.task.name
    return name if flushed is None else f"a store of {name}"


def beginning_with(system: System[W], choices: Sequence[int]) -> System[W]:
    """The same, but each schedule begins after those steps, which do not fail."""

    def begun() -> W:
        world = system.start()
        for choice in choices:
            system.repeat(world, choice)
        return world

    def judge(world: W) -> tuple[int, Violation] | None:
        found = system.judge(world)
        if found is None:
            return None
        steps, violation = found
        return max(0, steps - len(choices)), violation

    return replace(system, start=begun, judge=judge)
