"""Tiny worlds for the schedulers: threads that are generators, what they share, and a judge."""

from collections.abc import Callable, Generator, Iterator, Sequence
from dataclasses import dataclass, field
from itertools import permutations

from ipvs_est.language.violations import InvalidPointer, ViolationError
from ipvs_est_checks.explore.schedulers.scheduler import System

Body = Generator[None, None, None]


@dataclass(slots=True, eq=False)
class Toy:
    """A world in progress."""

    bodies: list[Body] = field(default_factory=list)
    """A step resumes one of them."""
    shared: list[object] = field(default_factory=list)
    """All that threads can see of each other, and of themselves after a step."""
    order: list[int] = field(default_factory=list)
    """Who did each step."""
    ended: set[int] = field(default_factory=set)
    yielding: set[int] = field(default_factory=set)
    """Threads that offer the processor."""


def outcome(text: str) -> ViolationError:
    """How a toy's schedule ends, in the form in which schedules fail."""
    return ViolationError(InvalidPointer(text, "toy"))


def toy(make: Callable[[Toy], list[Body]]) -> System[Toy]:
    """A system whose threads `make` builds; each must be advanced to its first step."""

    def start() -> Toy:
        world = Toy()
        world.bodies = make(world)
        return world

    def enabled(world: Toy) -> list[int]:
        return [index for index in range(len(world.bodies)) if index not in world.ended]

    def step(world: Toy, choice: int) -> None:
        world.order.append(choice)
        try:
            next(world.bodies[choice])
        except StopIteration:
            world.ended.add(choice)

    def fingerprint(world: Toy) -> bytes:
        places = [world.order.count(index) for index in range(len(world.bodies))]
        return repr((places, world.shared)).encode()

    def gives_way(world: Toy, index: int) -> bool:
        return index in world.yielding

    return System(start, enabled, step, step, fingerprint, gives_way)


def counting(lengths: Sequence[int], judge: Callable[[Toy], None] | None = None) -> System[Toy]:
    """Threads of so many steps, all at least 1, that do nothing; `judge` looks after each."""

    def body(world: Toy, length: int) -> Body:
        for number in range(length):
            if judge is not None:
                judge(world)
            if number < length - 1:
                yield

    return toy(lambda world: [body(world, length) for length in lengths])


def orders(lengths: Sequence[int]) -> Iterator[tuple[int, ...]]:
    """Every order of the threads' steps, one by one."""
    flat = [number for number, length in enumerate(lengths) for _ in range(length)]
    yield from sorted(set(permutations(flat)))


def preemptions(order: Sequence[int], lengths: Sequence[int]) -> int:
    """How often an order leaves a thread that has steps left."""
    left = list(lengths)
    count = 0
    for index, number in enumerate(order):
        left[number] -= 1
        after = order[index + 1] if index + 1 < len(order) else number
        count += after != number and left[number] > 0
    return count
