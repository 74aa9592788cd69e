"""Tasks: kthreads, the reload work and control processes (semantics sections 8, 9, 15)."""

from dataclasses import dataclass, field
from enum import Enum
from typing import TYPE_CHECKING

from ipvs_est.machine.locks import Mutex
from ipvs_est.machine.memory import HeapObject
from ipvs_est.machine.points import Body, FieldAccess

if TYPE_CHECKING:
    from ipvs_est.state.kthread_context import KthreadContext


class TaskState(Enum):
    """What a task does or waits for."""

    NEW = "new"
    """Created and woken, its function not yet entered."""
    RUNNABLE = "runnable"
    RUNNING = "running"
    SLEEPING = "sleeping"
    BLOCKED = "blocked"
    """Waits for a mutex."""
    JOINING = "joining"
    """Waits for another task's exit."""
    EXITED = "exited"


@dataclass(slots=True, eq=False)
class Task(HeapObject):
    """One thread of control, with its generator."""

    name: str = ""
    rank: int = 0
    """Schedule order among runnable tasks: lower first (recordings, rule 2)."""
    age: int = 0
    """Order of creation; decides among equal ranks."""
    kd: "KthreadContext | None" = None
    """The context that a kthread works on; None for other tasks."""
    body: Body | None = None
    """Its function, made by the driver when the task first runs."""
    state: TaskState = TaskState.NEW
    should_stop: bool = False
    """`kthread_stop` was called."""
    wake_at: int = 0
    """When SLEEPING: jiffies since boot, not wrapped."""
    sleep_ticket: int = 0
    """Counts the sleeps, so that a stale wake-up is recognised."""
    waits_for: "Mutex | Task | None" = None
    joiners: "list[Task]" = field(default_factory=list)
    references: int = 0
    """References beyond the one that a task holds on itself until it exits."""
    nice: int = 0
    cpus: frozenset[int] = frozenset()
    """CPU affinity."""

    def describe(self) -> str:
        return f"task {self.name}"


def reads_stop_request(task: Task) -> FieldAccess:
    """The point before the task looks whether it is asked to stop (kthread_should_stop)."""
    return FieldAccess(task, "should_stop", write=False)


def asked_to_stop(task: Task) -> bool:
    """Whether the task is asked to stop by now: that may have changed since it last waited."""
    return task.should_stop
