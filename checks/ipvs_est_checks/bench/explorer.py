"""Measuring the explorer's speed: schedules, steps and distinct states a second, on one core.

The work is the same in every run. Times are CPU seconds of one process, so that what else the
machine does disturbs them little.
"""

import gc
from dataclasses import dataclass
from time import process_time

from ipvs_est import REVISIONS
from ipvs_est_checks.explore.engine.job import Job, JobKind, Settings, do_job
from ipvs_est_checks.explore.engine.outcome import Bounds
from ipvs_est_checks.explore.engine.run import Tally
from ipvs_est_checks.explore.engine.watch import WATCHED
from ipvs_est_checks.explore.scenarios.scenario import load

SCENARIOS = ("restart-in-calc-phase", "two-sysctl-writers", "two-kthreads-restart")
"""Of the library: four tasks and a calc phase, two writers, two kthreads."""
REVISION = "repaired"
"""Nothing fails there, so that no search ends early."""
SCHEDULES = {JobKind.DFS: 3_000} | dict.fromkeys(
    (JobKind.PCT, JobKind.RANDOM, JobKind.POS, JobKind.SURW), 500
)
"""At most so many for each scenario."""
SEED = 1


@dataclass(frozen=True, slots=True)
class ExploreBench:
    """One scheduler over the scenarios."""

    scheduler: str
    properties: int
    """Watched beside memory errors and deadlocks."""
    schedules: int
    steps: int
    states: int
    """Distinct ones of each scenario, summed."""
    seconds: float
    """CPU time, best of the repetitions."""

    @property
    def schedules_per_second(self) -> float:
        """Schedules per CPU second."""
        return self.schedules / self.seconds if self.seconds else 0.0

    @property
    def steps_per_second(self) -> float:
        """Scheduling steps per CPU second, those that repeat a beginning included."""
        return self.steps / self.seconds if self.seconds else 0.0

    @property
    def states_per_second(self) -> float:
        """Distinct states per CPU second."""
        return self.states / self.seconds if self.seconds else 0.0


MEASURED = (
    (JobKind.DFS, False),
    (JobKind.DFS, True),
    (JobKind.PCT, False),
    (JobKind.RANDOM, False),
    (JobKind.POS, False),
    (JobKind.SURW, False),
)
"""Scheduler, and whether all properties are watched."""


def bench_explore(
    kind: JobKind, repetitions: int, *, watching: bool = False, schedules: int | None = None
) -> ExploreBench:
    """Explore the scenarios with one scheduler, best of `repetitions`."""
    most = SCHEDULES[kind] if schedules is None else schedules
    runs = [_once(kind, most, watching=watching) for _ in range(repetitions)]
    return min(runs, key=lambda run: run.seconds)


def _once(kind: JobKind, most: int, *, watching: bool) -> ExploreBench:
    settings = Settings(kind, Bounds(schedules=most), seed=SEED)
    watched = WATCHED if watching else frozenset[str]()
    jobs = [
        Job(scenario, load(scenario), REVISIONS[REVISION], settings, watched)
        for scenario in SCENARIOS
    ]
    gc.collect()
    started = process_time()
    figures = [do_job(job, Tally(), lambda tally: None).outcome.figures for job in jobs]
    seconds = process_time() - started
    return ExploreBench(
        kind.value,
        len(watched),
        sum(figure.schedules for figure in figures),
        sum(figure.steps for figure in figures),
        sum(figure.states for figure in figures),
        seconds,
    )
