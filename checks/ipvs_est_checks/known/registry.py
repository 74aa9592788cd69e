"""All recorded findings, those shown by a history and those shown by a schedule."""

from ipvs_est_checks.known.by_history import BY_HISTORY
from ipvs_est_checks.known.by_schedule import BY_SCHEDULE
from ipvs_est_checks.known.finding import Finding

ALL: tuple[Finding, ...] = tuple(
    sorted((*BY_HISTORY, *BY_SCHEDULE), key=lambda finding: finding.id)
)
BY_ID = {finding.id: finding for finding in ALL}


def findings_of(revision: str, property_id: str) -> tuple[str, ...]:
    """Ids of the findings that break a property on a revision."""
    return tuple(
        finding.id
        for finding in ALL
        if revision in finding.revisions and property_id in finding.properties
    )
