"""The findings that a history without concurrency shows.

Explained in docs/reference/findings. A finding is confirmed by its history on every revision
that has it; one that no longer reproduces, or that shows on a revision without it, is a failure.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from ipvs_est import REVISIONS, Revision
from ipvs_est.oracle import Oracle
from ipvs_est_checks.explore.failures.cause import Sign, Waits
from ipvs_est_checks.history.file import History, read_history
from ipvs_est_checks.history.monitor import NewOracle, WatchedHistory, run
from ipvs_est_checks.known.finding import Finding
from ipvs_est_checks.revision_names import BEFORE_MAINLINE, BEFORE_STABLE, MERGED, ONLY_V7

_FOLDER = Path(__file__).parent / "histories"


BY_HISTORY: tuple[Finding, ...] = (
    Finding(
        "F01",
        "A full bit from old limits leads the search for a chain out of its array.",
        ("bitmaps.in-range",),
        MERGED,
        "",
        "renews_flags_with_limits",
        sign=Sign("bitmaps.in-range", "thing=chains of tick of row "),
    ),
    Finding(
        "F02",
        "After limits have grown, kd 0's flags are those of the old limits.",
        ("bitmaps.avail", "bitmaps.full"),
        MERGED,
        "",
        "renews_flags_with_limits",
    ),
    Finding(
        "F03",
        "After limits have shrunk, kd 0's kept chain takes more than its limit.",
        ("bitmaps.avail", "limits.chain"),
        MERGED,
        "",
        "renews_flags_with_limits",
    ),
    Finding(
        "F04",
        "Relinking reads est_row of the context that it has just freed.",
        ("memory.use-after-free",),
        BEFORE_MAINLINE,
        "D07",
        "relinked_delay_from_loop",
    ),
    Finding(
        "F05",
        "At the thread limit a hole in est_kt_arr is not used again, and estimators wait.",
        ("progress.room",),
        MERGED,
        "",
        "thread_limit_counts_contexts",
    ),
    Finding(
        "F06",
        "Netns exit takes est_cpulist away without est_mutex, while the reload work may use it.",
        ("locks.est-fields",),
        MERGED,
        "",
        "frees_cpulist_under_est_mutex",
    ),
    Finding(
        "F07",
        "The first service sets est_stopped and requests a restart without est_mutex.",
        ("locks.est-fields",),
        BEFORE_MAINLINE,
        "D04",
        "est_mutex_at_enable",
    ),
    Finding(
        "F08",
        "Netns exit takes the total off its list without the service mutex.",
        ("locks.lists", "locks.service-fields"),
        BEFORE_MAINLINE,
        "D08",
        "total_stopped_under_service_mutex",
    ),
    Finding(
        "F09",
        "A service whose estimator does not start is undone through a cleared scheduler.",
        ("memory.pointer",),
        ONLY_V7,
        "D09",
        "unbinds_scheduler_once",
    ),
    Finding(
        "F10",
        "After an aborted first calc phase kthread 0 fills rows with all limits 0, past the last.",
        ("bitmaps.in-range",),
        BEFORE_STABLE,
        "D01",
        "returns_after_aborted_calc_phase",
    ),
    Finding(
        "F11",
        "est_add_ktid goes on naming a hole when a kthread behind the hole gets room.",
        ("array.add-ktid-usable",),
        MERGED,
        "",
        "stop_prefers_room_to_holes",
    ),
    Finding(
        "F12",
        "A total that found no memory is overtaken by later estimators, which fill kd 0.",
        ("place.total",),
        MERGED,
        "",
        "drain_takes_total_first",
    ),
    Finding(
        "F13",
        "After netns exit has begun kthread 0 adds contexts beyond the thread limit.",
        ("limits.published",),
        MERGED,
        "",
        "thread_limit_when_disabled",
    ),
    Finding(
        "F14",
        "After an aborted first calc phase kthread 0 enqueues with all limits 0.",
        ("limits.known", "limits.kthread", "limits.tick"),
        BEFORE_STABLE,
        "D01",
        "returns_after_aborted_calc_phase",
    ),
    Finding(
        "F15",
        "Each restart makes a sleeping kthread skip a row, and its revolution 3 ticks shorter.",
        ("delay.closest",),
        MERGED,
        "",
        "keeps_row_when_stopped_in_sleep",
    ),
    Finding(
        "F21",
        "A context that is left without estimators keeps its limits when new ones are applied.",
        ("limits.computed",),
        MERGED,
        "",
        "limits_for_every_context",
    ),
    Finding(
        "F22",
        "Relinking the only estimator, from a kd above 0, stops kthread 0 until one more is added.",
        ("progress.recalculation", "progress.tasks"),
        ("mainline",),
        "",
        "relinking_keeps_kd0_needed",
    ),
    Finding(
        "F23",
        "Relinking the only estimator, from a kd above 0, lets kthread 0 wait for its own exit.",
        ("locks.deadlock",),
        BEFORE_MAINLINE,
        "",
        "kd0_until_exit",
        sign=Sign("locks.deadlock", waits=(Waits("ipvs-e:0", of="exit of ipvs-e:0"),)),
    ),
    Finding(
        "F25",
        "A context that is left without estimators is not started again after a calc phase.",
        ("progress.tasks",),
        MERGED,
        "",
        "starts_contexts_left",
    ),
    Finding(
        "F26",
        "Estimators that wait when the first service comes get kthreads beyond the thread limit.",
        ("limits.threads",),
        BEFORE_MAINLINE,
        "",
        "est_mutex_at_enable",
    ),
)


@dataclass(frozen=True, slots=True)
class Confirmation:
    """What a finding's history shows on one revision."""

    finding: Finding
    revision: str
    broken: tuple[str, ...]
    """Ids of the properties that fail, sorted."""
    operations: int

    @property
    def as_recorded(self) -> bool:
        """The history breaks the finding's properties exactly where it is recorded to."""
        if self.revision in self.finding.revisions:
            return set(self.finding.properties) <= set(self.broken)
        return not set(self.finding.properties) & set(self.broken)


def history_path(finding: Finding, revision: str = "") -> Path:
    """The finding's trace file; a revision may have one of its own."""
    own = _FOLDER / f"{finding.id}.{revision}.jsonl"
    return own if own.exists() else _FOLDER / f"{finding.id}.jsonl"


def history_of(finding: Finding, revision: str = "") -> History:
    """The finding's history, on that revision."""
    return read_history(history_path(finding, revision))


def watch_finding(
    finding: Finding,
    revision: Revision,
    new_oracle: NewOracle = Oracle,
    properties: frozenset[str] | None = None,
) -> WatchedHistory:
    """Run the finding's history on a revision and look at these properties; None = all."""
    history = history_of(finding, revision.name)
    return run(history.header.params, revision, history.operations, new_oracle, properties)


def confirm_all() -> Iterator[Confirmation]:
    """Every finding on every revision."""
    for finding in BY_HISTORY:
        for revision in REVISIONS.values():
            seen = watch_finding(finding, revision)
            yield Confirmation(
                finding, revision.name, tuple(sorted(seen.failures)), len(seen.operations)
            )


def explained(revision: str, property_id: str) -> bool:
    """Whether a recorded finding breaks that property on that revision."""
    return any(
        revision in finding.revisions and property_id in finding.properties
        for finding in BY_HISTORY
    )
