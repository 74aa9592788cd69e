"""RCU callbacks: what runs once every reader of now has left (semantics sections 5, 7, 13)."""

from collections.abc import Callable
from dataclasses import dataclass, field


@dataclass(slots=True)
class Rcu:
    """Callbacks that wait for a grace period, oldest first."""

    pending: list[Callable[[], None]] = field(default_factory=list)


def call_rcu(rcu: Rcu, callback: Callable[[], None]) -> None:
    """Run `callback` after a grace period."""
    rcu.pending.append(callback)


def end_grace_period(rcu: Rcu) -> None:
    """Run the callbacks queued so far; those that they queue wait for the next one."""
    due, rcu.pending = rcu.pending, []
    for callback in due:
        callback()
