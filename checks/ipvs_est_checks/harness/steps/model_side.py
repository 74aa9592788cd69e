"""The model's side: a world that goes on from one common point to the next."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from types import GeneratorType
from typing import Any

from ipvs_est.answers.snapshot import snapshot_to_json, take_snapshot
from ipvs_est.language.violations import Deadlock, Violation, ViolationError
from ipvs_est.machine.points import (
    READ_ENABLE,
    WRITE_CPULIST,
    Body,
    FieldAccess,
    GiveWay,
    Point,
    Sleep,
    Unlock,
)
from ipvs_est.machine.tasks import TaskState
from ipvs_est.state import shared_fields
from ipvs_est_checks.explore.engine.world import TIME, Thread, World, can_run, enabled, step
from ipvs_est_checks.harness.steps.points import EXITED, SHOULD_STOP, WAITS, place_of

# Any in this file: snapshots as JSON.

_CALC_PHASE = frozenset(
    {"calc_limits", "calc_phase", "_stop_other_tasks", "_relink_all", "_relink_row", "_finish"}
)
"""Functions in which kthread 0 looks at `enable` and, if it is set, at the request to stop."""


@dataclass(frozen=True, slots=True)
class ModelTurn:
    """What goes on, as the program reads it."""

    name: str
    """Of the task; `time` or `RCU`."""
    number: int
    """How many older tasks of that name live; of time: the jiffies that pass."""
    place: str
    """The common point that the task reaches."""
    unlocks: int = 0
    """Mutexes that it gives back before."""
    others: int = 0
    """Points like that one at which the model does not stop, behind the last unlock."""
    function: str = ""
    """Of the model, in which the task then stands."""


Choose = Callable[[Sequence[int], Sequence[int], Sequence[ModelTurn]], int | None]
"""The next choice: takes those made, those that are enabled, and the steps so far; None: the
schedule is over."""


@dataclass(frozen=True, slots=True)
class CommonPoint:
    """The world at a common point."""

    able: tuple[str, ...]
    """Tasks that can go on, sorted."""
    callbacks: int
    """RCU callbacks that wait."""
    snapshot: dict[str, Any] | None


@dataclass(frozen=True, slots=True)
class ModelRun:
    """One schedule of the model."""

    choices: tuple[int, ...]
    """Of the world: a token's."""
    steps: tuple[ModelTurn, ...]
    moments: tuple[CommonPoint, ...]
    """Before the first step and after each, but not after one that failed inside."""
    violation: Violation | None


@dataclass(slots=True)
class _Entry:
    """A point that a body has yielded; the world may not stop there."""

    point: Point
    function: str
    enabled: bool = False
    """`enable` when the task went on from there."""


@dataclass(slots=True)
class _Log:
    """What bodies yield, since the step began."""

    entries: list[_Entry] = field(default_factory=list)
    watched: dict[int, Body] = field(default_factory=dict)
    """By place in the world's list of threads: the body itself."""
    standing: dict[int, _Entry] = field(default_factory=dict)


def run_model(world: World, choose: Choose, *, most: int, snapshots: bool) -> ModelRun:
    """Run a world that has just started, choice by choice, at most so many steps.

    With `snapshots` there is one at each moment, else at the last.
    """
    choices: list[int] = []
    steps: list[ModelTurn] = []
    log = _Log()
    moments = [_moment(world, snapshots=snapshots)]
    violation: Violation | None = None
    while violation is None and len(steps) < most:
        able = enabled(world)
        choice = choose(choices, able, steps) if able else None
        if choice is None:
            break
        violation = _one_step(world, choice, log, choices, steps)
        if violation is None or isinstance(violation, Deadlock):
            moments.append(_moment(world, snapshots=snapshots))
    if moments[-1].snapshot is None:
        moments[-1] = _moment(world, snapshots=True)
    return ModelRun(tuple(choices), tuple(steps), tuple(moments), violation)


def _one_step(
    world: World, choice: int, log: _Log, choices: list[int], steps: list[ModelTurn]
) -> Violation | None:
    thread = None if choice < 0 else world.by_index[choice]
    before = world.machine.now
    choices.append(choice)
    _watch_bodies(world, log)
    violation: Violation | None = None
    if thread is None:
        try:
            step(world, choice)
        except ViolationError as error:
            violation = error.violation
        passed = world.machine.now - before
        steps.append(ModelTurn("time", passed, "") if choice == TIME else ModelTurn("RCU", 0, ""))
        return violation
    number, at = _older(world, thread), world.threads.index(thread)
    log.entries[:] = [log.standing[at]] if at in log.standing else []
    place = ""
    try:
        stood = thread.point
        step(world, choice)
        place = _to_common_point(world, thread, stood, log, choices)
    except ViolationError as error:
        violation = error.violation
        if isinstance(violation, Deadlock):
            place = _place_of(world, thread) or WAITS
    if log.entries:
        log.standing[at] = log.entries[-1]
    way = _way(world, log, place)
    name = log.entries[-1].function if log.entries else ""
    steps.append(ModelTurn(thread.task.name, number, place, *way, name))
    return violation


