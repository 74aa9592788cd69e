"""A schedule as a timeline: a column for each task, a line for each step, in kernel terms."""

from collections.abc import Iterator, Sequence
from contextlib import suppress
from typing import assert_never

from ipvs_est import Revision
from ipvs_est.points import (
    CancelWork,
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
from ipvs_est.violations import Deadlock, Violation, ViolationError, describe
from ipvs_est_checks.explore.scenario import Scenario
from ipvs_est_checks.explore.world import RCU, TIME, start, step


def timeline(
    scenario: Scenario, revision: Revision, choices: Sequence[int], violation: Violation | None
) -> Iterator[str]:
    """The lines, then what it ends with."""
    world = start(scenario, revision)
    steps: list[tuple[str, str]] = []
    for choice in choices:
        if choice >= 0:
            thread = world.threads[choice]
            steps.append((f"{choice} {thread.task.name}", _done_at(thread.point)))
        with suppress(ViolationError):
            step(world, choice)
        if choice == TIME:
            steps.append(("time", f"jiffy {world.machine.now}"))
        elif choice == RCU:
            steps.append(("rcu", "callback runs"))
    columns = list(dict.fromkeys(name for name, _ in steps))
    widths = [
        max(len(column), *(len(what) for name, what in steps if name == column))
        for column in columns
    ]
    number = len(str(len(steps)))
    pairs = list(zip(columns, widths, strict=True))
    head = "  ".join(f"{column:<{width}}" for column, width in pairs)
    yield f"  {'':>{number}}  {head}".rstrip()
    for index, (name, what) in enumerate(steps, 1):
        cells = (f"{what if name == column else '':<{width}}" for column, width in pairs)
        yield f"  {index:>{number}}  {'  '.join(cells)}".rstrip()
    if isinstance(violation, Deadlock):
        yield "  deadlock:"
        for line in violation.cycle:
            yield f"    {line}"
    elif violation is not None:
        yield f"  {describe(violation)}"


def _done_at(point: Point | None) -> str:
    """What a task does at the point where it stood."""
    match point:
        case None:
            return "starts"
        case Lock(mutex):
            return f"mutex_lock({mutex.name})"
        case Unlock(mutex):
            return f"mutex_unlock({mutex.name})"
        case Sleep():
            return "wakes up"
        case Stop(task):
            return f"kthread_stop({task.name})"
        case Join(task):
            return f"{task.name} has exited"
        case Start(task):
            return f"wake_up_process({task.name})"
        case QueueWork():
            return "queue_delayed_work"
        case CancelWork():
            return "cancel_delayed_work_sync"
        case GiveWay(where, _):
            return f"goes on after cond_resched in {where}"
        case RcuReadLock():
            return "rcu_read_lock"
        case RcuReadUnlock():
            return "rcu_read_unlock"
        case WordAccess(cpu, word, write):
            return f"{'writes' if write else 'reads'} word {word} of CPU {cpu}"
        case _:
            assert_never(point)
