"""Tasks: those of kthreads, the holders of mutexes, and the workers."""

from dataclasses import dataclass

from ipvs_est.answers.snapshot import TaskSnapshot
from ipvs_est_checks.live.memory.layout import Layout, has_field, offset_of
from ipvs_est_checks.live.memory.protocol import Kernel, symbol
from ipvs_est_checks.live.memory.unreadable import TornError
from ipvs_est_checks.live.reading.machine import read_cpumask
from ipvs_est_checks.live.reading.structs import Structs

KTHREAD_NAME = "ipvs-e:"
"""Names of the estimator's kthreads begin so."""
_NAME = 16
_NICE_0 = 120
"""static_prio of nice 0."""
_OWNER_FLAGS = 7
"""Bits of a mutex's owner that belong to the mutex."""
_RUNNING = 0
_UNINTERRUPTIBLE = 2
_NEW = 0x800
_WORKER = 0x20
"""PF_WQ_WORKER in a task's flags."""
_MOST_TASKS = 1 << 22


@dataclass(frozen=True, slots=True)
class TaskTimes:
    """What a task has used."""

    cpu: int
    """Where it ran last."""
    runtime_ns: int
    """On all CPUs, since it was created."""


class TaskReader:
    """Reads task_structs. Its methods raise UnreadableError."""

    def __init__(self, kernel: Kernel, structs: Structs, cpus: int) -> None:
        self._kernel = kernel
        self._structs = structs
        self._cpus = cpus

    def kthread(self, ktid: int, at: int) -> tuple[TaskSnapshot, TaskTimes]:
        """The task that a context points to."""
        structs, memory = self._structs, self._kernel.memory
        raw = memory.read(at, structs.task.size)
        state, exited, priority, mask, private, references, runtime, cpu, _ = structs.task.values(
            raw
        )
        name = _text(raw, structs.task_comm)
        # Freed memory holds no references, or belongs to another task by now.
        freed = references <= 0 or not name.startswith(KTHREAD_NAME)
        stop = False
        if private and not freed:
            flags = memory.read(private, structs.kthread.size)
            stop = bool(structs.kthread.values(flags)[0] >> structs.kthread_stop & 1)
        snapshot = TaskSnapshot(
            ktid=ktid,
            state=_state(state, exited),
            should_stop=stop,
            wake_at=None,
            waits_for=None,
            nice=max(-20, min(19, priority - _NICE_0)),
            cpus=() if freed else read_cpumask(memory, mask, self._cpus),
            life="freed" if freed else "live",
            references=max(0, references - 1),
        )
        return snapshot, TaskTimes(cpu, runtime)

    def has_exited(self, at: int) -> bool:
        """Whether the task has an exit state."""
        raw = self._kernel.memory.read(at, self._structs.task.size)
        return self._structs.task.values(raw)[1] != 0

    def owner(self, owner: int) -> str | None:
        """Who holds a mutex, by name and pid; None: nobody."""
        at = owner & ~_OWNER_FLAGS
        if not at:
            return None
        structs = self._structs
        raw = self._kernel.memory.read(at, structs.task.size)
        return f"{_text(raw, structs.task_comm)}/{structs.task.values(raw)[-1]}"

    def works_on(self, work: int) -> bool:
        """Whether a worker is at that work item now."""
        types, memory = self._kernel.types, self._kernel.memory
        head = symbol(self._kernel, "init_task")
        if head is None or not has_field(types, "worker", "current_work"):
            raise TornError("the kernel does not tell what its workers do")
        task = Layout(types, "task_struct", ("flags", "worker_private", "tasks.next"))
        kthread = Layout(types, "kthread", ("data",))
        worker = Layout(types, "worker", ("current_work",))
        tasks = offset_of(types, "task_struct", "tasks")
        at = head
        for _ in range(_MOST_TASKS):
            flags, private, following = task.values(memory.read(at, task.size))
            if flags & _WORKER and private:
                (data,) = kthread.values(memory.read(private, kthread.size))
                if data and worker.values(memory.read(data, worker.size))[0] == work:
                    return True
            at = following - tasks
            if at == head:
                return False
        raise TornError("a list of tasks without end")


def _text(raw: bytes, at: int) -> str:
    return raw[at : at + _NAME].split(b"\0")[0].decode("ascii", "replace")


def _state(state: int, exited: int) -> str:
    if exited:
        return "exited"
    if state == _RUNNING:
        return "runnable"
    if state & _NEW:
        return "new"
    return "blocked" if state & _UNINTERRUPTIBLE and not state & ~_UNINTERRUPTIBLE else "sleeping"
