"""A search over several processes has the result of one process to the letter."""

import os
import signal
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from ipvs_est import REPAIRED, V7
from ipvs_est_checks.explore.engine.job import (
    Job,
    JobKind,
    JobResult,
    Ongoing,
    Settings,
    new_search,
    result_of,
    search,
)
from ipvs_est_checks.explore.engine.outcome import Bounds
from ipvs_est_checks.explore.engine.watch import WATCHED
from ipvs_est_checks.explore.large import any_search
from ipvs_est_checks.explore.large.any_search import do_searches
from ipvs_est_checks.explore.large.checkpoint import checkpoint_bytes, read_checkpoint
from ipvs_est_checks.explore.large.kept import Kept, do_kept
from ipvs_est_checks.explore.large.split import split
from ipvs_est_checks.explore.scenarios.scenario import load
from ipvs_est_checks.known.failures import ALREADY_KNOWN

SMALL = "last-estimator-goes"
SETTINGS = Settings(JobKind.DFS, Bounds(2), shorten=False)
JOBS = {
    "exhausted": Job(SMALL, load(SMALL), REPAIRED, SETTINGS, WATCHED),
    # Failures of steps and of histories, in one search.
    "failures": Job(
        "exit-in-calc-phase",
        load("exit-in-calc-phase"),
        V7,
        replace(SETTINGS, keep_going=True, bounds=Bounds(1)),
        WATCHED,
    ),
    "first failure": Job(SMALL, load(SMALL), V7, SETTINGS, WATCHED),
    "passed over": Job(SMALL, load(SMALL), V7, replace(SETTINGS, only_new=True), WATCHED),
    "nothing watched": Job(SMALL, load(SMALL), REPAIRED, SETTINGS),
    "bound on schedules": Job(
        SMALL, load(SMALL), REPAIRED, replace(SETTINGS, bounds=Bounds(2, schedules=60)), WATCHED
    ),
    "bound on steps": Job(
        SMALL, load(SMALL), REPAIRED, replace(SETTINGS, bounds=Bounds(2, steps=17)), WATCHED
    ),
}


def searched(job: Job, go: Callable[..., None]) -> tuple[JobResult, list[int], Ongoing]:
    """The result, the schedules at each report, and the search at its end."""
    ongoing = new_search(job)
    seen: list[int] = []
    go(job, ongoing, lambda tally: seen.append(tally.figures.schedules), ALREADY_KNOWN)
    return result_of(job, ongoing), seen, ongoing


@pytest.mark.parametrize("name", JOBS)
def test_any_number_of_processes_gives_the_same(name: str) -> None:
    job = JOBS[name]
    result, seen, ongoing = searched(job, search)
    assert seen == list(range(1, len(seen) + 1))
    for processes in (1, 2, 3):
        other, also_seen, split_up = searched(job, split(processes, alone=0))
        assert other == result
        assert also_seen == seen
        if not result.outcome.failures or job.settings.keep_going:
            # Where a failure ends it nobody goes on.
            assert checkpoint_bytes(job, split_up) == checkpoint_bytes(job, ongoing)


def test_the_jobs_end_in_different_ways() -> None:
    figures = {name: searched(job, search)[0].outcome.figures for name, job in JOBS.items()}
    assert figures["exhausted"].exhausted
    assert figures["failures"].failed == 7
    assert figures["bound on steps"].cut
    assert not figures["first failure"].exhausted
    assert figures["passed over"].exhausted


def test_a_split_search_is_written_at_rest_and_goes_on_in_one_process(tmp_path: Path) -> None:
    job = JOBS["exhausted"]
    result, _, whole = searched(job, search)
    kept = Kept(tmp_path / "search")
    go = split(2, alone=0)

    def signalled(job: Job, ongoing: Ongoing, progress: Callable[..., None], already: Any) -> None:
        # Any: handed on.
        def between(tally: Any) -> None:
            if tally.figures.schedules == 30:
                os.kill(os.getpid(), signal.SIGINT)
            progress(tally)

        go(job, ongoing, between, already)

    with pytest.raises(KeyboardInterrupt):
        do_kept(job, kept, lambda _: None, ALREADY_KNOWN, signalled)
    ongoing = read_checkpoint(kept.file, job)
    assert 30 <= ongoing.tally.figures.schedules < result.outcome.figures.schedules
    search(job, ongoing, lambda _: None, ALREADY_KNOWN)
    assert result_of(job, ongoing) == result
    assert checkpoint_bytes(job, ongoing) == checkpoint_bytes(job, whole)


def test_a_worker_that_dies_leaves_what_was_found(monkeypatch: pytest.MonkeyPatch) -> None:
    job = JOBS["exhausted"]
    total = searched(job, search)[0].outcome.figures.schedules
    parent = os.getpid()

    def go(job: Job, ongoing: Ongoing, progress: Callable[..., None], already: Any) -> None:
        # Any: handed on.
        def between(tally: Any) -> None:
            progress(tally)
            if tally.figures.schedules >= 30:
                # One that has not begun what it was given loses nothing: another one does it.
                for child in children(parent):
                    os.kill(child, signal.SIGKILL)

        split(2, alone=0)(job, ongoing, between, already)

    monkeypatch.setattr(any_search, "split", lambda processes: go)
    results: list[JobResult] = []
    do_searches([job], 2, lambda _, result: results.append(result), ALREADY_KNOWN)
    last = results[-1]
    assert not last.ended
    assert last.lost == "its process was killed by SIGKILL"
    assert 30 <= last.outcome.figures.schedules < total


def children(parent: int) -> list[int]:
    tasks = Path(f"/proc/{parent}/task").iterdir()
    return [int(word) for task in tasks for word in (task / "children").read_text().split()]