def _to_common_point(
    world: World, thread: Thread, stood: Point | None, log: _Log, choices: list[int]
) -> str:
    while True:
        place = _place_of(world, thread)
        if place is not None and not _is_passed(world, thread, stood, log.entries[-1:]):
            return place
        if place is None and not can_run(world, thread):
            return WAITS
        _watch_bodies(world, log)
        choices.append(thread.index)
        step(world, thread.index)


def _place_of(world: World, thread: Thread) -> str | None:
    if thread.task.state is TaskState.EXITED:
        return EXITED
    assert thread.point is not None
    return place_of(thread.point, sysctl=world.machine.params.sysctl)


def _is_passed(world: World, thread: Thread, stood: Point | None, last: Sequence[_Entry]) -> bool:
    """Points at which the code stands only sometimes, and not now."""
    point, task = thread.point, thread.task
    function = last[0].function if last else ""
    match point:
        case Sleep():
            # A wait for a condition does not begin if the condition is met: a stop asked for.
            return function == "calc_limits" and task.should_stop
        case FieldAccess(field="present"):
            # Only if there may be another chain does the walk look at the bitmap again.
            return isinstance(stood, GiveWay)
        case FieldAccess(field="should_stop"):
            # The drain looks at the list first, the model at the request.
            return function == "drain_temp_list" and world.machine.netns.est_temp_list.next is None
        case FieldAccess(field="est_cpulist", write=True):
            # Netns exit frees the list if one was written.
            return function == "exit_body" and world.machine.netns.est_cpulist_mask is None
        case FieldAccess(field="est_max_threads", write=False):
            # At the limit of threads it is read again, if the compiler does not keep it.
            return stood is READ_ENABLE and function == "_at_thread_limit"
        case FieldAccess(field="enable"):
            # Behind the recalculation the request to stop comes first.
            return function == "estimation_kthread" and task.should_stop
        case _:
            return False


def _way(world: World, log: _Log, place: str) -> tuple[int, int]:
    """Unlocks on the way to that place, and points like it behind the last of them."""
    entries = log.entries
    unlocks = [at for at, entry in enumerate(entries) if isinstance(entry.point, Unlock)]
    behind = entries[unlocks[-1] + 1 : -1] if unlocks else entries[:-1]
    sysctl = world.machine.params.sysctl
    # The task stood at the first one.
    before = behind if unlocks else behind[1:]
    others = sum(place_of(entry.point, sysctl=sysctl) == place for entry in before)
    if place == "read est_cpulist_valid":
        # The writer looks at it before it writes, too.
        others += any(entry.point is WRITE_CPULIST for entry in before)
    elif place == SHOULD_STOP:
        others += sum(
            entry.point is READ_ENABLE and entry.function in _CALC_PHASE and entry.enabled
            for entry in behind
        )
    return len(unlocks), others


def _watch_bodies(world: World, log: _Log) -> None:
    for at, thread in enumerate(world.threads):
        if at not in log.watched:
            log.watched[at] = thread.body
            thread.body = _watched(world, thread.body, log)


def _watched(world: World, body: Body, log: _Log) -> Body:
    for point in body:
        entry = _Entry(point, _function(body))
        log.entries.append(entry)
        yield point
        entry.enabled = world.machine.netns.enable


def _function(body: Body) -> str:
    """The innermost function of the model that has yielded, but for those of `shared_fields`."""
    name = ""
    inner: object = body
    while isinstance(inner, GeneratorType):
        if inner.gi_code.co_filename != shared_fields.__file__:
            name = inner.gi_code.co_name
        inner = inner.gi_yieldfrom
    return name


def _older(world: World, thread: Thread) -> int:
    """Living tasks of the same name that are older."""
    older = 0
    for one_thread in world.threads:
        if one_thread is thread:
            break
        same = one_thread.task.name == thread.task.name
        older += same and one_thread.task.state is not TaskState.EXITED
    return older


def _moment(world: World, *, snapshots: bool) -> CommonPoint:
    able = sorted(thread.task.name for thread in world.threads if can_run(world, thread))
    snapshot = snapshot_to_json(take_snapshot(world.machine)) if snapshots else None
    return CommonPoint(tuple(able), len(world.callbacks), snapshot)
