"""All ways in which a scenario fails within a bound, each by the first schedule that shows it."""

from dataclasses import dataclass
from time import process_time

from ipvs_est import Revision
from ipvs_est_checks.explore.cause import Cause, cause_of
from ipvs_est_checks.explore.dfs import explore_dfs
from ipvs_est_checks.explore.outcome import Bounds, Figures, Found
from ipvs_est_checks.explore.scenario import Scenario
from ipvs_est_checks.explore.world import World


@dataclass(frozen=True, slots=True)
class Hit:
    """One cause and the first schedule that ends with it: it has the fewest preemptions."""

    cause: Cause
    found: Found
    schedules: int
    """Run until then, this one included."""
    seconds: float
    """Processor time until then."""


@dataclass(frozen=True, slots=True)
class Hunt:
    """What a search of one scenario on one revision has shown."""

    scenario: str
    revision: str
    hits: tuple[Hit, ...]
    """In the order in which they were found."""
    figures: Figures
    seconds: float
    """Processor time."""


def hunt(scenario: Scenario, revision: Revision, bounds: Bounds) -> Hunt:
    """Search to the bounds, behind every failure."""
    began = process_time()
    hits: dict[Cause, Hit] = {}
    schedules = 0

    def note(world: World, found: Found) -> bool:
        cause = cause_of(world, found.violation)
        if cause not in hits:
            hits[cause] = Hit(cause, found, schedules + 1, process_time() - began)
        return False

    def count(done: int) -> None:
        nonlocal schedules
        schedules = done

    outcome = explore_dfs(scenario, revision, bounds, count, note)
    seconds = process_time() - began
    return Hunt(scenario.name, revision.name, tuple(hits.values()), outcome.figures, seconds)
