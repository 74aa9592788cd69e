"""Mutexes (semantics section 15)."""

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from ipvs_est.machine.tasks import Task


@dataclass(slots=True, eq=False)
class Mutex:
    """A sleeping lock with one owner."""

    name: str
    owner: "Task | None" = None
    waiters: "list[Task]" = field(default_factory=list)
    """Tasks that found it taken, in the order in which they came."""
