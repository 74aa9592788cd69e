"""Schedules as calls in a test."""

from dataclasses import dataclass

from ipvs_est import MAINLINE, Revision, Violation
from ipvs_est.language.violations import BrokenProperty, describe
from ipvs_est_checks.explore.engine.job import (
    Job,
    JobKind,
    Settings,
    do_job,
)
from ipvs_est_checks.explore.engine.outcome import Bounds, Found
from ipvs_est_checks.explore.engine.run import Tally
from ipvs_est_checks.explore.failures.token import replay_token, token_from_text, token_text
from ipvs_est_checks.explore.scenarios.scenario import Scenario, load
from ipvs_est_checks.explore.timeline.text import timeline_lines
from ipvs_est_checks.known.failures import watched_by_default


@dataclass(frozen=True, slots=True)
class ScheduleFailure:
    """A schedule that goes wrong; see `run_schedule`."""

    violation: Violation
    token: str
    """Names the schedule, for `run_schedule` and `ipvs-est explore --replay`."""

    def __str__(self) -> str:
        """What goes wrong, in a line."""
        return f"{describe(self.violation)} (token {self.token})"


@dataclass(frozen=True, slots=True)
class Explored:
    """What a search has shown."""

    schedules: int
    exhausted: bool
    """None within the bounds is left."""
    failures: tuple[ScheduleFailure, ...]
    """Reduced to the fewest context switches; distinct ones."""


@dataclass(frozen=True, slots=True)
class ScheduleRun:
    """What a schedule leads to."""

    violation: Violation | None
    lines: tuple[str, ...]
    """Its timeline: a column for each task."""


def explore(
    scenario: str | Scenario,
    revision: Revision = MAINLINE,
    *,
    preemptions: int = 2,
    schedules: int = 1_000_000,
    keep_going: bool = False,
) -> Explored:
    """Run a scenario, of the library by name or from a file by path, under every schedule with
    at most so many preemptions, and watch all properties but those that a finding without
    concurrency breaks. Ends at the first failure unless it is to keep going.

    Raises InputError for a scenario that is none, and OSError for one that is not there.
    """
    known = load(scenario) if isinstance(scenario, str) else scenario
    name = scenario if isinstance(scenario, str) else known.name
    bounds = Bounds(preemptions=preemptions, schedules=schedules)
    settings = Settings(JobKind.DFS, bounds, keep_going=keep_going)
    watched = watched_by_default(revision)
    result = do_job(Job(name, known, revision, settings, watched), Tally(), lambda _: None)
    failures = tuple(
        ScheduleFailure(failure.found.violation, _token(known, revision, failure.found))
        for failure in result.failures
    )
    return Explored(result.outcome.figures.schedules, result.outcome.figures.exhausted, failures)


def _token(scenario: Scenario, revision: Revision, found: Found) -> str:
    broken = found.violation
    watched = broken.property if isinstance(broken, BrokenProperty) else ""
    return token_text(scenario, revision, found.choices, watched)


def run_schedule(token: str, scenario: str | Scenario | None = None) -> ScheduleRun:
    """The schedule that a token names, of its own scenario or, if it came from a file, of the
    one given. Raises InputError if it does not fit the scenario or the model."""
    named = token_from_text(token)
    chosen = named.scenario if scenario is None else scenario
    replayed = replay_token(load(chosen) if isinstance(chosen, str) else chosen, named)
    return ScheduleRun(replayed.violation, tuple(timeline_lines(replayed)))
