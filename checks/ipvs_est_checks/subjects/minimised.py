"""A failing schedule of a subject made easy to read: fewer context switches, then fewer steps."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from itertools import groupby

from ipvs_est_checks.explore.failures.minimise import shorter_choices
from ipvs_est_checks.explore.scenarios.scenario import Scenario
from ipvs_est_checks.subjects.schedules import (
    Ask,
    Failure,
    Fields,
    Judge,
    Run,
    cause_of,
    first_steps,
    judged_schedule,
    run_schedule,
    word_of,
)

ATTEMPTS = 300
"""Schedules that are tried."""
Again = Callable[[str], tuple[Run, str]]
"""Runs a word, and gives what came of it with the cause by which it fails, '' for none."""


def again(ask: Ask, scenario: Scenario, fields: Fields, judge: Judge | None = None) -> Again:
    """What runs words of a scenario that was prepared; `judge`: the one that was there then."""

    def run(word: str) -> tuple[Run, str]:
        if judge is None:
            told = run_schedule(ask, word, scenario.jiffies, fields=fields)
            return told, cause_of(told)
        told, broken = judged_schedule(ask, word, scenario.jiffies, fields=fields, judge=judge)
        if broken is None:
            return told, cause_of(told)
        return first_steps(told, broken.steps), broken.cause

    return run


def minimised(failure: Failure, run_again: Again, attempts: int = ATTEMPTS) -> Failure:
    """The same failure by a schedule that is no longer; deterministic."""
    best = failure.run
    left = attempts
    improved = True
    while improved:
        improved = False
        for wish in _wishes([each.chosen for each in best.steps]):
            if not left:
                return replace(failure, run=best)
            left -= 1
            run, cause = run_again(word_of(wish))
            if cause == failure.cause and _rank(run) < _rank(best):
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


def _rank(run: Run) -> tuple[int, int, int]:
    """Context switches, preemptions, steps."""
    pairs = list(zip(run.steps, run.steps[1:], strict=False))
    switches = [after for before, after in pairs if before.chosen != after.chosen]
    return len(switches), sum(each.goes_on for each in switches), len(run.steps)
