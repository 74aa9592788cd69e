"""Partial order sampling: random priorities of events, drawn anew for those that race.

Source: Yuan, Yang, Gu, "Partial Order Aware Concurrency Sampling", CAV 2018. Each event that is
next in some thread has a priority of its own; the highest one that is enabled goes on. Events
that race with it get new priorities, so that orders of races are drawn independently of one
another, and schedules that differ in the order of other events only do not count for more.
Time and RCU are threads whose events race with nothing.
"""

from dataclasses import dataclass, field
from random import Random

from ipvs_est_checks.explore.engine.access import races
from ipvs_est_checks.explore.schedulers.scheduler import (
    FROM_THE_START,
    Beginning,
    Moment,
    ScheduleEnding,
)


@dataclass(slots=True)
class PartialOrderSampling:
    """Never comes to an end. The schedule with a number is the same whatever ran before it."""

    seed: int
    executions: int = 0
    """Number of the next schedule, from 0."""
    numbers: Random = field(default_factory=Random)
    priorities: dict[int, float] = field(default_factory=dict)
    """Of the next event of each choice that was ever enabled."""

    def new_execution(self) -> Beginning:
        """There is always another."""
        self.numbers = Random(f"{self.seed}:{self.executions}")
        self.executions += 1
        self.priorities = {}
        return FROM_THE_START

    def next_choice(self, moment: Moment) -> int | None:
        """The event of highest priority."""
        priorities = self.priorities
        for number in moment.enabled:
            if number not in priorities:
                priorities[number] = self.numbers.random()
        chosen = max(moment.enabled, key=lambda number: priorities[number])
        access = moment.access(chosen)
        if access is not None:
            for priority in list(priorities):
                if priority != chosen and races(access, moment.access(priority)):
                    priorities[priority] = self.numbers.random()
        del priorities[chosen]
        return chosen

    def end_execution(self, ending: ScheduleEnding, steps: int) -> None:
        """Nothing to learn."""
        del ending, steps
