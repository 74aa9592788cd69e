"""The sequential driver: the deterministic schedule of the recordings.

Source: docs/reference/recordings.md, "The schedule". A task runs until it waits; among runnable
tasks the reload work goes first, then kthreads by id. RCU callbacks, which the recordings
do not show, run when the next jiffy passes, timers before them.
"""

from dataclasses import dataclass, field
from heapq import heappop, heappush
from typing import assert_never

from ipvs_est.control.services import scan_trash
from ipvs_est.estimator.kthread import estimation_kthread
from ipvs_est.estimator.kthread_tasks import exit_task
from ipvs_est.estimator.reload_work import reload_work
from ipvs_est.language.violations import Deadlock
from ipvs_est.machine.locks import Mutex
from ipvs_est.machine.points import (
    Body,
    Call,
    CancelWork,
    FieldAccess,
    GiveWay,
    Join,
    Lock,
    QueueWork,
    RcuReadLock,
    RcuReadUnlock,
    Sleep,
    Start,
    Stop,
    Unlock,
    WordAccess,
)
from ipvs_est.machine.rcu import end_grace_period
from ipvs_est.machine.tasks import Task, TaskState
from ipvs_est.state.machine import Machine, report
from ipvs_est.state.task_record import lock_released, lock_taken, paused, resumed

WORK_RANK = 0
CALLER_RANK = -1

# A control process that is blocked for this long is taken to wait for ever.
BLOCKED_SECONDS = 10


class ControlProcessBlockedError(Exception):
    """The caller of an operation waited for ten seconds: the history ends here."""


@dataclass(slots=True, eq=False)
class Sequential:
    """One machine under the sequential schedule."""

    machine: Machine
    caller: Task = field(default_factory=lambda: Task(name="control process", rank=CALLER_RANK))
    """The context in which operations run."""
    runnable: list[tuple[int, int, Task]] = field(default_factory=list)
    """Heap of (rank, age, task)."""
    sleepers: list[tuple[int, int, int, Task]] = field(default_factory=list)
    """Heap of (wake-up in jiffies since boot, age, sleep ticket, task)."""


def call(driver: Sequential, body: Call) -> int:
    """Run an operation in the caller's context; answers its return value.

    Raises ControlProcessBlockedError when it cannot go on within ten seconds.
    """
    caller = driver.caller
    while True:
        try:
            _run(driver, caller, body)
        except StopIteration as finished:
            _record_pause(driver, caller)
            return int(finished.value)
        _record_pause(driver, caller)
        _wait(driver, caller)


def settle(driver: Sequential) -> None:
    """Run slices until nothing is runnable."""
    _look_at_work(driver)
    while driver.runnable:
        _slice(driver)


def advance(driver: Sequential, jiffies: int) -> None:
    """Settle, then let that many jiffies pass, settling after each."""
    machine = driver.machine
    settle(driver)
    end = machine.now + jiffies
    while (event := _next_event(driver)) is not None and event <= end:
        machine.now = event
        _jiffy(driver)
        settle(driver)
    machine.now = end


def finish_grace_periods(driver: Sequential) -> None:
    """Wait for all RCU callbacks, and those that they queue (rcu_barrier)."""
    while driver.machine.rcu.pending:
        end_grace_period(driver.machine.rcu)


def _wait(driver: Sequential, caller: Task) -> None:
    """The caller is blocked: let others run until it can go on."""
    machine = driver.machine
    deadline = machine.now + BLOCKED_SECONDS * machine.params.hz
    while not _ready(caller):
        if driver.runnable:
            _slice(driver)
            continue
        if machine.now >= deadline:
            report(machine, Deadlock(wait_chain(caller)))
            raise ControlProcessBlockedError
        event = _next_event(driver)
        machine.now = deadline if event is None else min(event, deadline)
        _jiffy(driver)


def _ready(task: Task) -> bool:
    waits_for = task.waits_for
    if isinstance(waits_for, Mutex):
        return waits_for.owner is None
    return waits_for is None or waits_for.state is TaskState.EXITED


def wait_chain(task: Task) -> tuple[str, ...]:
    """Who waits for whom, from `task` on, until nobody waits or the chain closes."""
    chain: list[str] = []
    seen: list[Task] = []
    current: Task | None = task
    while current is not None and current not in seen:
        seen.append(current)
        waits_for = current.waits_for
        if waits_for is None:
            chain.append(f"{current.name}: {current.state.value}")
            break
        if isinstance(waits_for, Mutex):
            holder = waits_for.owner
            held = "nobody" if holder is None else holder.name
            chain.append(f"{current.name}: waits for {waits_for.name}, held by {held}")
            current = holder
        else:
            chain.append(f"{current.name}: waits for the exit of {waits_for.name}")
            current = waits_for
    return tuple(chain)


def _next_event(driver: Sequential) -> int | None:
    """The next jiffy at which anything happens."""
    machine = driver.machine
    netns = machine.netns
    soonest = machine.now + 1
    if machine.rcu.pending:
        return soonest
    times: list[int] = []
    sleepers = driver.sleepers
    while sleepers:
        wake_at, _, ticket, task = sleepers[0]
        if task.state is TaskState.SLEEPING and task.sleep_ticket == ticket:
            times.append(wake_at)
            break
        heappop(sleepers)
    if netns.reload_work.pending and netns.reload_work.running is None:
        times.append(netns.reload_work.due)
    if netns.trash_scan_due is not None:
        times.append(netns.trash_scan_due)
    return max(min(times), soonest) if times else None


