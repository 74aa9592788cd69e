"""A schedule as a timeline: what each step did, in which column, and how all stand at its end."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from types import GeneratorType
from typing import assert_never

from ipvs_est import Revision
from ipvs_est.answers.snapshot import Snapshot, take_snapshot
from ipvs_est.language.input_error import InputError
from ipvs_est.language.violations import Livelock, Violation, ViolationError
from ipvs_est.machine.locks import Mutex
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
from ipvs_est.machine.tasks import Task, TaskState
from ipvs_est.state.machine import Machine
from ipvs_est_checks.explore.engine.functions import place_of
from ipvs_est_checks.explore.engine.loops import is_fair
from ipvs_est_checks.explore.engine.memory.buffer import entry_text
from ipvs_est_checks.explore.engine.memory.order import MemoryOrder
from ipvs_est_checks.explore.engine.states.fingerprint import fingerprint
from ipvs_est_checks.explore.engine.watch import Watch
from ipvs_est_checks.explore.engine.world import (
    RCU,
    TIME,
    Thread,
    World,
    broken_history,
    can_run,
    enabled,
    flush_of,
    gives_way,
    start,
    step,
    waiting_store,
)
from ipvs_est_checks.explore.scenarios.scenario import Scenario
from ipvs_est_checks.explore.schedulers.scheduler import Moment, preemption_cost
from ipvs_est_checks.report.changes import changes


@dataclass(frozen=True, slots=True)
class TimelineStep:
    """One step of one column."""

    column: int
    """Index into the timeline's columns."""
    function: str
    """In which the thread was; '' for time and RCU."""
    action: str
    preempts: bool
    """It took the processor from a thread that could go on, or let time pass meanwhile."""
    holds: tuple[tuple[str, int], ...]
    """Mutexes that are held afterwards, and in which column."""
    jiffy: int
    """Afterwards, since boot."""
    releases: tuple[str, ...]
    """Mutexes that it unlocked at its end."""
    changes: tuple[str, ...]
    """Of the estimator state, one line each."""


@dataclass(frozen=True, slots=True)
class Standing:
    """How a thread stands at the end."""

    column: int
    function: str
    does: str
    """What it waits for, or would do next."""
    waits_on: int | None
    """Column of the thread without which it cannot go on."""
    holds: tuple[str, ...]
    """Mutexes."""


@dataclass(frozen=True, slots=True)
class Timeline:
    """A schedule, told."""

    columns: tuple[str, ...]
    """Threads by order of creation, then time and RCU; those that neither do
    anything nor wait are left out."""
    steps: tuple[TimelineStep, ...]
    standings: tuple[Standing, ...]
    """Of all threads with a column that have not exited."""
    violation: Violation | None
    """At the last step."""
    before: Snapshot
    """The state before the last step."""
    after: Snapshot


def timeline(
    scenario: Scenario,
    revision: Revision,
    choices: Sequence[int],
    watched: str = "",
    order: MemoryOrder = MemoryOrder.SC,
) -> Timeline:
    """Follow a schedule; raises InputError if it cannot be followed to its end.

    `watched`: id of a property that is watched. Violations, and what is left allocated at the
    end, are told in any case.
    """
    world = start(scenario, revision, Watch(frozenset({watched} if watched else ())), order)
    steps_taken: list[TimelineStep] = []
    before = after = take_snapshot(world.machine)
    violation: Violation | None = None
    current: int | None = None
    states: dict[bytes, int] = {}
    could: list[list[int]] = []
    for number, choice in enumerate(choices, 1):
        available = enabled(world)
        states[fingerprint(world)] = number - 1
        could.append(available)
        if choice not in available:
            raise InputError("token", f"step {number}: {choice} cannot go on there")
        keeps = current is not None and current in available and not gives_way(world, current)
        moment = Moment(available, current if keeps else None, None, 0, bytes)
        thread = world.by_index[choice] if choice >= 0 else None
        function = "" if thread is None else place_of(thread)
        action = "" if thread is None else _done_at(thread.point)
        column = choice
        flushed = flush_of(choice)
        if flushed is not None:
            storing, entry = waiting_store(world, choice)
            column, function = storing.index, "store buffer"
            action = f"reaches memory: {entry_text(entry)}"
        before = after
        held = {name for name, owner in _held(world) if owner == choice}
        if thread is not None and isinstance(thread.point, Lock):
            held.add(thread.point.mutex.name)
        try:
            step(world, choice)
        except ViolationError as error:
            violation = error.violation
        if choice == TIME:
            action = f"jiffy {world.machine.now}"
        elif choice == RCU:
            action = "grace period ends, callback runs"
        after = take_snapshot(world.machine)
        changed = list(changes(before, after))
        if thread is not None and thread.buffer:
            waiting = "; ".join(entry_text(entry) for entry in thread.buffer if not entry.fence)
            changed.append(f"in its store buffer: {waiting}")
        now_held = _held(world)
        steps_taken.append(
            TimelineStep(
                column,
                function,
                action,
                preemption_cost(moment, choice) > 0,
                now_held,
                world.machine.now,
                tuple(sorted(held - {name for name, _ in now_held})),
                tuple(changed),
            )
        )
        current = choice if choice >= 0 else moment.holder
        if violation is not None:
            if number < len(choices):
                raise InputError("token", f"the history ends at step {number}")
            break
    if violation is None and (late := broken_history(world)) is not None:
        steps, violation = late
        if steps < len(choices):
            raise InputError("token", f"the history ends at step {steps}")
    if violation is None and (came := states.get(fingerprint(world))) is not None:
        around = list(choices[came:])
        if is_fair(could[came:], around):
            names = [
                world.by_index[number].task.name for number in sorted(set(around)) if number >= 0
            ]
            violation = Livelock(tuple(names), len(around))
    return _with_columns(world, steps_taken, violation, before, after)


