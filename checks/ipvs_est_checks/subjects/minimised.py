"""A failing schedule of a subject made easy to read: fewer context switches, then fewer steps."""

from collections.abc import Iterator, Sequence
from dataclasses import replace
from itertools import groupby

from ipvs_est_checks.explore.failures.minimise import shorter_choices
from ipvs_est_checks.explore.scenarios.scenario import Scenario
from ipvs_est_checks.subjects.schedules import (
    Ask,
    FailingRuns,
    Fields,
    ScheduleOutcome,
    cause_of,
    run_schedule,
    word_of,
)

ATTEMPTS = 150
"""Schedules that are tried."""


def minimised(
    ask: Ask, scenario: Scenario, failure: FailingRuns, fields: Fields, attempts: int = ATTEMPTS
) -> FailingRuns:
    """The same failure by a schedule that is no longer, of a scenario that was prepared.

    One that a judge has found is left as it is: a subject tells it a state only once.
    """
    if failure.property:
        return failure
    best = failure.run
    left = attempts
    improved = True
    while improved:
        improved = False
        for wish in _wishes([step.chosen for step in best.steps]):
            if not left:
                break
            left -= 1
            run = run_schedule(ask, word_of(wish), scenario.jiffies, fields=fields)
            if cause_of(run) == failure.cause and _rank(run) < _rank(best):
                best, improved = run, True
                break
    return replace(failure, run=best)


def _wishes(choices: Sequence[int]) -> Iterator[list[int]]:
    """First its beginnings, after which each task goes on while it can."""
    ends = [0]
    for _, group in groupby(choices):
        ends.append(ends[-1] + len(list(group)))
    for end in ends[:-1]:
        yield [*choices[:end]]
    yield from shorter_choices(choices)


def _rank(run: ScheduleOutcome) -> tuple[int, int, int]:
    """Context switches, preemptions, steps."""
    pairs = list(zip(run.steps, run.steps[1:], strict=False))
    switches = [after for before, after in pairs if before.chosen != after.chosen]
    return len(switches), sum(switch.goes_on for switch in switches), len(run.steps)
