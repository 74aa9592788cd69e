"""Many searches, in this process or in several; each is the same in any number of processes."""

from collections.abc import Callable, Sequence
from dataclasses import replace
from functools import partial
from time import monotonic

from ipvs_est_checks.explore.engine.job import (
    Go,
    Job,
    JobResult,
    Ongoing,
    new_search,
    result_of,
    result_so_far,
    search,
)
from ipvs_est_checks.explore.engine.run import Tally
from ipvs_est_checks.explore.failures.already_known import AlreadyKnown
from ipvs_est_checks.workers import Lost, Pool

_SECONDS_PER_REPORT = 0.2

Report = Callable[[int, JobResult], None]
"""Takes a job's index and what came of it so far; the last one of a job has ended or is lost."""


def do_jobs(jobs: Sequence[Job], processes: int, report: Report, already: AlreadyKnown) -> None:
    """Do all jobs; results come in any order. `already` as of `search`.

    What a job has found is reported when it is found, so that nothing is lost if the rest is
    interrupted. Of a job whose process died, that is told once more, as lost.
    """
    so_far: dict[int, JobResult] = {}

    def note(index: int, result: JobResult) -> None:
        so_far[index] = result
        report(index, result)

    with Pool(min(processes, len(jobs))) as pool:
        tasks = [
            pool.submit_noting(
                f"{job.source} on {job.revision.name}",
                partial(do_one, already, job),
                partial(note, index),
            )
            for index, job in enumerate(jobs)
        ]
        index_of = {task: index for index, task in enumerate(tasks)}
        for task in pool.as_completed(tasks):
            index = index_of[task]
            result = task.outcome()
            known = so_far.pop(index, None)
            if isinstance(result, Lost):
                known = known or result_so_far(jobs[index], Tally())
                result = replace(known, ended=False, lost=result.why)
            report(index, result)


def do_one(
    already: AlreadyKnown,
    job: Job,
    report: Callable[[JobResult], None],
    ongoing: Ongoing | None = None,
    go: Go = search,
) -> JobResult:
    """Do a job here, or go on with one, and report now and then what came of it so far."""
    ongoing = ongoing or new_search(job)
    found = len(ongoing.tally.failures)
    started = monotonic()
    due = started + _SECONDS_PER_REPORT

    def timed(result: JobResult) -> JobResult:
        return replace(result, seconds=monotonic() - started)

    def progress(tally: Tally) -> None:
        nonlocal found, due
        now = monotonic()
        if len(tally.failures) > found or now >= due:
            found = len(tally.failures)
            due = now + _SECONDS_PER_REPORT
            report(timed(result_so_far(job, tally)))

    try:
        go(job, ongoing, progress, already)
        return timed(result_of(job, ongoing))
    except KeyboardInterrupt:
        report(timed(result_so_far(job, ongoing.tally)))
        raise
