"""Random schedules: at each step any task that can go on, each as likely as the others."""

import random
from itertools import pairwise

from ipvs_est import Revision
from ipvs_est.violations import ViolationError
from ipvs_est_checks.explore.dfs import Bounds, Figures, Found, Outcome
from ipvs_est_checks.explore.scenario import Scenario
from ipvs_est_checks.explore.world import enabled, start, step


def explore_random(scenario: Scenario, revision: Revision, bounds: Bounds, seed: int) -> Outcome:
    """Run `bounds.schedules` random schedules, or until one fails; never exhausts anything."""
    numbers = random.Random(seed)
    steps = longest = schedules = 0
    found: Found | None = None
    while found is None and schedules < bounds.schedules:
        schedules += 1
        world = start(scenario, revision)
        choices: list[int] = []
        try:
            while len(choices) < bounds.depth and (available := enabled(world)):
                choices.append(numbers.choice(available))
                step(world, choices[-1])
        except ViolationError as error:
            found = Found(error.violation, tuple(choices), switches(choices))
        steps += len(choices)
        longest = max(longest, len(choices))
    return Outcome(found, Figures(schedules, steps, 0, longest, 0, exhausted=False))


def switches(choices: list[int]) -> int:
    """How often a schedule goes from one task to another, at most all of them preemptions."""
    return sum(left != right for left, right in pairwise(choices))
