"""One search with all its settings as plain data, and what came of it: passes between processes."""

from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from enum import Enum
from math import inf
from time import monotonic

from ipvs_est import Revision
from ipvs_est.language.violations import BrokenProperty, Livelock, Violation
from ipvs_est_checks.explore.engine.beginning import beginning_with
from ipvs_est_checks.explore.engine.memory.order import MemoryOrder
from ipvs_est_checks.explore.engine.outcome import Bounds, Figures, Found, Outcome, failure_key
from ipvs_est_checks.explore.engine.run import Tally, outcome_of, run
from ipvs_est_checks.explore.engine.watch import Watch
from ipvs_est_checks.explore.engine.world import World
from ipvs_est_checks.explore.failures.already_known import NOTHING_KNOWN, AlreadyKnown, Known
from ipvs_est_checks.explore.failures.cause import cause_of
from ipvs_est_checks.explore.failures.minimise import Minimised, minimise
from ipvs_est_checks.explore.scenarios.scenario import Scenario
from ipvs_est_checks.explore.schedulers.dfs import Dfs, closed
from ipvs_est_checks.explore.schedulers.exhaustive import (
    Exhaustive,
    Reduction,
    closed_exhaustive,
)
from ipvs_est_checks.explore.schedulers.pct import Pct
from ipvs_est_checks.explore.schedulers.pos import PartialOrderSampling
from ipvs_est_checks.explore.schedulers.random_walk import RandomWalk
from ipvs_est_checks.explore.schedulers.scheduler import (
    CountedSystem,
    Scheduler,
    System,
    system_of,
    with_footprints,
)
from ipvs_est_checks.explore.schedulers.surw import SelectivelyUniform


class JobKind(Enum):
    """Schedulers to choose from."""

    DFS = "dfs"
    PCT = "pct"
    RANDOM = "random"
    POS = "pos"
    SURW = "surw"


@dataclass(frozen=True, slots=True)
class Settings:
    """How to search."""

    kind: JobKind
    bounds: Bounds
    depth: int = 3
    """Of PCT."""
    seed: int = 0
    """Of all but dfs."""
    keep_going: bool = False
    """Behind the first failure."""
    only_new: bool = False
    """Pass over failures that a recorded finding or a listed defect explains."""
    shorten: bool = True
    """Reduce each failure."""
    minutes: float | None = None
    """By the clock, for all jobs together."""
    reduction: Reduction | None = None
    """None: dfs keeps to the bound on preemptions. Else it has none, and is so reduced."""
    minutes_each: float | None = None
    """By the clock, for each job."""
    order: MemoryOrder = MemoryOrder.SC


@dataclass(frozen=True, slots=True)
class Job:
    """A scenario on a revision."""

    source: str
    """How the scenario was named: in the library, or a file."""
    scenario: Scenario
    revision: Revision
    settings: Settings
    watched: frozenset[str] = frozenset()
    """Ids of properties that are watched, beside memory errors and deadlocks."""
    until: float = inf
    """When the time is over, by the monotonic clock, which all processes share."""
    beginning: tuple[int, ...] = ()
    """Steps of every schedule, before those that are searched; they do not fail."""


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
class PassedOver:
    """Failures of one cause that is known, behind which the search went on."""

    ids: tuple[str, ...]
    """Of the defects and findings that explain it."""
    schedules: int
    """That ended so."""


@dataclass(frozen=True, slots=True)
class JobResult:
    """What came of a job, so far or at its end."""

    outcome: Outcome
    failures: tuple[Minimised, ...] = ()
    """Those of the outcome, reduced."""
    guarantee: Guarantee | None = None
    passed_over: tuple[PassedOver, ...] = ()
    ended: bool = True
    """Neither interrupted nor still going on."""
    lost: str = ""
    """How its process died; '' = it did not."""
    seconds: float = field(default=0.0, compare=False)
    """By the clock, so far."""


@dataclass(slots=True)
class Ongoing:
    """A search between two schedules: all that the next one depends on."""

    scheduler: Scheduler
    tally: Tally = field(default_factory=Tally)
    passed_over: Counter[tuple[str, ...]] = field(default_factory=Counter)
    """By ids of what is known: schedules that ended so."""
    until: float | None = None
    """When its own time is over, by the monotonic clock, once that is known."""
    at_rest: bool = True
    """The tally is that of the scheduler's last schedule; a search that is split runs ahead."""
    rest_asked: bool = False
    """Somebody waits for that, to write both."""


Go = Callable[[Job, Ongoing, Callable[[Tally], None], AlreadyKnown], None]
"""Goes on with a search, such as `search` does."""


def new_search(job: Job) -> Ongoing:
    """A search that has not begun."""
    return Ongoing(scheduler_of(job.settings))


def do_job(
    job: Job,
    tally: Tally,
    progress: Callable[[Tally], None],
    already: AlreadyKnown = NOTHING_KNOWN,
) -> JobResult:
    """Search, then reduce what was found; `tally` has what there is if it is interrupted.

    `already`: which failures `only_new` passes over.
    """
    ongoing = Ongoing(scheduler_of(job.settings), tally)
    search(job, ongoing, progress, already)
    return result_of(job, ongoing)


