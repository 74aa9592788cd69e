"""Findings that need a schedule of their own: the scenario of the library that shows each.

Beside `findings`, whose histories are sequential. Explained in known/FINDINGS.md. A search of the
scenario to the bound confirms each: it has to break the property on the revisions named and on
no other.
"""

from dataclasses import dataclass

_OLD = ("v7", "stable")


@dataclass(frozen=True, slots=True)
class ScheduledFinding:
    """One way in which a property fails under some schedules."""

    id: str
    title: str
    """One sentence in kernel terms."""
    properties: tuple[str, ...]
    revisions: tuple[str, ...]
    scenario: str
    """Breaks the first of the properties."""
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
        ("v7", "stable", "mainline"),
        "exit-and-sysctl",
        1,
        "",
        "clears_enable_under_est_mutex",
    ),
    ScheduledFinding(
        "F17",
        "Stopping kthread 0 under a mutex that kthread 0 waits for hangs for ever.",
        ("locks.deadlock",),
        _OLD,
        "last-estimator-goes",
        2,
        "D03",
        "work_drops_est_mutex_for_kd0",
    ),
    ScheduledFinding(
        "F18",
        "Limits are computed from a cpulist that is marked valid and not copied yet.",
        ("limits.max-threads", "limits.stopped"),
        _OLD,
        "limit-shrinks-in-drain",
        1,
        "D04",
        "est_mutex_at_enable",
    ),
    ScheduledFinding(
        "F19",
        "Netns exit takes the total off its list without the service mutex: others see it on none.",
        ("place.one-list",),
        _OLD,
        "exit-of-an-idle-netns",
        0,
        "D08",
        "total_stopped_under_service_mutex",
    ),
    ScheduledFinding(
        "F20",
        "After limits have shrunk, a tick of kd 0 that has one chain takes more than tick_max.",
        ("limits.tick",),
        ("v7", "stable", "mainline"),
        "limits-shrink",
        0,
        "",
        "renews_flags_with_limits",
    ),
)


def explained_by_schedule(revision: str, property_id: str) -> bool:
    """Whether a recorded schedule breaks that property on that revision."""
    return any(revision in each.revisions and property_id in each.properties for each in SCHEDULED)
