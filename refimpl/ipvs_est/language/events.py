"""The event record: what happened to estimators and tasks, when and in which row."""

from dataclasses import dataclass
from typing import ClassVar

from ipvs_est.language.counters import Group


@dataclass(frozen=True, slots=True)
class Enqueued:
    """An estimator was linked into a chain (semantics section 5)."""

    kind: ClassVar[str] = "enqueued"
    jiffies: int
    """Since boot, not wrapped; so in every event."""
    id: int
    """Id of the stats object."""
    ktid: int
    row: int
    est_row: int
    """The kd's est_row at that moment."""
    delay: int
    """The wanted delay in ticks."""
    crow: int
    """The wanted row."""
    avail: int
    """The kd's bitmap before the choice."""


@dataclass(frozen=True, slots=True)
class Estimated:
    """An estimator was estimated by its kthread (section 8)."""

    kind: ClassVar[str] = "estimated"
    jiffies: int
    id: int
    ktid: int
    row: int


@dataclass(frozen=True, slots=True)
class Relinked:
    """The calc phase moved an estimator to the temp list (section 11)."""

    kind: ClassVar[str] = "relinked"
    jiffies: int
    id: int
    ktid: int
    row: int
    est_row: int
    """The kd's est_row at that moment."""
    delay: int
    """The delay in ticks that it will want."""


@dataclass(frozen=True, slots=True)
class Started:
    """An estimator entered the temp list (section 4)."""

    kind: ClassVar[str] = "started"
    jiffies: int
    id: int


@dataclass(frozen=True, slots=True)
class Stopped:
    """An estimator left its list for good (section 7)."""

    kind: ClassVar[str] = "stopped"
    jiffies: int
    id: int


@dataclass(frozen=True, slots=True)
class TaskStarted:
    """A kthread's task was created and woken (section 9)."""

    kind: ClassVar[str] = "task-started"
    jiffies: int
    ktid: int
    enable: bool
    """`enable` at that moment."""


@dataclass(frozen=True, slots=True)
class TaskExited:
    """A task ended (sections 8, 9)."""

    kind: ClassVar[str] = "task-exited"
    jiffies: int
    task: str


@dataclass(frozen=True, slots=True)
class ContextAdded:
    """A kthread context was published (section 6)."""

    kind: ClassVar[str] = "context-added"
    jiffies: int
    ktid: int
    contexts: int
    """Contexts then, the new one included."""
    max_threads: int
    """`est_max_threads` then; 0 = no limit yet."""


@dataclass(frozen=True, slots=True)
class RelinkingBegun:
    """The calc phase holds the service mutex and empties the chains (section 11)."""

    kind: ClassVar[str] = "relinking-begun"
    jiffies: int


@dataclass(frozen=True, slots=True)
class RelinkingEnded:
    """The calc phase has relinked all, or has given up (section 11)."""

    kind: ClassVar[str] = "relinking-ended"
    jiffies: int


@dataclass(frozen=True, slots=True)
class LimitsComputed:
    """A calc phase was completed (section 11)."""

    kind: ClassVar[str] = "limits-computed"
    jiffies: int
    chain_max: int


@dataclass(frozen=True, slots=True)
class StartReturned:
    """Starting an estimator has answered (section 4)."""

    kind: ClassVar[str] = "start-returned"
    jiffies: int
    id: int
    new: bool
    """Its stats object is a new one; else it comes from the trash."""
    error: int
    """0 or -errno."""
    linked: bool
    """The node is on a list."""


@dataclass(frozen=True, slots=True)
class DestTaken:
    """A destination was taken out of the trash, and adding it has ended (section 13)."""

    kind: ClassVar[str] = "dest-taken"
    jiffies: int
    id: int
    error: int
    """0 or -errno."""
    in_service: bool
    in_trash: bool


@dataclass(frozen=True, slots=True)
class ReadingBegun:
    """A kthread begins to read the counters of an object, word by word (section 3, 32-bit)."""

    kind: ClassVar[str] = "reading-begun"
    jiffies: int
    id: int


@dataclass(frozen=True, slots=True)
class Averaged:
    """The counters of an object were read and its rates renewed (section 3)."""

    kind: ClassVar[str] = "averaged"
    jiffies: int
    id: int
    last: Group
    """The sums from which the new rates are taken."""
    sums: Group
    before: Group
    """The averages before, scaled."""
    after: Group


@dataclass(frozen=True, slots=True)
class Counted:
    """A writer has left its section after counting on one CPU (section 3)."""

    kind: ClassVar[str] = "counted"
    jiffies: int
    id: int
    cpu: int
    steps: Group
    """What it added."""


