"""Schedulers: who goes next, at each step of each execution.

A scheduler has three methods. `new_execution` and `next_choice` are all that choosing takes: the
first tells the choices that are known beforehand, the second makes one at a time.
`end_execution` tells how the execution ended, without which no scheduler could learn how long
executions are (PCT places its change points by that) or that its choices were cut short.
Everything else (counting, bounds, recording, properties, reports) is around it, in `run.py`.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from enum import Enum
from typing import Generic, Protocol, TypeVar

from ipvs_est import Revision
from ipvs_est.language.violations import Violation
from ipvs_est_checks.explore.engine.access import Access, access_of
from ipvs_est_checks.explore.engine.memory.order import MemoryOrder
from ipvs_est_checks.explore.engine.states.fingerprint import fingerprint
from ipvs_est_checks.explore.engine.watch import Watch
from ipvs_est_checks.explore.engine.world import (
    RCU,
    TIME,
    World,
    broken_history,
    enabled,
    gives_way,
    repeat,
    start,
    step,
)
from ipvs_est_checks.explore.reduction.footprint import Footprint, FootprintTaker
from ipvs_est_checks.explore.scenarios.scenario import Scenario

W = TypeVar("W")


@dataclass(frozen=True, slots=True)
class System(Generic[W]):
    """What is explored: how to begin, and what can be done with a world then."""

    start: Callable[[], W]
    enabled: Callable[[W], Sequence[int]]
    """Threads that can go on, by index, and the negative choices: flushes, `RCU` and `TIME`."""
    step: Callable[[W, int], None]
    """Let an enabled choice go on; raises ViolationError."""
    repeat: Callable[[W, int], None]
    """A step that another schedule has taken from the same state without a failure: it needs no
    look at what it leads to."""
    fingerprint: Callable[[W], bytes]
    """Equal for states from which the same can follow."""
    gives_way: Callable[[W, int], bool]
    """Whether that thread, which can go on, offers the processor to others."""
    name: Callable[[W, int], str] = lambda world, choice: str(choice)
    """Of a choice."""
    judge: Callable[[W], tuple[int, Violation] | None] = lambda world: None
    """At a schedule's end, if it did not fail: what its history breaks, after how many steps."""
    access: Callable[[W, int], Access | None] = lambda world, choice: None
    """What a thread would access next, as far as that is known."""
    footprint: Callable[[], Footprint | None] = lambda: None
    """Of the step that was taken last, if footprints are taken."""


def system_of(
    scenario: Scenario,
    revision: Revision,
    watch: Watch | None = None,
    order: MemoryOrder = MemoryOrder.SC,
) -> System[World]:
    """A scenario on a revision, with properties that are watched."""
    return System(
        lambda: start(scenario, revision, watch, order),
        enabled,
        step,
        repeat,
        fingerprint,
        gives_way,
        name=lambda world, choice: world.by_index[choice].task.name,
        judge=broken_history,
        access=access_of,
    )


def with_footprints(system: System[World]) -> System[World]:
    """The same, and of each step that is not repeated it is known what it touches."""
    taker = FootprintTaker()

    def begun() -> World:
        taker.forget()
        return system.start()

    def taken(world: World, choice: int) -> None:
        taking = taker.before(world, choice)
        system.step(world, choice)
        taker.after(world, taking)

    def repeated(world: World, choice: int) -> None:
        taker.forget()
        system.repeat(world, choice)

    return replace(system, start=begun, step=taken, repeat=repeated, footprint=lambda: taker.last)


@dataclass(slots=True)
class Moment:
    """What a scheduler knows when it is asked."""

    enabled: Sequence[int]
    """At least one choice."""
    holder: int | None
    """The thread that has the processor and could keep it; None if it waits, gives way or has
    exited."""
    last: int | None
    """The choice before; None at the start."""
    preemptions: int
    """Taken so far."""
    fingerprint: Callable[[], bytes]
    """Of the state at this moment, which then counts as seen; not free."""
    access: Callable[[int], Access | None] = lambda choice: None
    """What a choice would access next, as far as that is known; also one that is not enabled."""
    footprint: Callable[[], Footprint | None] = lambda: None
    """Of the step that was taken last, if footprints are taken."""


@dataclass(frozen=True, slots=True)
class Beginning:
    """How an execution begins, as far as the scheduler knows already."""

    choices: Sequence[int] = ()
    """All but the last one repeat what an earlier execution did without a failure."""
    holder: int | None = None
    """Who has the processor after them, if it can go on."""
    preemptions: int = 0
    """Taken by them."""


FROM_THE_START = Beginning()


class ScheduleEnding(Enum):
    """How an execution ended."""

    COMPLETE = "complete"
    """Nothing can go on any more."""
    STOPPED = "stopped"
    """The scheduler had no choice to make: all that follows was seen before."""
    CUT = "cut"
    """At the bound on steps; what follows is not known."""
    FAILED = "failed"


class Scheduler(Protocol):
    """Chooses schedules."""

    def new_execution(self) -> Beginning | None:
        """Begin another schedule; None: there is none left that it would choose."""
        ...

    def next_choice(self, moment: Moment) -> int | None:
        """One of the enabled choices; None: this execution need not go on."""
        ...

    def end_execution(self, ending: ScheduleEnding, steps: int) -> None:
        """The execution that was begun last has ended, after so many steps."""
        ...


def preemption_cost(moment: Moment, choice: int) -> int:
    """Preemptions that a choice takes, 0 or 1.

    Taking the processor from a thread that could keep it is one, by another thread or by RCU;
    so is letting time pass while anything else could happen. A store that reaches the others takes
    the processor from nobody.
    """
    if choice == moment.holder or choice < RCU:
        return 0
    if choice == TIME:
        return int(len(moment.enabled) > 1)
    return int(moment.holder is not None)


def switch_cost(moment: Moment, choice: int) -> int:
    """1 if the choice goes to another column of the timeline, 0 otherwise."""
    return int(moment.last is not None and choice != moment.last)


def next_holder(moment: Moment, choice: int) -> int | None:
    """Who has the processor after a choice: time, RCU and flushes give it back."""
    return choice if choice >= 0 else moment.holder


@dataclass(slots=True)
class CountedSystem:
    """Wraps a scheduler that does not match states, so that distinct ones are counted."""

    scheduler: Scheduler

    def new_execution(self) -> Beginning | None:
        """As the scheduler."""
        return self.scheduler.new_execution()

    def next_choice(self, moment: Moment) -> int | None:
        """As the scheduler; a state with a choice is looked at before."""
        if len(moment.enabled) > 1:
            moment.fingerprint()
        return self.scheduler.next_choice(moment)

    def end_execution(self, ending: ScheduleEnding, steps: int) -> None:
        """As the scheduler."""
        self.scheduler.end_execution(ending, steps)
