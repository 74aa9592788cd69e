"""All ways in which a scenario fails within a bound, each by the first schedule that shows it."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from time import process_time

from ipvs_est import Revision
from ipvs_est.language.violations import Livelock, Violation
from ipvs_est_checks.explore.engine.outcome import Bounds, Figures, Found
from ipvs_est_checks.explore.engine.run import Tally, run
from ipvs_est_checks.explore.engine.watch import LEAK, WATCHED, Watch
from ipvs_est_checks.explore.engine.world import World
from ipvs_est_checks.explore.failures.cause import Cause, cause_of
from ipvs_est_checks.explore.failures.minimise import Minimised, minimise
from ipvs_est_checks.explore.scenarios.scenario import Scenario
from ipvs_est_checks.explore.schedulers.dfs import Dfs, closed
from ipvs_est_checks.explore.schedulers.scheduler import system_of
from ipvs_est_spec.catalogue import VIOLATION_PROPERTIES

EFFORT = 100_000
"""Scheduling steps to reduce one failure with."""


@dataclass(frozen=True, slots=True)
class Hit:
    """One cause and the first schedule that ends with it: it has the fewest preemptions."""

    cause: Cause
    found: Found
    schedules: int
    """Run until then, this one included."""
    seconds: float
    """Processor time until then."""
    best: Found
    """Of all that were found the one with the fewest context switches, then steps."""


@dataclass(frozen=True, slots=True)
class Hunt:
    """What a search of one scenario on one revision has shown."""

    hits: tuple[Hit, ...]
    """In the order in which they were found."""
    figures: Figures
    seconds: float
    """Processor time."""
    evaluations: Mapping[str, int] = field(default_factory=dict)
    """By id of a property: how often it was evaluated, if at all. Those that a violation breaks
    are looked at in each step, but for the leak."""
    unknown: tuple[Cause, ...] = ()
    """Those of the hits that nothing recorded explains, where that was asked."""


def hunt(
    scenario: Scenario,
    revision: Revision,
    bounds: Bounds,
    properties: frozenset[str] = WATCHED,
    enough: Callable[[Cause], bool] = lambda cause: False,
) -> Hunt:
    """Search to the bounds, behind every failure that is not `enough`."""
    began = process_time()
    hits: dict[Cause, Hit] = {}
    tally = Tally()

    def note(world: World, found: Found) -> bool:
        cause = cause_of(world, found.violation)
        known = hits.get(cause)
        if known is None:
            schedules = tally.figures.schedules + 1
            hits[cause] = Hit(cause, found, schedules, process_time() - began, found)
        elif _rank(found) < _rank(known.best):
            hits[cause] = replace(known, best=found)
        return enough(cause)

    watch = Watch(properties)
    scheduler = Dfs(bounds.preemptions)
    system = system_of(scenario, revision, watch)
    outcome = closed(system, run(system, scheduler, bounds, wanted=note, tally=tally), scheduler)
    for found in outcome.failures:
        # Only the whole of a search shows a livelock; all others have been noted.
        if not isinstance(found.violation, Livelock):
            continue
        cause = cause_of(system.start(), found.violation)
        schedules = outcome.figures.schedules
        hits.setdefault(cause, Hit(cause, found, schedules, process_time() - began, found))
    return Hunt(
        tuple(hits.values()),
        outcome.figures,
        process_time() - began,
        _evaluations(watch, outcome.figures),
    )


def _evaluations(watch: Watch, figures: Figures) -> dict[str, int]:
    steps = {prop.id: figures.steps for prop in VIOLATION_PROPERTIES if prop.id != LEAK}
    return {id_: count for id_, count in {**steps, **watch.checks}.items() if count}


def shortest(
    scenario: Scenario,
    revision: Revision,
    found: Found,
    properties: frozenset[str] = WATCHED,
    effort: int = EFFORT,
) -> Minimised:
    """The same failure with the fewest context switches that were found."""
    if isinstance(found.violation, Livelock):
        # A loop is short, and the way to it is as the search found it.
        return Minimised(found, fewest=False)
    system = system_of(scenario, revision, Watch(properties))
    return minimise(system, found, key=_key, effort=effort)


def _rank(found: Found) -> tuple[int, int]:
    return found.switches, len(found.choices)


def _key(world: World, violation: Violation) -> str:
    return cause_of(world, violation).text
