"""Steps whose footprints are disjoint do the same in either order, on scenarios of the library."""

from itertools import combinations
from random import Random

import pytest

from ipvs_est import REPAIRED, V7, Revision
from ipvs_est.language.violations import ViolationError
from ipvs_est_checks.explore.engine.outcome import Bounds
from ipvs_est_checks.explore.engine.path import unrolled
from ipvs_est_checks.explore.engine.run import run
from ipvs_est_checks.explore.engine.states.fingerprint import fingerprint
from ipvs_est_checks.explore.engine.world import World, enabled, repeat, start, step
from ipvs_est_checks.explore.reduction.footprint import (
    Footprint,
    FootprintTaker,
    independent,
)
from ipvs_est_checks.explore.scenarios.scenario import Scenario, load
from ipvs_est_checks.explore.schedulers.exhaustive import Exhaustive, Reduction
from ipvs_est_checks.explore.schedulers.scheduler import system_of

STATES = 25
"""Of each scenario, drawn from those that the search meets in so many schedules."""
SCHEDULES = 300


def _world(scenario: Scenario, revision: Revision, choices: list[int]) -> World:
    world = start(scenario, revision)
    for choice in choices:
        repeat(world, choice)
    return world


def _footprint(world: World, choice: int, taker: FootprintTaker) -> Footprint | None:
    """None: the step fails."""
    taker.forget()
    taking = taker.before(world, choice)
    try:
        step(world, choice)
    except ViolationError:
        return None
    taker.after(world, taking)
    return taker.last


@pytest.mark.parametrize(
    ("name", "revision"),
    [
        ("exit-in-drain", REPAIRED),
        ("exit-with-two-kthreads", V7),
        ("packets-and-second-kthread", REPAIRED),
        ("two-kthreads-restart", REPAIRED),
    ],
)
def test_independent_steps_commute(name: str, revision: Revision) -> None:
    scenario = load(name)
    search = Exhaustive(Reduction.NONE)
    system = system_of(scenario, revision)
    run(system, search, Bounds(schedules=SCHEDULES), keep_going=True)
    states = list(search.graph.states.values())
    commuted = 0
    for state in Random(1).sample(states, STATES):
        choices = unrolled(state.reached)
        taker = FootprintTaker()
        taken = {
            choice: _footprint(_world(scenario, revision, choices), choice, taker)
            for choice in state.enabled
        }
        for (one, touched), (other, touched_too) in combinations(taken.items(), 2):
            if not (touched and touched_too and independent(touched, touched_too)):
                continue
            ends = []
            for first, second in ((one, other), (other, one)):
                world = _world(scenario, revision, [*choices, first])
                step(world, second)
                ends.append((fingerprint(world), enabled(world)))
            assert ends[0] == ends[1], (choices, one, other)
            commuted += 1
    assert commuted > STATES // 2
