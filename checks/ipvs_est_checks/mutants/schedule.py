"""Histories in which a task is interrupted at a chosen point of its function.

The sequential schedule runs a task until it waits. Here operations are applied, in the control
process's context, before a task performs its nth point of some kind: as if the task had
been preempted there. It stays where it is, with all that it holds, until they are done; the
other tasks may run. Nothing else differs, and the same generators run.
"""

from collections.abc import Callable, Generator
from dataclasses import dataclass
from functools import partial
from typing import TypeVar

from ipvs_est import Oracle, Params, Revision
from ipvs_est.answers.results import Returned
from ipvs_est.language.events import Event
from ipvs_est.language.operations import (
    Advance,
    Operation,
    SetNice,
    SetRunEstimation,
    Settle,
    WriteCpulist,
)
from ipvs_est.language.violations import Deadlock, ViolationError
from ipvs_est.machine.points import (
    Body,
    Call,
    GiveWay,
    Lock,
    Point,
    RcuReadLock,
    RcuReadUnlock,
    Unlock,
)
from ipvs_est.machine.tasks import Task
from ipvs_est.performer import function_of
from ipvs_est.state.machine import Machine, report
from ipvs_est.state.task_record import paused, resumed
from ipvs_est_checks.history.monitor import NewOracle

T = TypeVar("T")

CONTROL = "control process"
"""Name of the task in whose context operations run."""
ANOTHER = "another control process"
"""The same while it is interrupted itself."""

# More points than any task passes without waiting in a history: it goes round in circles.
ENDLESS = 20_000


@dataclass(frozen=True, slots=True)
class Interruption:
    """Operations that happen while a task stands at a point."""

    task: str
    """Its name, such as `ipvs-e:0`."""
    point: type[Point]
    name: str
    """Of the mutex, or where it gives way; '' = any."""
    nth: int
    """Which of the points that match, from 1."""
    operations: tuple[Operation, ...]
    """Of the control process itself: the passing of time, and what another one may do that needs
    no service mutex, writes to sysctls."""


class InterruptedOracle(Oracle):
    """An oracle whose tasks are interrupted as planned."""

    def __init__(self, params: Params, revision: Revision, plan: tuple[Interruption, ...]) -> None:
        super().__init__(params, revision)
        self._driver.function_of = self._interposed_function
        self._plan = plan
        self._seen = [0] * len(plan)
        self._interrupted = False
        self._calling = False

    def _call(self, body: Call) -> Returned:
        outermost, self._calling = not self._calling, True
        try:
            return super()._call(self.interposed(self._driver.caller, body))
        finally:
            if outermost:
                self._calling = False

    def _interposed_function(self, machine: Machine, task: Task) -> Body:
        return self.interposed(task, function_of(machine, task))

    def interposed(self, task: Task, body: Generator[Point, None, T]) -> Generator[Point, None, T]:
        """The task's function, interrupted where the plan says so."""
        readers = 0
        points = 0
        now = -1
        while True:
            try:
                point = next(body)
            except StopIteration as finished:
                answer: T = finished.value
                return answer
            if isinstance(point, RcuReadLock):
                readers += 1
            elif isinstance(point, RcuReadUnlock):
                readers -= 1
            points = 0 if self.machine.now != now else points + 1
            now = self.machine.now
            if points > ENDLESS:
                self._endless(task.name, point)
            may_sleep = not readers or isinstance(point, GiveWay | RcuReadLock)
            self._interrupt(task, point, may_sleep=may_sleep)
            yield point

    def _interrupt(self, task: Task, point: Point, *, may_sleep: bool) -> None:
        if self._interrupted or (self._calling and task.name != CONTROL):
            return
        for index, each in enumerate(self._plan):
            if each.task != task.name or not _matches(each, point):
                continue
            self._seen[index] += 1
            if self._seen[index] != each.nth:
                continue
            self._interrupted = True
            self._record(paused, task)
            caller = self._driver.caller
            if task is caller:
                self._driver.caller = Task(name=ANOTHER, rank=caller.rank)
            try:
                for operation in each.operations:
                    _check(operation, task.name, may_sleep=may_sleep)
                    self._apply(operation)
            finally:
                self._driver.caller = caller
                self._interrupted = False
                self._record(resumed, task)

    def _record(self, entry: Callable[[Machine, Task], Event], task: Task) -> None:
        events = self.machine.events
        if events is not None:
            events.append(entry(self.machine, task))

    def _endless(self, task: str, point: Point) -> None:
        deadlock = Deadlock((f"{task}: repeats {point} for ever",))
        report(self.machine, deadlock)
        raise ViolationError(deadlock)


def interrupted(plan: tuple[Interruption, ...]) -> NewOracle:
    """Makes oracles whose tasks are interrupted as planned."""
    return partial(InterruptedOracle, plan=plan)


def _check(operation: Operation, task: str, *, may_sleep: bool) -> None:
    if isinstance(operation, Advance) and not may_sleep:
        raise ValueError("a grace period would end inside a reader")
    alone = Advance | Settle | SetNice | SetRunEstimation | WriteCpulist
    if task == CONTROL and not isinstance(operation, alone):
        raise ValueError("the control process does one thing at a time")


def _matches(wanted: Interruption, point: Point) -> bool:
    if not isinstance(point, wanted.point):
        return False
    name = ""
    if isinstance(point, Lock | Unlock):
        name = point.mutex.name
    elif isinstance(point, GiveWay):
        name = point.where
    return wanted.name in ("", name)
