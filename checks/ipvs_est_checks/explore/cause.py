"""What a failure is due to: equal for schedules that fail in the same way.

A deadlock is told by its tasks and the functions in which they wait; any other violation by
what it says.
"""

from dataclasses import dataclass
from types import GeneratorType

from ipvs_est.violations import Deadlock, Violation, describe
from ipvs_est_checks.explore.world import Thread, World


@dataclass(frozen=True, slots=True)
class Waiter:
    """One task of a deadlock."""

    task: str
    functions: tuple[str, ...]
    """The model's functions that are suspended, innermost first."""
    waits: str
    """As in the violation's cycle."""


@dataclass(frozen=True, slots=True)
class Cause:
    """A failure without its schedule."""

    kind: str
    """Kind of the violation."""
    text: str
    """One line."""
    waiters: tuple[Waiter, ...] = ()
    """Of a deadlock, sorted."""


def cause_of(world: World, violation: Violation) -> Cause:
    """The cause of a violation at which the world stopped."""
    if not isinstance(violation, Deadlock):
        return Cause(violation.kind, describe(violation))
    # A line of the cycle begins with the name of its task.
    by_name = {each.task.name: each for each in world.threads}
    waiters = []
    for line in violation.cycle:
        name, _, waits = line.partition(": waits ")
        waiters.append(Waiter(name, functions_of(by_name[name]), waits))
    waiters.sort(key=lambda each: (each.task, each.functions))
    text = "; ".join(f"{each.task} in {each.functions[0]} waits {each.waits}" for each in waiters)
    return Cause(violation.kind, text, tuple(waiters))


def functions_of(thread: Thread) -> tuple[str, ...]:
    """The thread's suspended functions, innermost first."""
    names: list[str] = []
    body: object = thread.body
    while isinstance(body, GeneratorType):
        names.append(body.gi_code.co_name)
        body = body.gi_yieldfrom
    return tuple(reversed(names))
