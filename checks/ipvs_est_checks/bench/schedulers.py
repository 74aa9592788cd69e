"""How many schedules each random scheduler needs until a known defect shows."""

from collections.abc import Callable, Iterator
from contextlib import nullcontext
from dataclasses import dataclass
from functools import partial
from math import inf
from statistics import median

from ipvs_est import REVISIONS
from ipvs_est_checks.defects.table import DEFECTS, DefectKind, DefectRow
from ipvs_est_checks.explore.engine.job import JobKind, Settings, scheduler_of
from ipvs_est_checks.explore.engine.outcome import Bounds, Found
from ipvs_est_checks.explore.engine.run import run
from ipvs_est_checks.explore.engine.watch import WATCHED, Watch
from ipvs_est_checks.explore.engine.world import World
from ipvs_est_checks.explore.failures.cause import cause_of, shows
from ipvs_est_checks.explore.scenarios.scenario import load
from ipvs_est_checks.explore.schedulers.scheduler import system_of
from ipvs_est_checks.text_edits import applied
from ipvs_est_checks.workers import Lost, Pool, ignore

MOST = 2_000
"""Schedules that are tried with one seed."""
KINDS = (JobKind.RANDOM, JobKind.PCT, JobKind.POS, JobKind.SURW)
_SHOWN = (DefectKind.DEFECT, DefectKind.INJECTED, DefectKind.MUTANT)


@dataclass(frozen=True, slots=True)
class SchedulerBench:
    """One scheduler on one row of the known defects."""

    defect: str
    scenario: str
    revision: str
    scheduler: str
    seeds: int
    found: int
    """With how many seeds it showed within `MOST` schedules."""
    median: float | None
    """Schedules until it showed, the one that shows it included; None: with less than half of
    the seeds."""


def rows_to_bench() -> tuple[DefectRow, ...]:
    """All that a schedule has to show."""
    return tuple(defect for defect in DEFECTS if defect.kind in _SHOWN)


def bench_schedulers(
    rows: tuple[DefectRow, ...],
    seeds: int,
    jobs: int,
    most: int = MOST,
    waiting: Callable[[str], None] = ignore,
) -> Iterator[SchedulerBench | Lost]:
    """Each row with each scheduler, in order; the seeds are 0, 1, ..."""
    todo = [(row, kind) for row in rows for kind in KINDS]
    with Pool(min(jobs, len(todo)), waiting=waiting) as pool:
        work = partial(_bench, seeds, most)
        for _, result in pool.map(work, todo, lambda pair: f"{pair[0].id} by {pair[1].value}"):
            yield result


def _bench(seeds: int, most: int, todo: tuple[DefectRow, JobKind]) -> SchedulerBench:
    row, kind = todo
    scenario, revision = row.scenarios[0], row.revisions[-1]
    with applied(row.edits) if row.edits else nullcontext():
        needed = [_schedules_until_shown(row, kind, seed, most) for seed in range(seeds)]
    middle = median(inf if number is None else number for number in needed)
    return SchedulerBench(
        row.id,
        scenario,
        revision,
        kind.value,
        seeds,
        sum(number is not None for number in needed),
        None if middle == inf else middle,
    )


def _schedules_until_shown(row: DefectRow, kind: JobKind, seed: int, most: int) -> int | None:
    bounds = Bounds(schedules=most)
    watched = WATCHED & {sign.property for sign in row.signs}
    system = system_of(
        load(row.scenarios[0]),
        REVISIONS[row.revisions[-1]],
        Watch(watched) if watched else None,
    )

    def is_shown(world: World, found: Found) -> bool:
        cause = cause_of(world, found.violation)
        return any(shows(sign, cause) for sign in row.signs)

    outcome = run(system, scheduler_of(Settings(kind, bounds, seed=seed)), bounds, wanted=is_shown)
    return None if outcome.found is None else outcome.figures.schedules
