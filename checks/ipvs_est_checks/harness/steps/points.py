"""Which scheduling points the model and the kernel's code share, and why some are on one side only.

The kernel's points are those of the harness: at mutexes, stops, sleeps, work and cond_resched, and
at each access to a shared field. A place is such a point in words, as the program tells it: what
is about to happen, and to what. Places of both sides that mean the same are a common point.
"""

from dataclasses import dataclass

from ipvs_est.machine.points import (
    Barrier,
    CancelWork,
    FieldAccess,
    GiveWay,
    Join,
    Lock,
    Point,
    QueueWork,
    RcuReadLock,
    RcuReadUnlock,
    Sleep,
    Start,
    Stop,
    Unlock,
    WordAccess,
)
from ipvs_est.machine.tasks import TaskState

SERVICE_MUTEX = "__ip_vs_mutex"
"""The program's name of the service mutex, whichever the tree has."""
EXITED = "exited"
"""Of a task that is no more."""
WAITS = "wait"
"""Of netns exit, which waits for who uses the netns or writes to a sysctl."""
SHOULD_STOP = "read should_stop"
_MUTEXES = {
    "service_mutex": SERVICE_MUTEX,
    "__ip_vs_mutex": SERVICE_MUTEX,
    "est_mutex": "est_mutex",
}


@dataclass(frozen=True, slots=True)
class FieldRow:
    """The model's points at one field."""

    field: str
    """The point's, as the model has it."""
    write: bool
    place: str
    """The kernel's, where both stop; empty: only the model does."""
    why: str = ""
    """Why only the model stops there."""


_IN_ONE_STEP = "the harness, which stands for the task, does all of it in one step"
_UNDER_L = "under the stats lock, of which the model has one point: code there is not switched"
_NO_NAME = "the harness knows no fields inside struct ip_vs_estimator: what is read is not told"
FIELDS: tuple[FieldRow, ...] = (
    FieldRow("enable", False, "read once enable"),
    FieldRow("enable", True, "write once enable"),
    FieldRow("est_max_threads", False, "read est_max_threads"),
    FieldRow("est_max_threads", True, "write est_max_threads"),
    FieldRow("est_calc_phase", False, "read est_calc_phase"),
    FieldRow("est_calc_phase", True, "write est_calc_phase"),
    FieldRow("est_temp_list", False, "read once est_temp_list"),
    FieldRow("est_temp_list", True, "", _NO_NAME),
    FieldRow("est_genid", False, "read once est_genid"),
    FieldRow("est_genid", True, "write once est_genid"),
    FieldRow("est_stopped", False, "read est_stopped"),
    FieldRow("est_stopped", True, "write est_stopped"),
    FieldRow("run_estimation", False, "read sysctl_run_estimation"),
    FieldRow("run_estimation", True, "write sysctl_run_estimation"),
    FieldRow("est_nice", False, "read sysctl_est_nice"),
    FieldRow("est_cpulist_valid", False, "read est_cpulist_valid"),
    FieldRow("est_cpulist_valid", True, "write est_cpulist_valid"),
    FieldRow("est_cpulist", False, "read sysctl_est_cpulist"),
    FieldRow("est_cpulist", True, "read sysctl_est_cpulist"),
    FieldRow("est_kt_count", False, "read est_kt_count"),
    FieldRow("tick_len", False, "read tick_len"),
    FieldRow("ticks", False, "read once ticks"),
    FieldRow("present", False, "read present"),
    FieldRow("chains", False, "read once chains"),
    FieldRow("list", False, "", _NO_NAME),
    FieldRow("list", True, "", _NO_NAME),
    FieldRow("ktid", False, "", _NO_NAME),
    FieldRow("ktid", True, "", _NO_NAME),
    FieldRow("est_row", False, "", "enqueueing reads it only for an estimator that has a delay"),
    FieldRow("est_row", True, "write once est_row"),
    FieldRow("kstats", False, "", _UNDER_L),
    FieldRow("kstats", True, "", _UNDER_L),
    FieldRow("cpustats", False, "", "per-CPU memory is read without calls of the runtime"),
    FieldRow("cpustats", True, "", _IN_ONE_STEP),
    FieldRow("objects", False, "", _IN_ONE_STEP),
    FieldRow("should_stop", False, SHOULD_STOP),
)
_PLACES = {(field.field, field.write): field.place for field in FIELDS}
WITH_SYSCTL = frozenset(
    {"est_stopped", "run_estimation", "est_nice", "est_cpulist", "est_cpulist_valid"}
)
"""Fields that a kernel without sysctls does not have."""

_BY_S = "the service mutex excludes all others; or the model's step has all of it"
_BY_E = "est_mutex excludes all others; or it was no point for the model, being guarded by it"
KERNEL_ONLY: dict[str, str] = {
    **dict.fromkeys(("avail", "full", "chain_len", "est_count", "est_max_count"), _BY_S),
    **dict.fromkeys(("chain_max", "tick_max", "add_row", "est_add_ktid", "est_kt_arr"), _BY_S),
    **dict.fromkeys(("est", "kstats", "kstats0", "cpustats", "tot_stats", "lock"), _UNDER_L),
    **dict.fromkeys(("task", "needed", "est_genid_done", "sysctl_est_cpulist"), _BY_E),
    **dict.fromkeys(("id", "ipvs", "calc_stats", "est_chain_max"), "constant while others look"),
    "est_timer": "its kthread's own",
}
"""Fields at which only the code stops, and why."""
_CODES_OF_COMMON = frozenset(field.place.split()[-1] for field in FIELDS if field.place)
PASSED_WORDS: dict[str, str] = {
    "begin": "an operation begins with the step before: nothing comes between",
    "unlocked": "a left mover: until the task's next point it only lets others go on",
    "cond_resched": "in the limits test, where others who run meanwhile are seen at the next pause",
}
"""Points of the code that are none of the model, by how their places begin."""


def place_of(point: Point, *, sysctl: bool) -> str | None:
    """Where the code stands when a task of the model stands at this point; None: the code does not
    stop there, and the model is to go on, if it can."""
    match point:
        case Lock(mutex):
            return f"lock {_MUTEXES[mutex.name]}" if mutex.name in _MUTEXES else None
        case Sleep():
            return "sleep"
        case Stop(task):
            return f"stop {task.name}"
        case Join(task):
            return None if task.state is TaskState.EXITED else "join"
        case QueueWork():
            return "queue_work est_reload_work"
        case CancelWork():
            return "cancel_work est_reload_work"
        case GiveWay(where):
            return None if where == "u64_stats_fetch_retry" else "cond_resched"
        case FieldAccess(field=field, write=write):
            if not sysctl and field in WITH_SYSCTL:
                return None
            return _PLACES[field, write] or None
        case Start() | WordAccess() | RcuReadLock() | RcuReadUnlock() | Unlock() | Barrier():
            return None


def may_be_passed(place: str) -> bool:
    """Whether the table says why the code stands at this place on the way to a common point."""
    word, _, thing = place.partition(" ")
    field = thing.split()[-1] if thing else ""
    return word in PASSED_WORDS or field in KERNEL_ONLY or field in _CODES_OF_COMMON
