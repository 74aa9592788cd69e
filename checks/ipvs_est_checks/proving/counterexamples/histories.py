"""Recorded findings, shown once more: their histories and scenarios on one revision."""

from ipvs_est import Revision
from ipvs_est_checks.explore.engine.outcome import Bounds
from ipvs_est_checks.explore.failures.hunt import hunt
from ipvs_est_checks.explore.scenarios.scenario import load
from ipvs_est_checks.known.by_history import BY_HISTORY, watch_finding
from ipvs_est_checks.known.by_schedule import BY_SCHEDULE


def finding_shows(finding: str, revision: Revision) -> str:
    """The property that the finding's history, or a schedule of its scenario, breaks on that
    revision; '' if it breaks none. Raises ValueError for no finding."""
    for one_finding in BY_HISTORY:
        if one_finding.id == finding:
            failures = watch_finding(one_finding, revision).failures
            return next((name for name in one_finding.properties if name in failures), "")
    for one in BY_SCHEDULE:
        if one.id == finding and one.schedule is not None:
            watched = frozenset(one.properties)
            bounds = Bounds(one.schedule.preemptions)
            seen = hunt(load(one.schedule.scenario), revision, bounds, watched)
            broken = {hit.cause.property for hit in seen.hits}
            return next((name for name in one.properties if name in broken), "")
    raise ValueError(f"{finding}: no finding")
