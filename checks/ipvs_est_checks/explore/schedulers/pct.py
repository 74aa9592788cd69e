"""Probabilistic concurrency testing: random priorities, lowered at a few random steps.

Source: Burckhardt, Kothari, Musuvathi, Nagarakatte, "A Randomized Scheduler with Probabilistic
Guarantees of Finding Bugs", ASPLOS 2010. A bug has depth d if d ordering constraints between
steps are enough to meet it. If no schedule has more than n threads and k steps, one schedule
meets a bug of depth d with a probability of at least 1 / (n * k^(d-1)). Time and RCU count as
threads: they compete for steps like the others.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from fractions import Fraction
from random import Random

from ipvs_est_checks.explore.schedulers.scheduler import (
    FROM_THE_START,
    Beginning,
    Moment,
    ScheduleEnding,
)

DEFAULT_DEPTH = 3


@dataclass(slots=True)
class Priorities:
    """One schedule: the enabled choice of highest priority goes on.

    At the step numbered `points[i]`, from 1, whoever would go on gets the priority i + 1 of the
    d - 1 lowest ones instead.
    """

    points: Sequence[int]
    initial: list[int] = field(default_factory=list)
    """All that have a priority, by the one they began with, highest first."""
    lowered: dict[int, int] = field(default_factory=dict)
    steps: int = 0


def next_by_priority(priorities: Priorities, enabled: Sequence[int]) -> int:
    """Who goes on; each of `enabled` has a priority."""
    priorities.steps += 1
    for index, point in enumerate(priorities.points):
        if point == priorities.steps:
            priorities.lowered[_highest(priorities, enabled)] = index
    return _highest(priorities, enabled)


def _highest(priorities: Priorities, enabled: Sequence[int]) -> int:
    lowered = priorities.lowered
    for number in priorities.initial:
        if number in enabled and number not in lowered:
            return number
    return max(
        (number for number in enabled if number in lowered), key=lambda number: lowered[number]
    )


@dataclass(slots=True)
class Pct:
    """Never comes to an end."""

    seed: int
    depth: int = DEFAULT_DEPTH
    """d, at least 1."""
    length: int = 0
    """k: change points lie at steps 1 to `length`. Doubled when a schedule is longer, so that
    almost all schedules have the final one; the first of all only measures."""
    executions: int = 0
    """Number of the next schedule, from 0."""
    at_this_length: int = 0
    """Schedules with the present `length`."""
    threads: set[int] = field(default_factory=set)
    """Choices that were ever enabled: n of them."""
    numbers: Random = field(default_factory=Random)
    priorities: Priorities = field(default_factory=lambda: Priorities(()))

    def new_execution(self) -> Beginning:
        """There is always another."""
        self.numbers = numbers = Random(f"{self.seed}:{self.executions}")
        self.executions += 1
        self.at_this_length += 1
        points = [numbers.randint(1, self.length) for _ in range(self.depth - 1) if self.length]
        self.priorities = Priorities(points)
        return FROM_THE_START

    def next_choice(self, moment: Moment) -> int | None:
        """The one of highest priority; who is new gets one at random."""
        initial = self.priorities.initial
        for number in moment.enabled:
            if number not in initial:
                # Inserted anywhere, also among those lowered since: every order is equally likely.
                initial.insert(self.numbers.randint(0, len(initial)), number)
        return next_by_priority(self.priorities, moment.enabled)

    def end_execution(self, ending: ScheduleEnding, steps: int) -> None:
        """Make room for schedules as long as this one."""
        del ending
        self.threads.update(self.priorities.initial)
        while self.length < steps:
            self.length = max(1, 2 * self.length)
            self.at_this_length = 0

    @property
    def bound(self) -> Fraction:
        """Least probability that one schedule meets a bug of this depth; 0 before the first."""
        return pct_bound(len(self.threads), self.length, self.depth)


def pct_bound(threads: int, steps: int, depth: int) -> Fraction:
    """1 / (n * k^(d-1)); 0 if nothing is known of n or k."""
    if not threads or not steps:
        return Fraction(0)
    return Fraction(1, threads * steps ** (depth - 1))
