"""The event record: what happened to estimators and tasks, when and in which row."""

from dataclasses import dataclass
from typing import ClassVar


@dataclass(frozen=True, slots=True)
class Enqueued:
    """An estimator was linked into a chain (semantics section 5)."""

    kind: ClassVar[str] = "enqueued"
    jiffies: int
    """Since boot, not wrapped; so in every event."""
    id: int
    """Id of the stats object."""
    ktid: int
    row: int
    est_row: int
    """The kd's est_row at that moment."""
    delay: int
    """The wanted delay in ticks."""
    crow: int
    """The wanted row."""
    avail: int
    """The kd's bitmap before the choice."""


@dataclass(frozen=True, slots=True)
class Estimated:
    """An estimator was estimated by its kthread (section 8)."""

    kind: ClassVar[str] = "estimated"
    jiffies: int
    id: int
    ktid: int
    row: int


@dataclass(frozen=True, slots=True)
class Relinked:
    """The calc phase moved an estimator to the temp list (section 11)."""

    kind: ClassVar[str] = "relinked"
    jiffies: int
    id: int
    ktid: int
    row: int
    est_row: int
    """The kd's est_row at that moment."""
    delay: int
    """The delay in ticks that it will want."""


@dataclass(frozen=True, slots=True)
class Started:
    """An estimator entered the temp list (section 4)."""

    kind: ClassVar[str] = "started"
    jiffies: int
    id: int


@dataclass(frozen=True, slots=True)
class Stopped:
    """An estimator left its list for good (section 7)."""

    kind: ClassVar[str] = "stopped"
    jiffies: int
    id: int


@dataclass(frozen=True, slots=True)
class TaskStarted:
    """A kthread's task was created and woken (section 9)."""

    kind: ClassVar[str] = "task-started"
    jiffies: int
    ktid: int
    enable: bool
    """`enable` at that moment."""


@dataclass(frozen=True, slots=True)
class TaskExited:
    """A task ended (sections 8, 9)."""

    kind: ClassVar[str] = "task-exited"
    jiffies: int
    task: str


@dataclass(frozen=True, slots=True)
class ContextAdded:
    """A kthread context was published (section 6)."""

    kind: ClassVar[str] = "context-added"
    jiffies: int
    ktid: int
    contexts: int
    """Contexts then, the new one included."""
    max_threads: int
    """`est_max_threads` then; 0 = no limit yet."""


@dataclass(frozen=True, slots=True)
class RelinkingBegun:
    """The calc phase holds the service mutex and empties the chains (section 11)."""

    kind: ClassVar[str] = "relinking-begun"
    jiffies: int


@dataclass(frozen=True, slots=True)
class RelinkingEnded:
    """The calc phase has relinked all, or has given up (section 11)."""

    kind: ClassVar[str] = "relinking-ended"
    jiffies: int


@dataclass(frozen=True, slots=True)
class LimitsComputed:
    """A calc phase was completed (section 11)."""

    kind: ClassVar[str] = "limits-computed"
    jiffies: int
    chain_max: int


Event = (
    Enqueued
    | Estimated
    | Relinked
    | Started
    | Stopped
    | TaskStarted
    | TaskExited
    | ContextAdded
    | RelinkingBegun
    | RelinkingEnded
    | LimitsComputed
)