@dataclass(frozen=True, slots=True)
class LimitsMeasured:
    """A limits test has ended (section 11)."""

    kind: ClassVar[str] = "limits-measured"
    jiffies: int
    chain_max: int
    """Its answer."""
    min_est: int
    """The cheapest estimation seen, ns; 0 = none was measured."""
    max_threads: int
    """`est_max_threads` then."""
    cpus: int
    """How many CPUs kthreads may use then."""


@dataclass(frozen=True, slots=True)
class ExitBegun:
    """Netns exit begins (section 14)."""

    kind: ClassVar[str] = "exit-begun"
    jiffies: int


@dataclass(frozen=True, slots=True)
class ExitEnded:
    """Netns exit has ended; what follows is another netns."""

    kind: ClassVar[str] = "exit-ended"
    jiffies: int


@dataclass(frozen=True, slots=True)
class CpulistWritten:
    """A process is about to set est_cpulist (section 12); CPU sets are bitmaps."""

    kind: ClassVar[str] = "cpulist-written"
    jiffies: int
    parsed: int
    """CPUs that its text names."""
    allowed: int
    """CPUs that the process itself may use."""
    mask: int
    """CPUs that it sets."""


@dataclass(frozen=True, slots=True)
class CalcPhaseRequested:
    """A write to est_cpulist has stored all values and set `est_calc_phase`, and requests a
    restart: `enable` is set (sections 9, 12)."""

    kind: ClassVar[str] = "calc-phase-requested"
    jiffies: int


@dataclass(frozen=True, slots=True)
class CalcPhaseBegun:
    """Kthread 0 has read `est_genid`, which it compares at the end (section 11)."""

    kind: ClassVar[str] = "calc-phase-begun"
    jiffies: int


@dataclass(frozen=True, slots=True)
class CpulistSet:
    """est_cpulist has a new value; est_mutex is still held (section 12)."""

    kind: ClassVar[str] = "cpulist-set"
    jiffies: int
    calc_phase: bool
    """`est_calc_phase` then."""


@dataclass(frozen=True, slots=True)
class SysctlWritten:
    """A write to est_nice or run_estimation has stored its value; est_mutex is still held
    (section 12)."""

    kind: ClassVar[str] = "sysctl-written"
    jiffies: int
    sysctl: str
    """Which of the two."""
    written: int
    """The number written last: this write's, or what est_mutex has found if it gives none."""
    value: int
    """The sysctl's value then."""


@dataclass(frozen=True, slots=True)
class Guarded:
    """Values of fields that a mutex guards (section 15)."""

    est: tuple[int, ...]
    """Under est_mutex: genid, est_max_threads, cpulist valid, cpulist as a bitmap (-1: its memory
    was freed), nice, est_stopped, run_estimation."""
    service: tuple[int, ...]
    """Under the service mutex: est_add_ktid and the array, by slot: -1 = empty, else a number
    that no other kd has."""
    calc_phase: bool
    """`est_calc_phase`, which no mutex guards."""
    alone: bool
    """It is a control process that runs, and no kthread and no reload work is alive."""


@dataclass(frozen=True, slots=True)
class Resumed:
    """A driver lets a task run on."""

    kind: ClassVar[str] = "resumed"
    jiffies: int
    task: str
    ktid: int | None
    """The kthread's id; None for other tasks."""
    guarded: Guarded


@dataclass(frozen=True, slots=True)
class Paused:
    """A task runs no further: it waits or has returned."""

    kind: ClassVar[str] = "paused"
    jiffies: int
    task: str
    ktid: int | None
    guarded: Guarded
    mutex: str | None
    """It waits for this mutex."""
    exit_of: int | None
    """It waits for the exit of the kthread with this id."""
    asked: bool
    """That kthread was asked to stop."""
    sleeps: bool
    """It waits for time to pass."""


@dataclass(frozen=True, slots=True)
class LockTaken:
    """A task has become the owner of a mutex."""

    kind: ClassVar[str] = "lock-taken"
    jiffies: int
    task: str
    ktid: int | None
    guarded: Guarded
    mutex: str


@dataclass(frozen=True, slots=True)
class LockReleased:
    """A task has released a mutex."""

    kind: ClassVar[str] = "lock-released"
    jiffies: int
    task: str
    ktid: int | None
    guarded: Guarded
    mutex: str


Event = (
    Enqueued
    | Estimated
    | Relinked
    | Started
    | Stopped
    | TaskStarted
    | TaskExited
    | ContextAdded
    | RelinkingBegun
    | RelinkingEnded
    | LimitsComputed
    | StartReturned
    | DestTaken
    | ReadingBegun
    | Averaged
    | Counted
    | LimitsMeasured
    | ExitBegun
    | ExitEnded
    | CpulistWritten
    | CalcPhaseRequested
    | CalcPhaseBegun
    | CpulistSet
    | SysctlWritten
    | Resumed
    | Paused
    | LockTaken
    | LockReleased
)
