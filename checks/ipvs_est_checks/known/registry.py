"""All recorded findings, those shown by a history and those shown by a schedule."""

from ipvs_est_checks.known.by_history import BY_HISTORY
from ipvs_est_checks.known.by_schedule import BY_SCHEDULE
from ipvs_est_checks.known.finding import Finding

ALL: tuple[Finding, ...] = tuple(sorted((*BY_HISTORY, *BY_SCHEDULE), key=lambda each: each.id))
BY_ID = {each.id: each for each in ALL}


def findings_of(revision: str, property_id: str) -> tuple[str, ...]:
    """Ids of the findings that break a property on a revision."""
    return tuple(
        each.id for each in ALL if revision in each.revisions and property_id in each.properties
    )
