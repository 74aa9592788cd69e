"""Searches over several processes, whatever they are: many of them, or a large one."""

from collections.abc import Callable, Sequence
from dataclasses import replace
from functools import partial

from ipvs_est_checks.explore.engine.job import (
    Job,
    JobKind,
    JobResult,
    Settings,
    new_search,
    result_so_far,
    search,
)
from ipvs_est_checks.explore.engine.searches import Report, do_jobs, do_one
from ipvs_est_checks.explore.failures.already_known import AlreadyKnown
from ipvs_est_checks.explore.large.kept import Kept, do_kept
from ipvs_est_checks.explore.large.split import LostShareError, split


def do_searches(
    jobs: Sequence[Job],
    processes: int,
    report: Report,
    already: AlreadyKnown,
    kept: Kept | None = None,
) -> None:
    """Do all jobs, as `do_jobs` does. Where there are fewer than processes, each is split over all
    of them, one after the other, if it can be.

    kept: the file of the only job. Raises OSError if it cannot be written.
    """
    if kept is None and (
        len(jobs) >= processes or not all(_can_be_split(job.settings) for job in jobs)
    ):
        do_jobs(jobs, processes, report, already)
        return
    for index, job in enumerate(jobs):
        report(index, _do(job, processes, partial(report, index), already, kept))


def _can_be_split(settings: Settings) -> bool:
    bounded = settings.reduction is None and settings.minutes_each is None
    return settings.kind is JobKind.DFS and bounded


def _do(
    job: Job,
    processes: int,
    report: Callable[[JobResult], None],
    already: AlreadyKnown,
    kept: Kept | None,
) -> JobResult:
    go = split(processes) if processes > 1 else search
    ongoing = kept.ongoing if kept is not None else None
    ongoing = ongoing or new_search(job)
    try:
        if kept is not None:
            kept.ongoing = ongoing
            return do_kept(job, kept, report, already, go)
        return do_one(already, job, report, ongoing, go)
    except LostShareError as error:
        return replace(result_so_far(job, ongoing.tally), lost=str(error))
