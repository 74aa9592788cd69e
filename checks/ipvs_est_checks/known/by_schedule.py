"""Findings that need a schedule of their own: the scenario of the library that shows each.

Beside `findings`, whose histories are sequential. Explained in docs/reference/findings. A search
of the scenario to the bound confirms each: it has to break the property on the revisions named
and on no other.
"""

from ipvs_est_checks.known.finding import Finding, Schedule
from ipvs_est_checks.revision_names import BEFORE_MAINLINE, MERGED


def _scheduled(
    id_: str,
    title: str,
    properties: tuple[str, ...],
    revisions: tuple[str, ...],
    scenario: str,
    preemptions: int,
    defect: str,
    repair: str,
    with_repairs: tuple[str, ...] = (),
) -> Finding:
    schedule = Schedule(scenario, preemptions)
    return Finding(id_, title, properties, revisions, defect, repair, schedule, with_repairs)


BY_SCHEDULE: tuple[Finding, ...] = (
    _scheduled(
        "F16",
        "The reload work tests enable, netns exit clears it, and the work still starts a task.",
        ("tasks.enabled",),
        MERGED,
        "exit-and-sysctl",
        1,
        "",
        "clears_enable_under_est_mutex",
    ),
    _scheduled(
        "F17",
        "Stopping kthread 0 under a mutex that kthread 0 waits for hangs for ever.",
        ("locks.deadlock",),
        BEFORE_MAINLINE,
        "last-estimator-goes",
        2,
        "D03",
        "work_drops_est_mutex_for_kd0",
        # D03 is about several joins, and is gone only where all of them are.
        (
            "calc_stats_under_est_mutex",
            "calc_stops_tasks_before_service_mutex",
            "kd0_until_exit",
            "start_marks_kd0_needed",
            "total_stopped_under_service_mutex",
            "work_starts_kd0_if_needed",
            "work_starts_tasks",
        ),
    ),
    _scheduled(
        "F18",
        "Limits are computed from a cpulist that is marked valid and not copied yet.",
        ("limits.max-threads", "limits.stopped"),
        BEFORE_MAINLINE,
        "limit-shrinks-in-drain",
        1,
        "D04",
        "est_mutex_at_enable",
    ),
    _scheduled(
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
    _scheduled(
        "F20",
        "After limits have shrunk, a tick of kd 0 that has one chain takes more than tick_max.",
        ("limits.tick",),
        MERGED,
        "limits-shrink",
        0,
        "",
        "renews_flags_with_limits",
    ),
    _scheduled(
        "F27",
        "Netns exit stops the total while kthread 0 takes it off the temp list: it stays counted"
        " in a chain, whose tick is never freed.",
        (
            "memory.leak",
            "counts.chain-len",
            "counts.tick-len",
            "counts.est-count",
            "bitmaps.present",
            "bitmaps.full",
        ),
        BEFORE_MAINLINE,
        "exit-in-first-drain",
        2,
        "D08",
        "total_stopped_under_service_mutex",
    ),
    _scheduled(
        "F28",
        "A write of no bytes to est_nice or run_estimation stores an old value over a newer one.",
        ("limits.sysctl-kept",),
        MERGED,
        "sysctl-writes-without-a-number",
        1,
        "",
        "reads_sysctls_under_est_mutex",
    ),
)


def explained_by_schedule(revision: str, property_id: str) -> bool:
    """Whether a recorded schedule breaks that property on that revision."""
    return any(
        revision in finding.revisions and property_id in finding.properties
        for finding in BY_SCHEDULE
    )
