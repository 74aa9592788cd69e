"""Whether a failure is known: the one question, asked by substituting the repair.

A failure is taken for that of a recorded finding only if its cause is shown: the same history, or
the same search, on the same revision with that finding's repair must not break the property. So
a finding does not hide a second cause of the same property.
"""

from collections.abc import Callable, Iterator
from dataclasses import replace

from ipvs_est import Revision
from ipvs_est_checks.known.finding import Finding
from ipvs_est_checks.known.registry import ALL

Holds = Callable[[Revision], bool]
"""Whether the property holds in the same history, or search, on another revision."""


def repaired(revision: Revision, findings: tuple[Finding, ...]) -> Revision:
    """The revision with the repairs of those findings."""
    fields = {name: True for finding in findings for name in finding.repairs}
    return replace(revision, **fields)  # type: ignore[arg-type]  # all of them are booleans


def known_by_repair(
    revision: Revision, property_id: str, holds: Holds, likely: str = ""
) -> tuple[Finding, ...]:
    """The findings that make the property fail there; () if nothing known does.

    `likely`, the text of an earlier answer, is tried first.
    """
    known = tuple(finding for finding in ALL if revision.name in finding.revisions)
    if not any(property_id in finding.properties for finding in known):
        return ()
    suspects = sorted(_suspects(known, property_id), key=lambda found: cause_text(found) != likely)
    return next((found for found in suspects if holds(repaired(revision, found))), ())


def cause_text(findings: tuple[Finding, ...]) -> str:
    """Their numbers and titles; '' if there is none."""
    return "; ".join(f"{finding.id}: {finding.title}" for finding in findings)


def _suspects(known: tuple[Finding, ...], property_id: str) -> Iterator[tuple[Finding, ...]]:
    """One recorded for the property; all of those; all that the revision has."""
    named = tuple(finding for finding in known if property_id in finding.properties)
    for finding in named:
        yield (finding,)
    if len(named) > 1:
        yield named
    if len(known) > len(named):
        yield known
