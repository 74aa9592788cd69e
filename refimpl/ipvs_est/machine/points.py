"""Scheduling points: what a task yields when it waits for something or others may notice it.

A driver performs what a point asks for and resumes the task when it may go on:
LOCK after it became the owner, SLEEP when the time is over or a stop was asked for,
JOIN when the other task has exited. All other points never wait. The sequential
driver (docs/reference/recordings.md, "The schedule") ends a slice only where a task waits.
"""

from collections.abc import Generator
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from ipvs_est.machine.locks import Mutex
    from ipvs_est.machine.memory import HeapObject
    from ipvs_est.machine.tasks import Task


@dataclass(frozen=True, slots=True)
class Lock:
    """mutex_lock."""

    mutex: "Mutex"


@dataclass(frozen=True, slots=True)
class Unlock:
    """mutex_unlock."""

    mutex: "Mutex"


@dataclass(frozen=True, slots=True)
class Sleep:
    """Sleep that many jiffies, or until asked to stop."""

    jiffies: int
    where: str


@dataclass(frozen=True, slots=True)
class Stop:
    """Ask the task to stop and wake it (first half of kthread_stop)."""

    task: "Task"


@dataclass(frozen=True, slots=True)
class Join:
    """Wait until the task has exited (second half of kthread_stop)."""

    task: "Task"


@dataclass(frozen=True, slots=True)
class Start:
    """Make a new task runnable (wake_up_process)."""

    task: "Task"


@dataclass(frozen=True, slots=True)
class QueueWork:
    """queue_delayed_work for the reload work; nothing if it is pending already, or is being
    cancelled."""

    delay: int
    """Jiffies."""


@dataclass(frozen=True, slots=True)
class CancelWork:
    """cancel_delayed_work_sync: drop pending reload work, wait for a running instance.

    Until the task goes on the work cannot be queued.
    """


@dataclass(frozen=True, slots=True)
class GiveWay:
    """cond_resched or cond_resched_rcu: others may run; with rcu, a grace period may end."""

    where: str
    rcu: bool


@dataclass(frozen=True, slots=True)
class RcuReadLock:
    """rcu_read_lock."""


@dataclass(frozen=True, slots=True)
class RcuReadUnlock:
    """rcu_read_unlock."""


@dataclass(frozen=True, slots=True)
class WordAccess:
    """The next step reads or writes one 32-bit word of a CPU's counters."""

    cpu: int
    word: int
    """Index of the word; see `ipvs_est.seqcount`."""
    write: bool


@dataclass(frozen=True, slots=True)
class FieldAccess:
    """The next step reads or writes a field that tasks share without a common lock.

    Yielded only while the machine is `interleaved`. Between two points a task accesses at
    most one such field, unless a comment there says why more make no difference.
    """

    thing: "HeapObject | None"
    """Whose field; None = the netns."""
    field: str
    write: bool


@dataclass(frozen=True, slots=True)
class Barrier:
    """A memory barrier by itself. Yielded only while the machine is `interleaved`."""

    full: bool
    """smp_mb; else smp_wmb, which orders stores alone."""


Point = (
    Lock
    | Unlock
    | Sleep
    | Stop
    | Join
    | Start
    | QueueWork
    | CancelWork
    | GiveWay
    | RcuReadLock
    | RcuReadUnlock
    | WordAccess
    | FieldAccess
    | Barrier
)

Body = Generator[Point, None, None]
"""A task's function."""

Call = Generator[Point, None, int]
"""A function that may wait; answers 0 or -errno."""

RCU_READ_LOCK = RcuReadLock()
RCU_READ_UNLOCK = RcuReadUnlock()
CANCEL_WORK = CancelWork()
SMP_MB = Barrier(full=True)
SMP_WMB = Barrier(full=False)

READ_ENABLE = FieldAccess(None, "enable", write=False)
WRITE_ENABLE = FieldAccess(None, "enable", write=True)
READ_CALC_PHASE = FieldAccess(None, "est_calc_phase", write=False)
WRITE_CALC_PHASE = FieldAccess(None, "est_calc_phase", write=True)
READ_GENID = FieldAccess(None, "est_genid", write=False)
COUNT_GENID = FieldAccess(None, "est_genid", write=True)
"""atomic_inc: reads and writes it in one indivisible step, whoever holds which mutex."""
READ_KT_COUNT = FieldAccess(None, "est_kt_count", write=False)
READ_MAX_THREADS = FieldAccess(None, "est_max_threads", write=False)
WRITE_MAX_THREADS = FieldAccess(None, "est_max_threads", write=True)
READ_STOPPED = FieldAccess(None, "est_stopped", write=False)
WRITE_STOPPED = FieldAccess(None, "est_stopped", write=True)
READ_NICE = FieldAccess(None, "est_nice", write=False)
READ_RUN_ESTIMATION = FieldAccess(None, "run_estimation", write=False)
WRITE_RUN_ESTIMATION = FieldAccess(None, "run_estimation", write=True)
READ_CPULIST_VALID = FieldAccess(None, "est_cpulist_valid", write=False)
WRITE_CPULIST_VALID = FieldAccess(None, "est_cpulist_valid", write=True)
READ_CPULIST = FieldAccess(None, "est_cpulist", write=False)
WRITE_CPULIST = FieldAccess(None, "est_cpulist", write=True)
READ_TEMP_LIST = FieldAccess(None, "est_temp_list", write=False)
WRITE_TEMP_LIST = FieldAccess(None, "est_temp_list", write=True)
