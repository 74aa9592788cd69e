"""Random schedules: at each step any task that can go on, each as likely as the others."""

from dataclasses import dataclass, field
from random import Random

from ipvs_est import Revision
from ipvs_est_checks.explore.engine.outcome import Bounds, Outcome
from ipvs_est_checks.explore.engine.run import run
from ipvs_est_checks.explore.scenarios.scenario import Scenario
from ipvs_est_checks.explore.schedulers.scheduler import (
    FROM_THE_START,
    Beginning,
    Moment,
    ScheduleEnding,
    system_of,
)

__all__ = ["RandomWalk", "explore_random"]


@dataclass(slots=True)
class RandomWalk:
    """Never comes to an end. The schedule with a number is the same whatever ran before it."""

    seed: int
    executions: int = 0
    """Number of the next schedule, from 0."""
    numbers: Random = field(default_factory=Random)

    def new_execution(self) -> Beginning:
        """There is always another."""
        self.numbers = Random(f"{self.seed}:{self.executions}")
        self.executions += 1
        return FROM_THE_START

    def next_choice(self, moment: Moment) -> int | None:
        """Any, all equally likely."""
        return self.numbers.choice(moment.enabled)

    def end_execution(self, ending: ScheduleEnding, steps: int) -> None:
        """Nothing to learn."""
        del ending, steps


def explore_random(scenario: Scenario, revision: Revision, bounds: Bounds, seed: int) -> Outcome:
    """Run `bounds.schedules` random schedules, or until one fails; never exhausts anything."""
    return run(system_of(scenario, revision), RandomWalk(seed), bounds)