def _with_columns(
    world: World,
    steps: list[TimelineStep],
    violation: Violation | None,
    before: Snapshot,
    after: Snapshot,
) -> Timeline:
    """Number the columns that are needed; so far a step's column is its choice."""
    used = {step.column for step in steps}
    for thread in world.threads:
        if not can_run(world, thread) and isinstance(thread.point, Lock | Join):
            used.add(thread.index)
    used.update(owner for step in steps for _, owner in step.holds)
    alive = [
        thread
        for thread in world.threads
        if thread.index in used and thread.task.state is not TaskState.EXITED
    ]
    order = sorted(used, key=lambda choice: (choice < 0, abs(choice)))
    place = {choice: index for index, choice in enumerate(order)}
    return Timeline(
        tuple(_column_name(world, choice) for choice in order),
        tuple(
            replace(
                step,
                column=place[step.column],
                holds=tuple((mutex, place[owner]) for mutex, owner in step.holds),
            )
            for step in steps
        ),
        tuple(_standing(world, thread, place) for thread in alive),
        violation,
        before,
        after,
    )


def _column_name(world: World, choice: int) -> str:
    if choice == TIME:
        return "time"
    if choice == RCU:
        return "RCU"
    name = world.by_index[choice].task.name
    same = sorted({thread.index for thread in world.threads if thread.task.name == name})
    return name if len(same) == 1 else f"{name} #{same.index(choice) + 1}"


def _index_of(world: World, task: Task | None) -> int | None:
    return next((thread.index for thread in world.threads if thread.task is task), None)


def _held(world: World) -> tuple[tuple[str, int], ...]:
    held = []
    for mutex in _mutexes(world.machine):
        owner = _index_of(world, mutex.owner)
        if owner is not None:
            held.append((mutex.name, owner))
    return tuple(held)


def _standing(world: World, thread: Thread, place: dict[int, int]) -> Standing:
    point = thread.point
    holds = tuple(mutex.name for mutex in _mutexes(world.machine) if mutex.owner is thread.task)
    waits_on: int | None = None
    if isinstance(thread.body, GeneratorType) and thread.body.gi_frame is None:
        does = "has failed"
    elif can_run(world, thread):
        does = "has yet to begin" if point is None else f"can go on: {_done_at(point)}"
    elif isinstance(point, Lock):
        owner = _index_of(world, point.mutex.owner)
        waits_on = None if owner is None else place.get(owner)
        by = "nobody" if point.mutex.owner is None else point.mutex.owner.name
        does = f"waits for {point.mutex.name}, held by {by}"
    elif isinstance(point, Join):
        other = _index_of(world, point.task)
        waits_on = None if other is None else place.get(other)
        does = f"waits for the exit of {point.task.name}"
    elif isinstance(point, Sleep):
        does = f"sleeps until jiffy {thread.wake_at}"
    else:
        does = "runs"
    return Standing(place[thread.index], place_of(thread), does, waits_on, holds)


def _mutexes(machine: Machine) -> tuple[Mutex, ...]:
    return machine.service_mutex, machine.netns.est_mutex


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
        case GiveWay(_, rcu):
            return "cond_resched_rcu returns" if rcu else "cond_resched returns"
        case RcuReadLock():
            return "rcu_read_lock"
        case RcuReadUnlock():
            return "rcu_read_unlock"
        case WordAccess(cpu, word, write):
            return f"{'writes' if write else 'reads'} word {word} of CPU {cpu}"
        case FieldAccess(thing, field, write):
            of = "" if thing is None else f" of {thing.describe()}"
            return f"{'writes' if write else 'reads'} {field}{of}"
        case Barrier(full):
            return "smp_mb" if full else "smp_wmb"
        case _:
            assert_never(point)
