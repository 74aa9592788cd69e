"""A search that was written and read again ends as one that was never interrupted."""

import gzip
import json
import os
import signal
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from command_line import here
from ipvs_est import MAINLINE, REPAIRED, V7, Revision
from ipvs_est.language.input_error import InputError
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
from ipvs_est_checks.explore.failures.already_known import NOTHING_KNOWN
from ipvs_est_checks.explore.large import checkpoint
from ipvs_est_checks.explore.large.checkpoint import checkpoint_bytes, read_checkpoint
from ipvs_est_checks.explore.large.kept import Kept, do_kept
from ipvs_est_checks.explore.scenarios.scenario import load
from ipvs_est_checks.explore.schedulers.dfs import Dfs
from ipvs_est_checks.known.failures import ALREADY_KNOWN
from ipvs_est_checks.schemas.document import definitions
from schema_check import validator

SMALL = "last-estimator-goes"


def job_of(name: str, revision: Revision, **settings: Any) -> Job:
    # Any: those of Settings, as keywords.
    chosen = Settings(JobKind.DFS, Bounds(2), **settings)
    return Job(name, load(name), revision, chosen, WATCHED)


def limited(job: Job, schedules: int) -> Job:
    bounds = replace(job.settings.bounds, schedules=schedules)
    return replace(job, settings=replace(job.settings, bounds=bounds))


def whole(job: Job) -> tuple[JobResult, bytes]:
    ongoing = new_search(job)
    search(job, ongoing, lambda _: None, ALREADY_KNOWN)
    return result_of(job, ongoing), checkpoint_bytes(job, ongoing)


def written(job: Job, file: Path, schedules: int) -> None:
    ongoing = new_search(job)
    search(limited(job, schedules), ongoing, lambda _: None, ALREADY_KNOWN)
    assert ongoing.tally.figures.schedules == schedules
    file.write_bytes(checkpoint_bytes(job, ongoing))


