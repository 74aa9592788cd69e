"""One schedule as a batch: a list of choices in, what came of it out (SCHEMA.md, "Schedules").

Choices are numbered as the contract has it: `0` is time, `1` the end of a grace period, and
`n + 2` the thread that is `n` in a token.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from itertools import groupby
from typing import assert_never

from ipvs_est.answers.state import state_to_json, take_state
from ipvs_est.language.violations import Deadlock, Violation, ViolationError, to_json
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
from ipvs_est.performer import WORK_NAME
from ipvs_est_checks.explore.engine.world import (
    RCU,
    TIME,
    World,
    enabled,
    finished,
    gives_way,
    leaked,
    step,
)

MAX_STEPS = 4096
"""Of one schedule; a longer one is cut off."""
SETTLING = 400
"""Jiffies that time goes on beyond the scenario's end while a control process has not returned."""
_FIRST_THREAD = 2
_NAMES = {TIME: "time", RCU: "RCU"}


@dataclass(frozen=True, slots=True)
class Wanted:
    """What is asked."""

    choices: Sequence[int]
    start: int | None
    """The first step at which other schedules may leave this one; None: each step is told."""
    budget: int
    """Preemptions that they may take."""
    look: Callable[[int, bool], None] | None = None
    """Called after each step: how many there were, and whether nothing can go on."""


@dataclass(frozen=True, slots=True)
class BatchStep:
    """One step."""

    chosen: int
    choices: tuple[int, ...]
    """Ascending, time last."""
    goes_on: bool
    name: str
    place: str


@dataclass(slots=True)
class _Batch:
    world: World
    steps: list[BatchStep] = field(default_factory=list)
    holder: int | None = None
    """The thread that ran last, in the world's numbers."""
    settling: bool = False


def run_batch(world: World, wanted: Wanted) -> dict[str, object]:
    """The outcome, as the contract's object."""
    batch = _Batch(world)
    before = len(world.machine.violations)
    cycle: Sequence[str] = ()
    violations: list[Violation] = []
    try:
        end = _run(batch, wanted)
    except ViolationError as error:
        violations = world.machine.violations[before:] or [error.violation]
        if isinstance(error.violation, Deadlock):
            end, cycle, violations = "deadlock", error.violation.cycle, violations[:-1]
        else:
            end = "violation"
    answer: dict[str, object] = {"end": end}
    if cycle:
        answer["cycle"] = list(cycle)
    if violations:
        answer["violations"] = [to_json(violation) for violation in violations]
    answer["word"] = word_of([step.chosen for step in batch.steps])
    if wanted.start is not None:
        answer["count"] = len(batch.steps)
        answer["turns"] = [
            number for turn in _turns(batch.steps, wanted.start, wanted.budget) for number in turn
        ]
        return answer
    answer["steps"] = [
        [step.chosen, list(step.choices), step.goes_on, step.name, step.place]
        for step in batch.steps
    ]
    answer["state"] = state_to_json(take_state(world.machine))
    return answer


def word_of(choices: Sequence[int]) -> str:
    """Choices in a word, repeated ones counted, such as 3.0x2.4."""
    parts = []
    for choice, group in groupby(choices):
        count = sum(1 for _ in group)
        parts.append(f"{choice}x{count}" if count > 1 else str(choice))
    return ".".join(parts)


def _run(batch: _Batch, wanted: Wanted) -> str:
    """Take the steps; how it ended. Raises ViolationError."""
    world, choices, look = batch.world, wanted.choices, wanted.look
    while available := _available(batch):
        if len(batch.steps) == MAX_STEPS:
            return "limit"
        holder = batch.holder
        goes_on = holder is not None and holder in available and not gives_way(world, holder)
        if len(batch.steps) < len(choices):
            choice = _of_number(choices[len(batch.steps)])
            if choice not in available:
                return "bad choice"
        elif goes_on and holder is not None:
            choice = holder
        else:
            choice = _other(available, holder)
        batch.steps.append(_batch_step(world, choice, available, goes_on=goes_on))
        if choice >= 0:
            batch.holder = choice
        step(world, choice)
        if look is not None:
            look(len(batch.steps), False)
    if not finished(world):
        return "stuck"
    leak = leaked(world)
    if leak is not None:
        raise ViolationError(leak)
    if look is not None:
        look(len(batch.steps), True)
    return "done"


def _available(batch: _Batch) -> list[int]:
    """The choices. While nothing but time is left to a control process, it goes on for a while."""
    world = batch.world
    available = enabled(world)
    if not available and not batch.settling and not finished(world):
        batch.settling = True
        world.end += SETTLING
        available = enabled(world)
    if batch.settling and len(available) > 1:
        available = [number for number in available if number != TIME]
    return available


def _other(available: Sequence[int], holder: int | None) -> int:
    """The one with the lowest number; one that has given way comes last, but for time."""
    ordered = sorted(
        available, key=lambda number: (number == TIME, number == holder, _number(number))
    )
    return ordered[0]


def _batch_step(world: World, choice: int, available: Sequence[int], *, goes_on: bool) -> BatchStep:
    numbers = sorted(_number(number) for number in available if number != TIME)
    if TIME in available:
        numbers.append(_number(TIME))
    if choice < 0:
        name, place = _NAMES[choice], ""
    else:
        thread = world.by_index[choice]
        name, place = thread.task.name, place_text(thread.point)
    return BatchStep(_number(choice), tuple(numbers), goes_on, name, place)


def _turns(steps: Sequence[BatchStep], start: int, budget: int) -> Iterator[tuple[int, int, int]]:
    """Where other schedules may leave this one: step, other choice, the preemptions it costs."""
    for number, taken in enumerate(steps[start:], start):
        for choice in taken.choices:
            cost = int(taken.goes_on or choice == _number(TIME))
            if choice != taken.chosen and cost <= budget:
                yield number, choice, cost


def _number(choice: int) -> int:
    return {TIME: 0, RCU: 1}.get(choice, choice + _FIRST_THREAD)


def _of_number(number: int) -> int:
    return (TIME, RCU)[number] if number < _FIRST_THREAD else number - _FIRST_THREAD


def place_text(point: Point | None) -> str:
    """The point at which a task stands, in the contract's words; '' before its first."""
    match point:
        case None:
            return ""
        case Lock(mutex):
            return f"lock {mutex.name}"
        case Unlock(mutex):
            return f"unlock {mutex.name}"
        case Sleep():
            return "sleep"
        case Stop(task):
            return f"stop {task.name}"
        case Join(task):
            return f"join {task.name}"
        case Start(task):
            return f"start {task.name}"
        case QueueWork():
            return f"queue_work {WORK_NAME}"
        case CancelWork():
            return f"cancel_work {WORK_NAME}"
        case GiveWay():
            return "cond_resched"
        case RcuReadLock():
            return "rcu_read_lock"
        case RcuReadUnlock():
            return "rcu_read_unlock"
        case WordAccess(cpu, word, write):
            return f"{'write' if write else 'read'} word {word} of CPU {cpu}"
        case FieldAccess(_, name, write):
            return f"{'write' if write else 'read'} {name}"
        case Barrier(full):
            return "smp_mb" if full else "smp_wmb"
        case _:
            assert_never(point)
