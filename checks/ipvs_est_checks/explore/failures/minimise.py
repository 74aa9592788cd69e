"""A failing schedule made easy to read: the fewest context switches, then the fewest steps.

First delta debugging: leave out a run of steps of one thread, or join it with another run of
that thread, and see whether the same failure still comes. Then a search through all schedules
with fewer context switches than that, which finds the fewest or shows that there are none.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from itertools import groupby
from typing import TypeVar

from ipvs_est.language.violations import Violation, ViolationError
from ipvs_est_checks.explore.engine.outcome import Bounds, Found
from ipvs_est_checks.explore.engine.run import by_violation, run
from ipvs_est_checks.explore.schedulers.dfs import Dfs
from ipvs_est_checks.explore.schedulers.scheduler import (
    Moment,
    System,
    next_holder,
    preemption_cost,
    switch_cost,
)

W = TypeVar("W")

EFFORT = 100_000
"""Scheduling steps that the search may take: a few seconds."""
ATTEMPTS = 2_000
"""Schedules that delta debugging may try."""

_Run = tuple[int, int]
"""A choice and how often it is taken in a row."""


@dataclass(frozen=True, slots=True)
class Minimised:
    """A failure with the shortest schedule that was found."""

    found: Found
    fewest: bool
    """No schedule with fewer context switches fails in the same way: all were searched."""


def minimise(
    system: System[W],
    found: Found,
    *,
    key: Callable[[W, Violation], str] = by_violation,
    effort: int = EFFORT,
) -> Minimised:
    """The same failure, by `key`, with fewer context switches if possible; deterministic."""
    again = _follow(system, found.choices, len(found.choices) + 1, key)
    if again is None:
        raise ValueError("the schedule does not fail: it depends on more than its choices")
    wanted, found = again
    found = _delta_debug(system, found, wanted, key)
    if not found.switches:
        return Minimised(found, fewest=True)
    search = Dfs(found.switches - 1, cost=switch_cost)
    outcome = run(
        system,
        search,
        Bounds(steps=2 * len(found.choices) + 100, total_steps=effort),
        wanted=lambda world, found: key(world, found.violation) == wanted,
        key=key,
    )
    better = outcome.found
    if better is None:
        return Minimised(found, fewest=outcome.figures.exhausted)
    shorter = _delta_debug(system, better, wanted, key)
    return Minimised(shorter, fewest=shorter.switches <= better.switches)


def _delta_debug(
    system: System[W], found: Found, wanted: str, key: Callable[[W, Violation], str]
) -> Found:
    left = ATTEMPTS
    improved = True
    while improved:
        improved = False
        for wish in shorter_choices(found.choices):
            if not left:
                return found
            left -= 1
            other = _follow(system, wish, 2 * len(found.choices) + 100, key)
            if other is not None and other[0] == wanted and _rank(other[1]) < _rank(found):
                found = other[1]
                improved = True
                break
    return found


def _rank(found: Found) -> tuple[int, int, int]:
    return found.switches, found.preemptions, len(found.choices)


def shorter_choices(choices: Sequence[int]) -> Iterator[list[int]]:
    """Schedules that are worth a try, those that change most first."""
    runs: list[_Run] = [(choice, sum(1 for _ in group)) for choice, group in groupby(choices)]
    for index in range(len(runs)):
        yield _flat([*runs[:index], *runs[index + 1 :]])
    for index, (choice, _) in enumerate(runs):
        for other in range(index + 2, len(runs)):
            if runs[other][0] == choice:
                moved = runs[other]
                rest = [*runs[:other], *runs[other + 1 :]]
                yield _flat([*rest[: index + 1], moved, *rest[index + 1 :]])
                first = runs[index]
                rest = [*runs[:index], *runs[index + 1 :]]
                yield _flat([*rest[: other - 1], first, *rest[other - 1 :]])
    for index, (choice, count) in enumerate(runs):
        if count > 1:
            yield _flat([*runs[:index], (choice, count - 1), *runs[index + 1 :]])


def _flat(runs: Sequence[_Run]) -> list[int]:
    return [choice for choice, count in runs for _ in range(count)]


def _follow(
    system: System[W], wish: Sequence[int], limit: int, key: Callable[[W, Violation], str]
) -> tuple[str, Found] | None:
    """Follow a schedule where it can be followed, then without preemptions.

    The key of its failure, and the failure.
    """
    world = system.start()
    choices: list[int] = []
    costs = [0]
    moment = Moment((), None, None, 0, bytes)
    current: int | None = None
    left = iter(wish)
    try:
        while len(choices) < limit and (available := system.enabled(world)):
            moment.enabled = available
            moment.holder = current
            if current is not None and (
                current not in available or system.gives_way(world, current)
            ):
                moment.holder = None
            choice = next((number for number in left if number in available), None)
            if choice is None:
                choice = available[0] if moment.holder is None else moment.holder
            moment.preemptions += preemption_cost(moment, choice)
            current = next_holder(moment, choice)
            choices.append(choice)
            system.step(world, choice)
            costs.append(moment.preemptions)
        late = system.judge(world)
        if late is not None:
            steps, violation = late
            return key(world, violation), Found(violation, tuple(choices[:steps]), costs[steps])
    except ViolationError as error:
        found = Found(error.violation, tuple(choices), moment.preemptions)
        return key(world, error.violation), found
    return None
