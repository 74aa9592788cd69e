"""Running functions of the model by hand: machines made for a test."""

from collections.abc import Callable, Generator, Iterable
from dataclasses import dataclass
from heapq import heappush
from typing import TypeVar, assert_never

from ipvs_est import MAINLINE, Params, Revision
from ipvs_est.estimator.enqueue import enqueue
from ipvs_est.estimator.kthread_tasks import exit_task, start_kthread
from ipvs_est.language.revision import MERGED
from ipvs_est.machine.hlist import add_head, nodes
from ipvs_est.machine.memory import HeapObject, Life
from ipvs_est.machine.points import (
    Barrier,
    Body,
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
from ipvs_est.machine.tasks import Task, TaskState
from ipvs_est.sequential import Sequential
from ipvs_est.state.kthread_context import KthreadContext, new_context
from ipvs_est.state.machine import Machine, allocate, boot, jiffies
from ipvs_est.state.stats import TEMP_LIST_KTID, Estimator, StatsObject

SMALL = Params(hz=100, nticks=5, chain_factor=3, est_cost_ns=23750)
"""A tick is 2*100/5 = 40 jiffies and has 3 chains; a pause of the limits test is 2 jiffies."""
NEW = 4
"""The delay that a new estimator wants in `SMALL`: its 5 ticks less 1."""
DEFAULT = Params(hz=100)
"""50 rows; a tick is 2*100/50 = 4 jiffies."""
ALL = MERGED

# Running a function of the model by hand

LOCK_SERVICE, UNLOCK_SERVICE = "lock __ip_vs_mutex", "unlock __ip_vs_mutex"
LOCK_EST, UNLOCK_EST = "lock est_mutex", "unlock est_mutex"
RCU_LOCK, RCU_UNLOCK = "lock rcu", "unlock rcu"
GIVE_WAY = "give way"
MAX_POINTS = 5000
"""More than any body yields here."""

T = TypeVar("T")
Action = Callable[[], object]


@dataclass(slots=True)
class Others:
    """What other tasks do meanwhile: an action just before the nth point of that name."""

    point: str
    nth: int
    action: Action
    seen: int = 0

    def before(self, name: str) -> None:
        """The body is about to perform this point."""
        if name == self.point:
            self.seen += 1
            if self.seen == self.nth:
                self.action()


def run(
    machine: Machine,
    body: Generator[Point, None, T],
    *others: Others,
    task: Task | None = None,
) -> tuple[list[str], T]:
    """The names of the points that `body` yields until it returns, and what it returns.

    No mutex is contended, and none is held at the end. `task` is the one that runs: asked to
    stop, it does not sleep.
    """
    myself = task or Task(name="test")
    names: list[str] = []
    while len(names) < MAX_POINTS:
        try:
            point = next(body)
        except StopIteration as finished:
            result: T = finished.value
            assert myself not in (machine.service_mutex.owner, machine.netns.est_mutex.owner)
            return names, result
        names.append(name_of(point))
        for other in others:
            other.before(names[-1])
        perform(machine, myself, point)
    raise AssertionError("endless")


def points(
    machine: Machine,
    body: Generator[Point, None, object],
    *others: Others,
    task: Task | None = None,
) -> list[str]:
    """The names of the points that `body` yields until it returns."""
    return run(machine, body, *others, task=task)[0]


def name_of(point: Point) -> str:
    match point:
        case Lock(mutex):
            return f"lock {mutex.name}"
        case Unlock(mutex):
            return f"unlock {mutex.name}"
        case Sleep(jiffies):
            return f"sleep {jiffies}"
        case Stop(task):
            return f"stop {task.name}"
        case Join(task):
            return f"join {task.name}"
        case Start(task):
            return f"start {task.name}"
        case QueueWork(delay):
            return f"queue {delay}"
        case CancelWork():
            return "cancel"
        case GiveWay():
            return GIVE_WAY
        case RcuReadLock():
            return RCU_LOCK
        case RcuReadUnlock():
            return RCU_UNLOCK
        case WordAccess(_, word):
            return f"word {word}"
        case FieldAccess(_, field):
            return f"field {field}"
        case Barrier(full):
            return "smp_mb" if full else "smp_wmb"
        case _:
            assert_never(point)


def perform(machine: Machine, myself: Task, point: Point) -> None:
    match point:
        case Lock(mutex):
            assert mutex.owner is None
            mutex.owner = myself
        case Unlock(mutex):
            assert mutex.owner is myself
            mutex.owner = None
        case Sleep(jiffies) if not myself.should_stop:
            machine.now += jiffies
        case Stop(task):
            task.should_stop = True
        case Join(task) if task.state is not TaskState.EXITED:
            assert task.should_stop
            exit_task(machine, task)
        case _:
            pass


# Machines made by hand


def small(revision: Revision = MAINLINE, params: Params = SMALL) -> Machine:
    """A machine on which a service has enabled estimation; no context yet."""
    machine = boot(params, revision)
    machine.netns.enable = True
    machine.netns.est_max_threads = 4
    return machine


def put_kd(machine: Machine, chain_max: int = 200) -> KthreadContext:
    """A new context in the next slot, without task and calc_stats."""
    netns = machine.netns
    kd = new_context(machine.params, netns.est_kt_count, jiffies(machine), chain_max)
    kd.needed = True
    assert allocate(machine, kd)
    netns.est_kt_arr.append(kd)
    return kd


def new_estimator(machine: Machine, object_id: int) -> Estimator:
    """The unlinked estimator of a new object."""
    stats = StatsObject(id=object_id)
    assert allocate(machine, stats)
    stats.est.ktid = TEMP_LIST_KTID
    stats.est.ktrow = machine.params.nticks - 1
    return stats.est


def place(machine: Machine, kd: KthreadContext, object_id: int, delay: int = NEW) -> Estimator:
    """A new object's estimator in that row of a context whose est_row and add_row are 0."""
    est = new_estimator(machine, object_id)
    est.ktrow = delay
    assert enqueue(machine, kd, est) == 0
    assert est.ktrow == delay
    return est


def wait(machine: Machine, object_id: int) -> Estimator:
    """A new object's estimator at the head of the temp list."""
    est = new_estimator(machine, object_id)
    add_head(machine.netns.est_temp_list, est)
    return est


def start_task(machine: Machine, kd: KthreadContext) -> Task:
    """kd's task, started."""
    assert run(machine, start_kthread(machine, kd))[1] == 0
    assert kd.task is not None
    return kd.task


def life(thing: HeapObject) -> Life:
    """Where it is in its life now."""
    return thing.life


def ids(estimators: Iterable[Estimator]) -> list[int]:
    return [est.stats.id for est in estimators]


def temp_list(machine: Machine) -> list[int]:
    """Ids on the temp list from head to tail."""
    return ids(nodes(machine.netns.est_temp_list))


def ask_to_stop(task: Task) -> Action:
    def action() -> None:
        task.should_stop = True

    return action


def disable(machine: Machine) -> Action:
    def action() -> None:
        machine.netns.enable = False

    return action


def begin(sequential: Sequential, name: str, rank: int, body: Body) -> Task:
    """A task that is runnable."""
    task = Task(name=name, rank=rank, body=body, state=TaskState.RUNNABLE)
    heappush(sequential.runnable, (rank, 0, task))
    return task
