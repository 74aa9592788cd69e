"""Searches that begin where a given schedule has led, as far as it can still be followed."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import TypeVar

from ipvs_est import Revision
from ipvs_est.language.violations import Violation, ViolationError, describe
from ipvs_est_checks.explore.engine.world import RCU, TIME, enabled, start, step
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


def fit(scenario: Scenario, revision: Revision, choices: Sequence[int]) -> Fit:
    """Follow a schedule that may be of another scenario or model, from its start."""
    world = start(scenario, revision)
    for done, choice in enumerate(choices):
        if choice not in enabled(world):
            if choice < 0:
                who = _NAMES[choice]
            else:
                thread = world.by_index.get(choice)
                who = f"task {choice}" if thread is None else thread.task.name
            return Fit(tuple(choices[:done]), f"{who} cannot go on there")
        try:
            step(world, choice)
        except ViolationError as error:
            return Fit(tuple(choices[:done]), f"it fails there: {describe(error.violation)}")
    return Fit(tuple(choices), "")


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
