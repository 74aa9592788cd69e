"""Failures that a recorded finding explains: collected, so that the search goes on.

A failure is taken for a known one only if its cause is shown: the same history, on the same
revision with that finding's repair, must not break the property.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace

from ipvs_est import Revision
from ipvs_est_checks.known.findings import FINDINGS
from ipvs_est_checks.known.where import BEFORE_MAINLINE


@dataclass(frozen=True, slots=True)
class Cause:
    """Why properties fail on some revisions."""

    id: str
    """Of a finding, or a row of the known defects."""
    title: str
    properties: tuple[str, ...]
    revisions: tuple[str, ...]
    repairs: tuple[str, ...]
    """Fields of Revision which, set together, remove it."""


_D03 = Cause(
    "D03",
    "Kthread 0 and whoever stops it wait for each other.",
    ("locks.deadlock",),
    BEFORE_MAINLINE,
    (
        "calc_stats_under_est_mutex",
        "calc_stops_tasks_before_service_mutex",
        "kd0_until_exit",
        "start_marks_kd0_needed",
        "total_stopped_under_service_mutex",
        "work_drops_est_mutex_for_kd0",
        "work_starts_kd0_if_needed",
        "work_starts_tasks",
    ),
)
"""Known, and met by sequential histories; not in the registry, since it takes several repairs."""

CAUSES: tuple[Cause, ...] = (
    *(
        Cause(each.id, each.title, each.properties, each.revisions, (each.repair,))
        for each in FINDINGS
    ),
    _D03,
)

Holds = Callable[[Revision], bool]
"""Whether the property holds in the same history on another revision."""


def repaired(revision: Revision, causes: tuple[Cause, ...]) -> Revision:
    """The revision with the repairs of those causes."""
    fields = {name: True for each in causes for name in each.repairs}
    return replace(revision, **fields)  # type: ignore[arg-type]  # all of them are booleans


def reason_for(revision: Revision, property_id: str, holds: Holds, likely: str = "") -> str:
    """What makes the property fail in this history; '' if nothing known does.

    `likely`, an earlier answer, is tried first.
    """
    known = tuple(each for each in CAUSES if revision.name in each.revisions)
    if not any(property_id in each.properties for each in known):
        return ""
    suspects = sorted(_suspects(known, property_id), key=lambda causes: _told(causes) != likely)
    for causes in suspects:
        if holds(repaired(revision, causes)):
            return _told(causes)
    return ""


def _told(causes: tuple[Cause, ...]) -> str:
    return "; ".join(f"{each.id}: {each.title}" for each in causes)


def _suspects(known: tuple[Cause, ...], property_id: str) -> Iterator[tuple[Cause, ...]]:
    """One recorded for the property; all of those; all that the revision has."""
    named = tuple(each for each in known if property_id in each.properties)
    for each in named:
        yield (each,)
    if len(named) > 1:
        yield named
    if len(known) > len(named):
        yield known
