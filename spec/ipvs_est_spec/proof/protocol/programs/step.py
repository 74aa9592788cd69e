"""Programs of the protocol's actors: atomic steps between places in a program."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace

from ipvs_est_spec.proof.protocol.expression import NO, TRUE, YES, Condition, Is, both, negated

SERVICE = "service mutex"
EST = "est_mutex"
NOBODY = "nobody"

Value = str | Condition
"""What a variable becomes: a value, or for a flag the truth of a condition before the step."""


@dataclass(frozen=True, slots=True)
class ProtocolStep:
    """One atomic step of an actor from one place in its program to another."""

    actor: str
    source: str
    target: str
    guard: Condition = TRUE
    """Beside standing at `source`."""
    updates: tuple[tuple[str, Value], ...] = ()
    acquires: str = ""
    """A mutex that has to be free."""
    releases: str = ""
    joins: str = ""
    """An actor whose exit it waits for."""
    starts: str = ""
    """A kthread's actor for which it starts a task."""
    needs: Condition = TRUE
    """Memory that it touches is not freed."""
    label: str = ""
    """Names the step where mutants change it."""

    def changes(self) -> dict[str, Value]:
        """All variables that it sets."""
        changed: dict[str, Value] = {self.actor: self.target, **dict(self.updates)}
        if self.acquires:
            changed[self.acquires] = self.actor
        if self.releases:
            changed[self.releases] = NOBODY
        return changed


def goto(
    actor: str, source: str, target: str, guard: Condition = TRUE, /, **updates: Value
) -> ProtocolStep:
    """A step that changes variables."""
    return ProtocolStep(actor, source, target, guard, tuple(updates.items()))


def touching(needs: Condition, step: ProtocolStep) -> ProtocolStep:
    """The step touches memory that is not freed if `needs` holds."""
    return replace(step, needs=needs)


def labelled(label: str, step: ProtocolStep) -> ProtocolStep:
    """The step by a name for mutants."""
    return replace(step, label=label)


def lock(actor: str, source: str, target: str, mutex: str) -> ProtocolStep:
    """mutex_lock: waits until nobody owns it."""
    return ProtocolStep(actor, source, target, acquires=mutex)


def unlock(actor: str, source: str, target: str, mutex: str) -> ProtocolStep:
    """mutex_unlock."""
    return ProtocolStep(actor, source, target, releases=mutex)


def at(actor: str, *places: str) -> Condition:
    """The actor stands at one of the places."""
    return Is(actor, places)


# Places of a kthread's actor that say how far its task is.
NONE, NEW, EXITED, FREED = "no task", "new", "exited", "exited and freed"
"""FREED: it returned by itself, and nobody holds a reference; `task` still points to it."""


def has_task(actor: str) -> Condition:
    """The kd's `task` is set."""
    return negated(at(actor, NONE))


def stop_task(
    actor: str, source: str, target: str, kthread: str, needs: Condition = TRUE
) -> Iterator[ProtocolStep]:
    """kthread_stop, nothing if there is no task."""
    waiting = f"{source}, joining"
    yield touching(needs, goto(actor, source, target, at(kthread, NONE)))
    asked = goto(actor, source, waiting, has_task(kthread), **{f"stop_{kthread}": YES})
    yield touching(both(needs, negated(at(kthread, FREED))), asked)
    yield ProtocolStep(
        actor,
        waiting,
        target,
        at(kthread, EXITED, FREED),
        ((kthread, NONE),),
        joins=kthread,
    )


def start_task(
    actor: str, source: str, target: str, kthread: str, guard: Condition = TRUE
) -> ProtocolStep:
    """Create a task; it must have none."""
    return ProtocolStep(
        actor,
        source,
        target,
        both(at(kthread, NONE), guard),
        ((kthread, NEW), (f"stop_{kthread}", NO)),
        starts=kthread,
    )


def places(steps: Iterable[ProtocolStep], actor: str) -> tuple[str, ...]:
    """All places of an actor, in the order in which its program names them."""
    named: list[str] = []
    for step in steps:
        if step.actor == actor:
            named += (step.source, step.target)
        named += [
            value
            for variable, value in step.updates
            if variable == actor and isinstance(value, str)
        ]
    return tuple(dict.fromkeys(named))
