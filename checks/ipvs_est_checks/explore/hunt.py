"""All ways in which a scenario fails within a bound, each by the first schedule that shows it."""

from dataclasses import dataclass, replace
from time import process_time

from ipvs_est import Revision
from ipvs_est.violations import Violation
from ipvs_est_checks.explore.cause import Cause, cause_of
from ipvs_est_checks.explore.dfs import Dfs
from ipvs_est_checks.explore.minimise import minimise
from ipvs_est_checks.explore.outcome import Bounds, Figures, Found
from ipvs_est_checks.explore.run import Tally, run
from ipvs_est_checks.explore.scenario import Scenario
from ipvs_est_checks.explore.scheduler import system_of
from ipvs_est_checks.explore.watch import WATCHED, Watch
from ipvs_est_checks.explore.world import World

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
    checks: int
    """Evaluations of properties."""
    seconds: float
    """Processor time."""


def hunt(
    scenario: Scenario,
    revision: Revision,
    bounds: Bounds,
    properties: frozenset[str] = WATCHED,
) -> Hunt:
    """Search to the bounds, behind every failure."""
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
        return False

    watch = Watch(properties)
    scheduler = Dfs(bounds.preemptions)
    system = system_of(scenario, revision, watch)
    outcome = run(system, scheduler, bounds, wanted=note, tally=tally)
    seconds = process_time() - began
    return Hunt(tuple(hits.values()), outcome.figures, watch.checks.total(), seconds)


def shortest(
    scenario: Scenario,
    revision: Revision,
    found: Found,
    properties: frozenset[str] = WATCHED,
    effort: int = EFFORT,
) -> Found:
    """The same failure with the fewest context switches that were found."""
    system = system_of(scenario, revision, Watch(properties))
    return minimise(system, found, key=_key, effort=effort).found


def _rank(found: Found) -> tuple[int, int]:
    return found.switches, len(found.choices)


def _key(world: World, violation: Violation) -> str:
    return cause_of(world, violation).text
