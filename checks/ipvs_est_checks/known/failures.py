"""Which recorded finding or listed defect a failing schedule shows, if any does.

A deadlock, and every other violation that says where it happens, is told by its sign. A property
of states or of what happened says no more than that it is broken: there the question is asked
by repair (`by_repair`) where the search can be made again, else the finding, or the row of the
known defects, that breaks the property on the revision is named.
"""

from collections.abc import Iterator

from ipvs_est import REVISIONS, Revision
from ipvs_est_checks.defects.table import DEFECTS, DefectKind
from ipvs_est_checks.explore.engine.watch import WATCHED
from ipvs_est_checks.explore.failures.already_known import AlreadyKnown, Known
from ipvs_est_checks.explore.failures.cause import Cause, shows
from ipvs_est_checks.known.by_history import BY_HISTORY
from ipvs_est_checks.known.by_repair import Holds, known_by_repair
from ipvs_est_checks.known.by_schedule import BY_SCHEDULE
from ipvs_est_checks.known.registry import findings_of
from ipvs_est_spec.catalogue import VIOLATION_PROPERTIES

_VIOLATIONS = frozenset(prop.id for prop in VIOLATION_PROPERTIES)


def known_as(revision: str, cause: Cause, holds: Holds | None = None) -> Known | None:
    """None: neither a recorded finding nor a listed defect explains it on that revision.

    `holds`: whether the property holds in the same search on another revision. It is asked
    where no sign tells the failure from others.
    """
    found = list(_defects(revision, cause))
    found += _findings(revision, cause, [name for name, _, _ in found])
    if not found:
        return None
    by_sign = any(has_sign for _, _, has_sign in found)
    ids = tuple(dict.fromkeys(name for name, _, _ in found))
    known = Known(ids, found[0][1], by_sign)
    if by_sign or holds is None:
        return known
    shown = known_by_repair(REVISIONS[revision], cause.property, holds)
    # A row of the known defects that has no finding is all that there is to go by.
    return known if shown or not _has_finding(revision, cause) else None


def _has_finding(revision: str, cause: Cause) -> bool:
    return bool(findings_of(revision, cause.property))


_Match = tuple[str, str, bool]
"""Id, title, whether it was told by a sign."""


def _defects(revision: str, cause: Cause) -> Iterator[_Match]:
    for row in DEFECTS:
        if (
            row.kind not in (DefectKind.DEFECT, DefectKind.INJECTED)
            or revision not in row.revisions
        ):
            continue
        matching = [sign for sign in row.signs if shows(sign, cause)]
        if matching:
            yield row.id, row.title, any(sign.text or sign.waits for sign in matching)


def _findings(revision: str, cause: Cause, defects: list[str]) -> Iterator[_Match]:
    for finding in (*BY_HISTORY, *BY_SCHEDULE):
        if revision not in finding.revisions or cause.property not in finding.properties:
            continue
        if finding.sign is not None:
            if shows(finding.sign, cause):
                yield finding.id, finding.title, True
        elif cause.property not in _VIOLATIONS:
            yield finding.id, finding.title, False
            if finding.defect and not any(id_.startswith(finding.defect) for id_ in defects):
                yield finding.defect, finding.title, False
        elif finding.defect and any(id_.startswith(finding.defect) for id_ in defects):
            yield finding.id, finding.title, True


def watched_by_default(revision: Revision) -> frozenset[str]:
    """All but the properties that a finding without concurrency breaks on the revision: most
    schedules would end there. Findings that need a schedule of their own hide little."""
    broken = [
        prop
        for finding in BY_HISTORY
        if revision.name in finding.revisions
        for prop in finding.properties
    ]
    return WATCHED.difference(broken)


ALREADY_KNOWN = AlreadyKnown(known_as, watched_by_default)
"""What a search is told of the recorded findings and the listed defects."""
