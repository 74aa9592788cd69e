"""The modelled kernels, as data: each field is one difference of the semantics."""

from dataclasses import dataclass, replace


@dataclass(frozen=True, slots=True)
class Revision:
    """One revision of the estimator. Every field is tested at exactly one place.

    Source: the revision tags of the semantics; the section is named with each field.
    """

    name: str
    kernels: tuple[str, ...]
    """Kernels whose recordings show this behaviour, as in a trace header, oldest first."""
    returns_after_aborted_calc_phase: bool
    """Section 8: kthread 0 returns if it was stopped or disabled during the calc phase."""
    holds_task_reference: bool
    """Section 9: starting a task takes a reference, so one that exits by itself stays valid."""
    unbinds_scheduler_once: bool
    """Section 13: the error path of adding a service forgets the scheduler that it unbound."""
    kd0_until_exit: bool
    """Section 7: without estimators kd 0 is no longer `needed` but lives until netns exit."""
    start_marks_kd0_needed: bool
    """Section 4: starting an estimator sets kd 0's `needed` and requests a restart."""
    work_starts_kd0_if_needed: bool
    """Section 9: the reload work starts kthread 0 only while its kd is `needed`."""
    est_mutex_at_enable: bool
    """Section 13: the first service sets `enable` and the limits under est_mutex."""
    computes_max_threads_at_start: bool
    """Section 4: starting an estimator computes `est_max_threads` if it is 0."""
    thread_limit_under_est_mutex: bool
    """Section 6: the thread limit is tested after est_mutex is taken."""
    work_starts_tasks: bool
    """Section 6: a new context requests its start instead of starting its task."""
    work_drops_est_mutex_for_kd0: bool
    """Section 9: the reload work drops est_mutex around the stop of kthread 0."""
    calc_stats_under_est_mutex: bool
    """Section 11: `calc_stats` is read under est_mutex, not under the service mutex."""
    calc_stops_tasks_before_service_mutex: bool
    """Section 11: tasks are stopped under est_mutex alone, before the service mutex is taken."""
    relinked_delay_from_loop: bool
    """Section 11: a relinked estimator's delay is the loop's, not read from a freed kd."""
    total_stopped_under_service_mutex: bool
    """Sections 7, 14: netns exit stops the total's estimator under the service mutex."""
    restores_trashed_dest: bool
    """Section 13: a dest whose estimator does not start goes back to the trash."""
    has_status_file: bool
    """Section 17: there is /proc/net/ip_vs_status."""
    relinking_keeps_kd0_needed: bool = True
    """Repair of F22: relinking an estimator does not make kd 0 one that is not `needed`
    (section 7). Without `needed` there is nothing to keep."""
    renews_flags_with_limits: bool = False
    """Repair of F01: new limits also renew the flags of the tick in which kd 0 keeps its last
    estimator (section 11)."""
    limits_for_every_context: bool = False
    """Repair of F21: new limits are applied to every context that is left, not only to kd 0
    (section 11)."""
    starts_contexts_left: bool = False
    """Repair of F25: with the end of the calc phase goes a request to start the kthreads above 0
    that are left without estimators (section 11)."""
    keeps_row_when_stopped_in_sleep: bool = False
    """Repair of F15: a task stopped in its sleep leaves est_row and est_timer to the next one
    (section 8)."""
    thread_limit_when_disabled: bool = False
    """Repair of F13: the thread limit holds also while `enable` is 0 (section 6)."""
    drain_takes_total_first: bool = False
    """Repair of F12: the total is enqueued before all others (section 10)."""
    stop_prefers_room_to_holes: bool = False
    """Repair of F11: stopping an estimator does not leave est_add_ktid on a hole (section 7)."""
    frees_cpulist_under_est_mutex: bool = False
    """Repair of F06: netns exit frees est_cpulist under est_mutex (section 14)."""
    clears_enable_under_est_mutex: bool = False
    """Repair of F16: netns exit clears `enable` under est_mutex, so that nobody starts a task
    who has seen it set (section 14)."""
    thread_limit_counts_contexts: bool = False
    """Repair of F05: the thread limit is compared with the contexts, not with the slots, of
    which some may be holes (section 6)."""
    reads_sysctls_under_est_mutex: bool = False
    """Repair of F28: a write without a number to est_nice or run_estimation writes the value that
    it reads under est_mutex, not one that it has read before (section 12)."""


V7 = Revision(
    name="v7",
    kernels=(),
    returns_after_aborted_calc_phase=False,
    holds_task_reference=False,
    unbinds_scheduler_once=False,
    kd0_until_exit=False,
    start_marks_kd0_needed=False,
    work_starts_kd0_if_needed=False,
    est_mutex_at_enable=False,
    computes_max_threads_at_start=True,
    thread_limit_under_est_mutex=False,
    work_starts_tasks=False,
    work_drops_est_mutex_for_kd0=False,
    calc_stats_under_est_mutex=False,
    calc_stops_tasks_before_service_mutex=False,
    relinked_delay_from_loop=False,
    total_stopped_under_service_mutex=False,
    restores_trashed_dest=False,
    has_status_file=False,
)

V7_UNWIND = replace(
    V7,
    name="v7-unwind",
    kernels=("6.12.94", "6.12.95"),
    unbinds_scheduler_once=True,
)
"""v7 with the error path of adding a service mended, as in 6.12.83 and later."""

STABLE = replace(
    V7_UNWIND,
    name="stable",
    kernels=("6.12.117",),
    returns_after_aborted_calc_phase=True,
    holds_task_reference=True,
)

MAINLINE = replace(
    STABLE,
    name="mainline",
    kernels=("7.3.4",),
    kd0_until_exit=True,
    start_marks_kd0_needed=True,
    work_starts_kd0_if_needed=True,
    est_mutex_at_enable=True,
    computes_max_threads_at_start=False,
    thread_limit_under_est_mutex=True,
    work_starts_tasks=True,
    work_drops_est_mutex_for_kd0=True,
    calc_stats_under_est_mutex=True,
    calc_stops_tasks_before_service_mutex=True,
    relinked_delay_from_loop=True,
    total_stopped_under_service_mutex=True,
    restores_trashed_dest=True,
    has_status_file=True,
    relinking_keeps_kd0_needed=False,
)

REPAIRED = replace(
    MAINLINE,
    name="repaired",
    kernels=(),
    renews_flags_with_limits=True,
    relinking_keeps_kd0_needed=True,
    limits_for_every_context=True,
    starts_contexts_left=True,
    keeps_row_when_stopped_in_sleep=True,
    thread_limit_when_disabled=True,
    drain_takes_total_first=True,
    stop_prefers_room_to_holes=True,
    frees_cpulist_under_est_mutex=True,
    clears_enable_under_est_mutex=True,
    thread_limit_counts_contexts=True,
    reads_sysctls_under_est_mutex=True,
)
"""Mainline and the smallest repair of each finding (`ipvs-est show F01` and so on)."""

BEFORE_STABLE = (V7, V7_UNWIND)
"""Without the fix of CVE-2026-74670."""
BEFORE_MAINLINE = (*BEFORE_STABLE, STABLE)
"""Without mainline's repair of the races around est_mutex and est_cpulist."""
MERGED = (*BEFORE_MAINLINE, MAINLINE)
"""What kernels have; oldest first."""

REVISIONS: dict[str, Revision] = {revision.name: revision for revision in (*MERGED, REPAIRED)}
KERNELS: dict[str, Revision] = {name: revision for revision in MERGED for name in revision.kernels}
