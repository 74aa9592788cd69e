"""What a failure is due to: equal for schedules that fail in the same way.

A deadlock is told by its tasks and the functions in which they wait; any other violation by
what it says.
"""

from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from types import GeneratorType

from ipvs_est import Revision
from ipvs_est.language.violations import (
    BrokenProperty,
    Deadlock,
    Violation,
    ViolationError,
    describe,
)
from ipvs_est_checks.explore.engine.memory.order import MemoryOrder
from ipvs_est_checks.explore.engine.world import Thread, World, deadlocked, start, step, waits_for
from ipvs_est_checks.explore.scenarios.scenario import Scenario
from ipvs_est_spec.catalogue import VIOLATION_PROPERTIES


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

    property: str
    """Id of the property that fails; '' = none of the catalogue."""
    text: str
    """One line."""
    waiters: tuple[Waiter, ...] = ()
    """Of a deadlock, sorted."""


@dataclass(frozen=True, slots=True)
class Waits:
    """A task of a deadlock, in so far as it matters which it is."""

    task: str = ""
    """How its name begins."""
    function: str = ""
    """One of its suspended functions; '' = any."""
    innermost: bool = False
    """The function is the innermost one."""
    of: str = ""
    """Part of what it waits for."""


@dataclass(frozen=True, slots=True)
class Sign:
    """How the failures of one defect are told from others."""

    property: str
    text: str = ""
    """Part of what the failure says."""
    waits: tuple[Waits, ...] = ()
    """Each is a task of the deadlock."""


def shows(sign: Sign, cause: Cause) -> bool:
    """Whether the failure is one of the defect's."""
    return (
        sign.property == cause.property
        and sign.text in cause.text
        and all(any(_is(wanted, waiter) for waiter in cause.waiters) for wanted in sign.waits)
    )


def _is(wanted: Waits, waiter: Waiter) -> bool:
    functions = waiter.functions[:1] if wanted.innermost else waiter.functions
    return (
        waiter.task.startswith(wanted.task)
        and (not wanted.function or wanted.function in functions)
        and wanted.of in waiter.waits
    )


def cause_of(world: World, violation: Violation) -> Cause:
    """The cause of a violation at which the world stopped."""
    if isinstance(violation, BrokenProperty):
        # Without the numbers of the case, with which one cause would look like many.
        return Cause(violation.property, violation.property)
    property_id = next(
        (prop.id for prop in VIOLATION_PROPERTIES if isinstance(violation, prop.kinds)), ""
    )
    if not isinstance(violation, Deadlock):
        return Cause(property_id, describe(violation))
    waiters = [
        Waiter(thread.task.name, functions_of(thread), waits_for(thread))
        for thread in deadlocked(world)
    ]
    waiters.sort(key=lambda waiter: (waiter.task, waiter.functions))
    text = "; ".join(
        f"{waiter.task} in {waiter.functions[0]} waits {waiter.waits}" for waiter in waiters
    )
    return Cause(property_id, text, tuple(waiters))


def cause_in(
    scenario: Scenario,
    revision: Revision,
    choices: Sequence[int],
    violation: Violation,
    order: MemoryOrder = MemoryOrder.SC,
) -> Cause:
    """The cause of a violation with which a schedule ends."""
    world = start(scenario, revision, order=order)
    if isinstance(violation, Deadlock):
        # Where the deadlock's tasks stand is known only at the end of the schedule.
        with suppress(ViolationError):
            for choice in choices:
                step(world, choice)
    return cause_of(world, violation)


def functions_of(thread: Thread) -> tuple[str, ...]:
    """The thread's suspended functions, innermost first."""
    names: list[str] = []
    body: object = thread.body
    while isinstance(body, GeneratorType):
        names.append(body.gi_code.co_name)
        body = body.gi_yieldfrom
    return tuple(reversed(names))
