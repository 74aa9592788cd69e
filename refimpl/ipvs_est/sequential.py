"""The sequential driver: the deterministic schedule of the recordings.

Source: docs/reference/recordings.md, "The schedule". A task runs until it waits; among runnable
tasks the reload work goes first, then kthreads by id. RCU callbacks, which the recordings
do not show, run when the next jiffy passes, timers before them.
"""

from dataclasses import dataclass, field
from heapq import heappop, heappush

from ipvs_est.language.violations import Deadlock
from ipvs_est.machine.locks import Mutex
from ipvs_est.machine.points import (
    Body,
    Call,
    Lock,
    Point,
    Sleep,
    Start,
    Stop,
    Unlock,
)
from ipvs_est.machine.rcu import end_grace_period
from ipvs_est.machine.tasks import Task, TaskState
from ipvs_est.performer import (
    NOTHING_TO_DO,
    end_task,
    function_of,
    in_the_way,
    perform,
    run_timers,
    start_due_work,
    take,
    wait_text,
)
from ipvs_est.state.machine import Machine, report
from ipvs_est.state.task_record import paused, resumed

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
        chain.append(f"{current.name}: waits {wait_text(waits_for)}")
        current = in_the_way(waits_for)
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
    run_timers(machine)
    if machine.rcu.pending:
        end_grace_period(machine.rcu)
    sleepers = driver.sleepers
    while sleepers and sleepers[0][0] <= machine.now:
        _, _, ticket, task = heappop(sleepers)
        if task.state is TaskState.SLEEPING and task.sleep_ticket == ticket:
            _make_runnable(driver, task)
    _look_at_work(driver)


def _look_at_work(driver: Sequential) -> None:
    task = start_due_work(driver.machine)
    if task is not None:
        heappush(driver.runnable, (task.rank, task.age, task))


def _make_runnable(driver: Sequential, task: Task) -> None:
    task.state = TaskState.RUNNABLE
    if task is not driver.caller:
        heappush(driver.runnable, (task.rank, task.age, task))


def _slice(driver: Sequential) -> None:
    """Run the first runnable task until it waits or exits, then look at the work."""
    _, _, task = heappop(driver.runnable)
    if task.body is None:
        task.body = function_of(driver.machine, task)
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


def _exit(driver: Sequential, task: Task) -> None:
    for joiner in end_task(driver.machine, task):
        _make_runnable(driver, joiner)


def _run(driver: Sequential, task: Task, body: Body | Call) -> None:
    """Resume `body` until it waits; raises StopIteration when it has returned."""
    waits_for = task.waits_for
    mutex = waits_for if isinstance(waits_for, Mutex) else None
    if mutex is not None and mutex.owner is not None:
        _wait_for_mutex(task, mutex)
        return
    task.waits_for = None
    task.state = TaskState.RUNNING
    machine = driver.machine
    if machine.events is not None:
        machine.events.append(resumed(machine, task))
    if mutex is not None:
        take(machine, task, mutex)
    resume = body.__next__
    while True:
        point = resume()
        if not isinstance(point, NOTHING_TO_DO) and _waits_at(driver, task, point):
            return


def _waits_at(driver: Sequential, task: Task, point: Point) -> bool:
    """Perform a point; True if the task has to wait there."""
    machine = driver.machine
    if isinstance(point, Lock) and point.mutex.owner is not None:
        _wait_for_mutex(task, point.mutex)
        return True
    awaited = perform(machine, task, point)
    if awaited is not None:
        _wait_for_exit(task, awaited)
        return True
    if isinstance(point, Unlock):
        if point.mutex.waiters:
            _wake_waiters(driver, point.mutex)
    elif isinstance(point, Sleep):
        _sleep(driver, task, point.jiffies)
        return True
    elif isinstance(point, Stop):
        if point.task.state is TaskState.SLEEPING:
            _make_runnable(driver, point.task)
    elif isinstance(point, Start):
        heappush(driver.runnable, (point.task.rank, point.task.age, point.task))
    return False


def _sleep(driver: Sequential, task: Task, jiffies: int) -> None:
    task.sleep_ticket += 1
    if task.should_stop:
        _make_runnable(driver, task)
        return
    task.state = TaskState.SLEEPING
    task.wake_at = driver.machine.now + jiffies
    heappush(driver.sleepers, (task.wake_at, task.age, task.sleep_ticket, task))


def _wait_for_exit(task: Task, other: Task) -> None:
    task.state = TaskState.JOINING
    task.waits_for = other
    other.joiners.append(task)


def _wait_for_mutex(task: Task, mutex: Mutex) -> None:
    task.state = TaskState.BLOCKED
    task.waits_for = mutex
    mutex.waiters.append(task)


def _wake_waiters(driver: Sequential, mutex: Mutex) -> None:
    waiters, mutex.waiters = mutex.waiters, []
    for waiter in waiters:
        _make_runnable(driver, waiter)
