"""Findings that need a schedule of their own: the scenario of the library that shows each.

Beside `findings`, whose histories are sequential. Explained in docs/reference/findings. A search
of the scenario to the bound confirms each: it has to break the property on the revisions named
and on no other.
"""

from dataclasses import dataclass

from ipvs_est_checks.known.where import BEFORE_MAINLINE, MERGED


@dataclass(frozen=True, slots=True)
class ScheduledFinding:
    """One way in which a property fails under some schedules."""

    id: str
    title: str
    """One sentence in kernel terms."""
    properties: tuple[str, ...]
    revisions: tuple[str, ...]
    scenario: str
    """Breaks the first of the properties, which alone is watched there."""
    preemptions: int
    """With so many."""
    defect: str
    """Row of the known defects; '' = not listed there."""
    repair: str
    """Field of Revision that repairs it."""


SCHEDULED: tuple[ScheduledFinding, ...] = (
    ScheduledFinding(
        "F16",
        "The reload work tests enable, netns exit clears it, and the work still starts a task.",
        ("tasks.enabled",),
        MERGED,
        "exit-and-sysctl",
        1,
        "",
        "clears_enable_under_est_mutex",
    ),
    ScheduledFinding(
        "F17",
        "Stopping kthread 0 under a mutex that kthread 0 waits for hangs for ever.",
        ("locks.deadlock",),
        BEFORE_MAINLINE,
        "last-estimator-goes",
        2,
        "D03",
        "work_drops_est_mutex_for_kd0",
    ),
    ScheduledFinding(
        "F18",
        "Limits are computed from a cpulist that is marked valid and not copied yet.",
        ("limits.max-threads", "limits.stopped"),
        BEFORE_MAINLINE,
        "limit-shrinks-in-drain",
        1,
        "D04",
        "est_mutex_at_enable",
    ),
    ScheduledFinding(
        "F19",
        "Netns exit takes the total off its list without the service mutex, while kthread 0 takes"
        " it off: who comes second writes through a poisoned pointer.",
        ("memory.pointer", "place.one-list"),
        BEFORE_MAINLINE,
        "exit-in-first-drain",
        3,
        "D08",
        "total_stopped_under_service_mutex",
    ),
    ScheduledFinding(
        "F20",
        "After limits have shrunk, a tick of kd 0 that has one chain takes more than tick_max.",
        ("limits.tick",),
        MERGED,
        "limits-shrink",
        0,
        "",
        "renews_flags_with_limits",
    ),
    ScheduledFinding(
        "F27",
        "Netns exit stops the total while kthread 0 takes it off the temp list: it stays counted"
        " in a chain, whose tick is never freed.",
        ("memory.leak",),
        BEFORE_MAINLINE,
        "exit-in-first-drain",
        2,
        "D08",
        "total_stopped_under_service_mutex",
    ),
)


def explained_by_schedule(revision: str, property_id: str) -> bool:
    """Whether a recorded schedule breaks that property on that revision."""
    return any(revision in each.revisions and property_id in each.properties for each in SCHEDULED)