@pytest.mark.parametrize(
    "job",
    [
        job_of(SMALL, REPAIRED),
        job_of(SMALL, V7, keep_going=True, shorten=False),
        job_of(SMALL, MAINLINE, keep_going=True, only_new=True),
    ],
    ids=lambda job: job.revision.name,
)
def test_a_resumed_search_ends_as_one_that_was_not_interrupted(job: Job, tmp_path: Path) -> None:
    result, data = whole(job)
    total = result.outcome.figures.schedules
    file = tmp_path / "search"
    for schedules in (1, total // 3, total):
        written(job, file, schedules)
        ongoing = read_checkpoint(file, job)
        search(job, ongoing, lambda _: None, ALREADY_KNOWN)
        assert result_of(job, ongoing) == result
        assert checkpoint_bytes(job, ongoing) == data


def test_what_is_read_is_what_was_written(tmp_path: Path) -> None:
    job = job_of(SMALL, V7, keep_going=True)
    file = tmp_path / "search"
    written(job, file, 20)
    ongoing = read_checkpoint(file, job)
    assert checkpoint_bytes(job, ongoing) == file.read_bytes()
    read = ongoing.scheduler
    assert isinstance(read, Dfs)
    assert read.todo
    assert ongoing.tally.states == set(read.graph.states)
    assert len(ongoing.tally.states) == ongoing.tally.figures.states


def test_a_search_that_has_found_what_it_looks_for_stays_at_its_end(tmp_path: Path) -> None:
    job = job_of(SMALL, V7)
    result, data = whole(job)
    assert result.failures
    file = tmp_path / "search"
    file.write_bytes(data)
    ongoing = read_checkpoint(file, job)
    search(job, ongoing, lambda _: pytest.fail("it went on"), ALREADY_KNOWN)
    assert result_of(job, ongoing) == result


def test_a_checkpoint_that_does_not_know_all_of_a_search_is_noticed() -> None:
    """Who adds to what a search is has to add it to the file."""
    assert set(Dfs.__slots__) == {
        # In the file.
        *("level", "todo", "later", "taken", "deferred", "left_out", "begun", "graph"),
        # The same for every search that has a checkpoint.
        *("bound", "cost", "matching"),
        # Of one schedule.
        *("path", "left", "since"),
    }
    assert set(Ongoing.__slots__) == {
        *("scheduler", "tally", "passed_over"),
        # Of one sitting.
        *("until", "at_rest", "rest_asked"),
    }


def test_a_signal_waits_for_the_end_of_the_schedule_and_the_file(tmp_path: Path) -> None:
    job = job_of(SMALL, REPAIRED)
    result, _ = whole(job)
    kept = Kept(tmp_path / "search")
    so_far: list[JobResult] = []

    def go(job: Job, ongoing: Ongoing, progress: Callable[..., None], _: object) -> None:
        def signalled(tally: Any) -> None:
            # Any: what `progress` takes.
            if tally.figures.schedules == 40:
                os.kill(os.getpid(), signal.SIGINT)
            progress(tally)

        search(job, ongoing, signalled, ALREADY_KNOWN)

    with pytest.raises(KeyboardInterrupt):
        do_kept(job, kept, so_far.append, ALREADY_KNOWN, go)
    assert signal.getsignal(signal.SIGINT) is signal.default_int_handler
    assert so_far[-1].outcome.figures.schedules == 40
    kept.ongoing = read_checkpoint(kept.file, job)
    resumed = do_kept(job, kept, lambda _: None, ALREADY_KNOWN)
    assert resumed == result


def test_the_file_is_written_now_and_then(tmp_path: Path) -> None:
    job = job_of(SMALL, REPAIRED)
    kept = Kept(tmp_path / "search", seconds=0.0)
    seen: list[int] = []

    def go(job: Job, ongoing: Ongoing, progress: Callable[..., None], _: object) -> None:
        def look(tally: Any) -> None:
            progress(tally)
            seen.append(read_checkpoint(kept.file, job).tally.figures.schedules)

        search(limited(job, 3), ongoing, look, NOTHING_KNOWN)

    # As often as it may.
    do_kept(job, kept, lambda _: None, ALREADY_KNOWN, go)
    assert seen[0] == 1
    assert seen[-1] <= 3


def refusal(file: Path, job: Job) -> str:
    with pytest.raises(InputError) as caught:
        read_checkpoint(file, job)
    return str(caught.value)


def test_a_search_of_something_else_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    job = job_of(SMALL, REPAIRED)
    file = tmp_path / "search"
    written(job, file, 5)
    longer = replace(job.scenario, jiffies=job.scenario.jiffies + 1)
    deeper = replace(job.settings, bounds=replace(job.settings.bounds, preemptions=3))
    assert refusal(file, replace(job, scenario=longer)) == f"scenario: {SMALL} was changed since"
    other = replace(job, scenario=load("restart-in-drain"))
    assert refusal(file, other) == f"scenario: is of {SMALL}, not of restart-in-drain"
    assert refusal(file, replace(job, revision=V7)) == "revision: is of repaired, not of v7"
    assert refusal(file, replace(job, settings=deeper)) == "options.preemptions: was 2, is 3"
    going_on = replace(job.settings, keep_going=True)
    assert "options.keep_going: was false, is true" in refusal(
        file, replace(job, settings=going_on)
    )
    assert "options.watched: was " in refusal(file, replace(job, watched=frozenset()))
    # Another amount is no other search.
    read_checkpoint(file, limited(job, 7))
    monkeypatch.setattr(checkpoint, "model_digest", lambda: "0" * 32)
    assert refusal(file, job) == "model: its sources were changed since"


def test_a_file_that_is_none_or_damaged_is_refused(tmp_path: Path) -> None:
    job = job_of(SMALL, REPAIRED)
    file = tmp_path / "search"
    written(job, file, 5)
    data = file.read_bytes()
    lines = gzip.decompress(data).splitlines(keepends=True)

    def said(content: bytes) -> str:
        file.write_bytes(content)
        return refusal(file, job)

    assert said(b"{}") == "line 1: is not that of a checkpoint"
    assert said(gzip.compress(b"{}\n")) == "line 1: is not that of a checkpoint"
    assert said(gzip.compress(b'{"search": 2}\n')) == "line 1: is of version 2; this tool reads 1"
    assert said(data[: len(data) // 2]) == "line 1: is damaged or was cut off"
    damaged = "is damaged or was cut off"
    for number in range(2, len(lines)):
        assert damaged in said(gzip.compress(b"".join(lines[: number - 1])))
        changed = [*lines]
        changed[number - 1] = lines[number - 1].replace(b"0", b"1").replace(b"2", b"3")
        if changed != lines:
            assert said(gzip.compress(b"".join(changed)))
    assert damaged in said(gzip.compress(b"".join([*lines, b"{}\n"])))


def test_the_first_line_fits_its_schema(tmp_path: Path) -> None:
    job = job_of(SMALL, REPAIRED)
    file = tmp_path / "search"
    written(job, file, 5)
    first = json.loads(gzip.decompress(file.read_bytes()).splitlines()[0])
    assert "checkpoint-header" in definitions()
    validator("checkpoint-header").validate(first)


def test_the_command_goes_on_with_a_search(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file = str(tmp_path / "search")
    about = ["explore", SMALL, "--revision", "repaired"]
    run = here(capsys, *about, "--iterations", "50", "--checkpoint", file)
    assert run.code == 3
    assert "not exhausted: stopped after 50 schedules" in run.out
    assert run.err == f"{file}: goes on with --resume\n"
    resumed, whole = here(capsys, *about, "--resume", file), here(capsys, *about)
    assert (resumed.code, whole.code) == (0, 0)
    # All but the seconds.
    assert resumed.out.partition(" pruned")[0] == whole.out.partition(" pruned")[0]
    assert resumed.out.splitlines()[1:] == whole.out.splitlines()[1:]
    run = here(capsys, *about, "--preemptions", "1", "--resume", file)
    assert run.code == 2
    assert run.err == f"Error: {file}: options.preemptions: was 2, is 1\n"
    run = here(capsys, *about, "--resume", str(tmp_path / "none"))
    assert run.code == 2
    assert "No such file" in run.err
    run = here(capsys, "explore", SMALL, "--checkpoint", file)
    assert run.code == 2
    assert "--checkpoint: is for one SCENARIO on one --revision, by dfs" in run.err
