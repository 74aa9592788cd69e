"""All recorded findings, those shown by a history and those shown by a schedule."""

from ipvs_est_checks.known.finding import Finding
from ipvs_est_checks.known.findings import FINDINGS
from ipvs_est_checks.known.scheduled import SCHEDULED

ALL: tuple[Finding, ...] = tuple(sorted((*FINDINGS, *SCHEDULED), key=lambda each: each.id))
BY_ID = {each.id: each for each in ALL}


def findings_of(revision: str, property_id: str) -> tuple[str, ...]:
    """Ids of the findings that break a property on a revision."""
    return tuple(
        each.id for each in ALL if revision in each.revisions and property_id in each.properties
    )