def _jiffy(driver: Sequential) -> None:
    """What a jiffy's passing sets off: timers, RCU callbacks, wake-ups, due work."""
    machine = driver.machine
    due = machine.netns.trash_scan_due
    if due is not None and due <= machine.now:
        scan_trash(machine)
    if machine.rcu.pending:
        end_grace_period(machine.rcu)
    sleepers = driver.sleepers
    while sleepers and sleepers[0][0] <= machine.now:
        _, _, ticket, task = heappop(sleepers)
        if task.state is TaskState.SLEEPING and task.sleep_ticket == ticket:
            _make_runnable(driver, task)
    _look_at_work(driver)


def _look_at_work(driver: Sequential) -> None:
    """Pending work that is due becomes a task unless an earlier instance is alive."""
    machine = driver.machine
    work = machine.netns.reload_work
    if not work.pending or work.running is not None or work.due > machine.now:
        return
    machine.tasks_created += 1
    task = Task(name="est_reload_work", rank=WORK_RANK, age=machine.tasks_created)
    work.pending = False
    work.running = task
    heappush(driver.runnable, (task.rank, task.age, task))


def _make_runnable(driver: Sequential, task: Task) -> None:
    task.state = TaskState.RUNNABLE
    if task is not driver.caller:
        heappush(driver.runnable, (task.rank, task.age, task))


def _slice(driver: Sequential) -> None:
    """Run the first runnable task until it waits or exits, then look at the work."""
    _, _, task = heappop(driver.runnable)
    if task.body is None:
        task.body = _function(driver.machine, task)
    if task.state is TaskState.NEW and task.should_stop:
        _exit(driver, task)
    else:
        try:
            _run(driver, task, task.body)
        except StopIteration:
            _record_pause(driver, task)
            _exit(driver, task)
        else:
            _record_pause(driver, task)
    _look_at_work(driver)


def _record_pause(driver: Sequential, task: Task) -> None:
    machine = driver.machine
    if machine.events is not None:
        machine.events.append(paused(machine, task))


def _function(machine: Machine, task: Task) -> Body:
    if task.kd is None:
        return reload_work(machine)
    return estimation_kthread(machine, task.kd, task)


def _exit(driver: Sequential, task: Task) -> None:
    work = driver.machine.netns.reload_work
    if work.running is task:
        work.running = None
    for joiner in exit_task(driver.machine, task):
        _make_runnable(driver, joiner)


def _run(driver: Sequential, task: Task, body: Body | Call) -> None:
    """Resume `body` until it waits; raises StopIteration when it has returned."""
    waits_for = task.waits_for
    if waits_for is not None:
        if isinstance(waits_for, Mutex) and not _try_lock(waits_for, task):
            return
        task.waits_for = None
    task.state = TaskState.RUNNING
    machine = driver.machine
    events = machine.events
    if events is not None:
        events.append(resumed(machine, task))
        if isinstance(waits_for, Mutex):
            events.append(lock_taken(machine, task, waits_for))
    resume = body.__next__
    while True:
        point = resume()
        if isinstance(point, Lock):
            mutex = point.mutex
            if mutex.owner is None:
                mutex.owner = task
                if events is not None:
                    events.append(lock_taken(machine, task, mutex))
            else:
                _try_lock(mutex, task)
                return
        elif isinstance(point, Unlock):
            mutex = point.mutex
            mutex.owner = None
            if events is not None:
                events.append(lock_released(machine, task, mutex))
            if mutex.waiters:
                _wake_waiters(driver, mutex)
        elif isinstance(point, GiveWay | RcuReadLock | RcuReadUnlock | WordAccess | FieldAccess):
            continue
        elif _waits_at(driver, task, point):
            return


def _waits_at(
    driver: Sequential,
    task: Task,
    point: Sleep | Stop | Join | Start | QueueWork | CancelWork,
) -> bool:
    """Perform a point; True if the task has to wait there."""
    machine = driver.machine
    if isinstance(point, Sleep):
        task.sleep_ticket += 1
        if task.should_stop:
            _make_runnable(driver, task)
            return True
        task.state = TaskState.SLEEPING
        task.wake_at = machine.now + point.jiffies
        heappush(driver.sleepers, (task.wake_at, task.age, task.sleep_ticket, task))
        return True
    if isinstance(point, Stop):
        point.task.should_stop = True
        if point.task.state is TaskState.SLEEPING:
            _make_runnable(driver, point.task)
        return False
    if isinstance(point, Join):
        return _join(task, point.task)
    if isinstance(point, Start):
        heappush(driver.runnable, (point.task.rank, point.task.age, point.task))
        return False
    work = machine.netns.reload_work
    if isinstance(point, QueueWork):
        if not work.pending and not work.refused:
            work.pending = True
            work.due = machine.now + point.delay
        return False
    if isinstance(point, CancelWork):
        work.pending = False
        work.refused = True
        if machine.events is not None:
            # The task may be alone from here on.
            machine.events.extend((paused(machine, task), resumed(machine, task)))
        return work.running is not None and _join(task, work.running)
    assert_never(point)


def _join(task: Task, other: Task) -> bool:
    if other.state is TaskState.EXITED:
        return False
    task.state = TaskState.JOINING
    task.waits_for = other
    other.joiners.append(task)
    return True


def _try_lock(mutex: Mutex, task: Task) -> bool:
    if mutex.owner is None:
        mutex.owner = task
        return True
    task.state = TaskState.BLOCKED
    task.waits_for = mutex
    mutex.waiters.append(task)
    return False


def _wake_waiters(driver: Sequential, mutex: Mutex) -> None:
    waiters, mutex.waiters = mutex.waiters, []
    for waiter in waiters:
        _make_runnable(driver, waiter)
