"""Which recorded finding or listed defect a failing schedule shows, if any does.

A deadlock, and every other violation that says where it happens, is told by its sign. A property
of states or of what happened says no more than that it is broken: there the finding, or the row
of the known defects, that breaks the property on the revision is named, and a second cause
that breaks the same property looks the same.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from ipvs_est_checks.defects.table import DEFECTS, Kind
from ipvs_est_checks.explore.failures.cause import Cause, Sign, Waits, shows
from ipvs_est_checks.known.findings import FINDINGS, Finding
from ipvs_est_checks.known.scheduled import SCHEDULED, ScheduledFinding
from ipvs_est_spec.catalogue import VIOLATION_PROPERTIES

_SIGNS: Mapping[str, Sign] = {
    "F01": Sign("bitmaps.in-range", "thing=chains of tick of row "),
    "F23": Sign("locks.deadlock", waits=(Waits("ipvs-e:0", of="exit of ipvs-e:0"),)),
}
"""Of findings about violations, as far as the known defects do not have their signs."""
_VIOLATIONS = frozenset(each.id for each in VIOLATION_PROPERTIES)


@dataclass(frozen=True, slots=True)
class Known:
    """What a failure is known as."""

    ids: tuple[str, ...]
    """Rows of the known defects, then findings."""
    title: str
    """Of the first."""
    by_sign: bool
    """Told by what the failure says; else by its property alone."""


def known_as(revision: str, cause: Cause) -> Known | None:
    """None: neither a recorded finding nor a listed defect explains it on that revision."""
    found = list(_defects(revision, cause))
    found += _findings(revision, cause, [each for each, _, _ in found])
    if not found:
        return None
    ids = tuple(dict.fromkeys(each for each, _, _ in found))
    return Known(ids, found[0][1], any(by_sign for _, _, by_sign in found))


_Match = tuple[str, str, bool]
"""Id, title, whether it was told by a sign."""


def _defects(revision: str, cause: Cause) -> Iterator[_Match]:
    for row in DEFECTS:
        if row.kind not in (Kind.DEFECT, Kind.INJECTED) or revision not in row.revisions:
            continue
        matching = [each for each in row.signs if shows(each, cause)]
        if matching:
            yield row.id, row.title, any(each.text or each.waits for each in matching)


def _findings(revision: str, cause: Cause, defects: list[str]) -> Iterator[_Match]:
    recorded: tuple[Finding | ScheduledFinding, ...] = (*FINDINGS, *SCHEDULED)
    for each in recorded:
        if revision not in each.revisions or cause.property not in each.properties:
            continue
        sign = _SIGNS.get(each.id)
        if sign is not None:
            if shows(sign, cause):
                yield each.id, each.title, True
        elif cause.property not in _VIOLATIONS:
            yield each.id, each.title, False
            if each.defect and not any(id_.startswith(each.defect) for id_ in defects):
                yield each.defect, each.title, False
        elif each.defect and any(id_.startswith(each.defect) for id_ in defects):
            yield each.id, each.title, True
