"""One search with all its settings as plain data, and what came of it: passes between processes."""

from collections.abc import Callable
from dataclasses import dataclass
from enum import Enum

from ipvs_est import Revision
from ipvs_est.violations import Livelock, Violation
from ipvs_est_checks.explore.cause import cause_of
from ipvs_est_checks.explore.dfs import Dfs, closed
from ipvs_est_checks.explore.minimise import Minimised, minimise
from ipvs_est_checks.explore.outcome import Bounds, Outcome
from ipvs_est_checks.explore.pct import Pct
from ipvs_est_checks.explore.random_walk import RandomWalk
from ipvs_est_checks.explore.run import Tally, outcome_of, run
from ipvs_est_checks.explore.scenario import Scenario
from ipvs_est_checks.explore.scheduler import Counted, Scheduler, System, system_of
from ipvs_est_checks.explore.world import World


class Kind(Enum):
    """Schedulers to choose from."""

    DFS = "dfs"
    PCT = "pct"
    RANDOM = "random"


@dataclass(frozen=True, slots=True)
class Settings:
    """How to search."""

    kind: Kind
    bounds: Bounds
    depth: int = 3
    """Of PCT."""
    seed: int = 0
    """Of PCT and random."""
    keep_going: bool = False
    """Behind the first failure."""
    shorten: bool = True
    """Reduce each failure."""


@dataclass(frozen=True, slots=True)
class Job:
    """A scenario on a revision."""

    source: str
    """How the scenario was named: in the library, or a file."""
    scenario: Scenario
    revision: Revision
    settings: Settings


@dataclass(frozen=True, slots=True)
class Guarantee:
    """What PCT promises of the schedules that it has run."""

    threads: int
    steps: int
    schedules: int
    """With this number of steps."""
    probability: float
    """Least one that one of them meets a bug of the depth."""


@dataclass(frozen=True, slots=True)
class JobResult:
    """What came of a job, so far or at its end."""

    outcome: Outcome
    failures: tuple[Minimised, ...] = ()
    """Those of the outcome, reduced."""
    guarantee: Guarantee | None = None
    ended: bool = True
    """Neither interrupted nor still going on."""


def do_job(job: Job, tally: Tally, progress: Callable[[Tally], None]) -> JobResult:
    """Search, then reduce what was found; `tally` has what there is if it is interrupted."""
    settings = job.settings
    system = system_of(job.scenario, job.revision)
    scheduler = _scheduler(settings)
    outcome = run(
        system,
        scheduler if isinstance(scheduler, Dfs) else Counted(scheduler),
        settings.bounds,
        key=_key,
        keep_going=settings.keep_going,
        progress=progress,
        tally=tally,
    )
    if isinstance(scheduler, Dfs):
        outcome = closed(system, outcome, scheduler)
    return JobResult(
        outcome,
        tuple(_reduced(system, job, outcome)),
        _guarantee(scheduler) if isinstance(scheduler, Pct) else None,
    )


def result_so_far(tally: Tally) -> JobResult:
    """What a job that is not at its end has found."""
    outcome = outcome_of(tally)
    failures = tuple(Minimised(each, fewest=False) for each in outcome.failures)
    return JobResult(outcome, failures, ended=False)


def _reduced(system: System[World], job: Job, outcome: Outcome) -> list[Minimised]:
    if not job.settings.shorten:
        return [Minimised(each, fewest=False) for each in outcome.failures]
    return [
        # A loop is short, and the way to it is as the search found it.
        Minimised(each, fewest=False)
        if isinstance(each.violation, Livelock)
        else minimise(system, each, key=_key)
        for each in outcome.failures
    ]


def _key(world: World, violation: Violation) -> str:
    return cause_of(world, violation).text


def _scheduler(settings: Settings) -> Scheduler:
    match settings.kind:
        case Kind.DFS:
            return Dfs(settings.bounds.preemptions)
        case Kind.PCT:
            return Pct(settings.seed, settings.depth)
        case Kind.RANDOM:
            return RandomWalk(settings.seed)


def _guarantee(pct: Pct) -> Guarantee:
    threads, schedules = len(pct.threads), pct.at_this_length
    return Guarantee(
        threads, pct.length, schedules, 1 - float(1 - pct.bound) ** schedules if schedules else 0.0
    )
