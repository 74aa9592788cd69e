"""What a choice would access next: known beforehand, by the point at which a thread stands.

A step may touch more than its point names, so this is a guide for random schedulers, which lose
nothing by a wrong guess; no search may leave out schedules by it.
"""

from dataclasses import dataclass
from typing import assert_never

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
from ipvs_est_checks.explore.engine.world import World

Place = tuple[str, ...]
"""Whose field, and which; the same text for the same place in every run of a scenario."""


@dataclass(frozen=True, slots=True)
class Access:
    """A read or a write of something that tasks share."""

    place: Place
    write: bool


def races(one: Access | None, other: Access | None) -> bool:
    """Whether it makes a difference which of the two comes first."""
    if one is None or other is None:
        return False
    return one.place == other.place and (one.write or other.write)


def access_of(world: World, choice: int) -> Access | None:
    """What a choice would access; None: nothing that its point names, or time or RCU."""
    return None if choice < 0 else _of_point(world.by_index[choice].point)


def _of_point(point: Point | None) -> Access | None:
    match point:
        case FieldAccess(thing, name, write):
            return Access((thing.describe() if thing is not None else "netns", name), write)
        case WordAccess(cpu, word, write):
            return Access(("word", str(cpu), str(word)), write)
        case Lock(mutex) | Unlock(mutex):
            return Access(("mutex", mutex.name), True)
        case Stop(task) | Join(task) | Start(task):
            return Access(("task", task.name), True)
        case QueueWork() | CancelWork():
            return Access(("work",), True)
        case None | Sleep() | GiveWay() | RcuReadLock() | RcuReadUnlock() | Barrier():
            return None
        case _:
            assert_never(point)