def search(
    job: Job,
    ongoing: Ongoing,
    progress: Callable[[Tally], None],
    already: AlreadyKnown = NOTHING_KNOWN,
    schedules: int | None = None,
) -> None:
    """Go on with a search, to its end or its bounds; `progress` is called between schedules.

    already: which failures `only_new` passes over.
    schedules: until so many are done; None = as many as the job allows.
    """
    settings = job.settings

    def is_new(world: World, found: Found) -> bool:
        known = known_failure(job, already, world, found)
        if known is not None:
            ongoing.passed_over[known.ids] += 1
        return known is None

    if settings.minutes_each is not None and ongoing.until is None:
        ongoing.until = monotonic() + 60 * settings.minutes_each
    until = job.until if ongoing.until is None else min(job.until, ongoing.until)
    bounds = settings.bounds
    if schedules is not None:
        bounds = replace(bounds, schedules=schedules)

    def go_on() -> Outcome:
        system, scheduler = system_of_job(job), ongoing.scheduler
        matches = isinstance(scheduler, Dfs | Exhaustive)
        reduced = isinstance(scheduler, Exhaustive) and scheduler.reduction is not Reduction.NONE
        return run(
            with_footprints(system) if reduced else system,
            scheduler if matches else CountedSystem(scheduler),
            bounds,
            wanted=is_new,
            key=key_of_failure,
            keep_going=settings.keep_going,
            progress=progress,
            tally=ongoing.tally,
            until=until,
        )

    outcome = go_on()
    if settings.reduction is Reduction.SLEEP and _went_past_failures(settings, outcome):
        # A failure ends its schedule, and what else the schedule would have shown the others
        # show that do the same in another order: those were left out.
        ongoing.scheduler = Exhaustive(Reduction.NONE)
        ongoing.passed_over.clear()
        tally = ongoing.tally
        tally.figures, tally.failures = Figures(), {}
        tally.states.clear()
        go_on()


def _went_past_failures(settings: Settings, outcome: Outcome) -> bool:
    return outcome.figures.failed > (0 if settings.keep_going else len(outcome.failures))


def known_failure(job: Job, already: AlreadyKnown, world: World, found: Found) -> Known | None:
    """What a failure is passed over for, at whose end the world stands."""
    if not job.settings.only_new:
        return None
    return already.known_as(job.revision.name, cause_of(world, found.violation))


def result_of(job: Job, ongoing: Ongoing) -> JobResult:
    """What a search came to that has ended or reached its bounds; failures are reduced."""
    scheduler, outcome = ongoing.scheduler, outcome_of(ongoing.tally)
    match scheduler:
        case Dfs():
            outcome = closed(system_of_job(job), outcome, scheduler)
        case Exhaustive():
            outcome = closed_exhaustive(system_of_job(job), outcome, scheduler)
        case _:
            pass
    outcome = _from_the_start(job, outcome)
    return JobResult(
        outcome,
        tuple(_reduced(job, failure) for failure in outcome.failures),
        _guarantee(scheduler) if isinstance(scheduler, Pct) else None,
        tuple(PassedOver(ids, count) for ids, count in sorted(ongoing.passed_over.items())),
    )


def system_of_job(job: Job) -> System[World]:
    """What it searches, from where its schedules begin."""
    return beginning_with(_system(job, job.watched), job.beginning)


def _system(job: Job, watched: frozenset[str]) -> System[World]:
    watch = Watch(watched) if watched else None
    return system_of(job.scenario, job.revision, watch, job.settings.order)


def result_so_far(job: Job, tally: Tally) -> JobResult:
    """What a job that is not at its end has found."""
    outcome = _from_the_start(job, outcome_of(tally))
    failures = tuple(Minimised(failure, fewest=False) for failure in outcome.failures)
    return JobResult(outcome, failures, ended=False)


def _from_the_start(job: Job, outcome: Outcome) -> Outcome:
    """Failures by their whole schedules."""
    failures = (
        replace(failure, choices=job.beginning + failure.choices) for failure in outcome.failures
    )
    return Outcome(tuple(failures), outcome.figures)


def _reduced(job: Job, found: Found) -> Minimised:
    violation = found.violation
    if not job.settings.shorten or isinstance(violation, Livelock):
        # A loop is short, and the way to it is as the search found it.
        return Minimised(found, fewest=False)
    # Other properties must not hide the one that is broken.
    watched = frozenset({violation.property} if isinstance(violation, BrokenProperty) else ())
    return minimise(_system(job, watched), found, key=key_of_failure)


def key_of_failure(world: World, violation: Violation) -> str:
    """Equal for failures that are told as one."""
    match violation:
        case BrokenProperty(property_id, _):
            return property_id
        case Livelock():
            return failure_key(violation)
        case _:
            return cause_of(world, violation).text


def scheduler_of(settings: Settings) -> Scheduler:
    if settings.reduction is not None:
        return Exhaustive(settings.reduction)
    match settings.kind:
        case JobKind.DFS:
            return Dfs(settings.bounds.preemptions)
        case JobKind.PCT:
            return Pct(settings.seed, settings.depth)
        case JobKind.RANDOM:
            return RandomWalk(settings.seed)
        case JobKind.POS:
            return PartialOrderSampling(settings.seed)
        case JobKind.SURW:
            return SelectivelyUniform(settings.seed)


def _guarantee(pct: Pct) -> Guarantee:
    threads, schedules = len(pct.threads), pct.at_this_length
    return Guarantee(
        threads, pct.length, schedules, 1 - float(1 - pct.bound) ** schedules if schedules else 0.0
    )
