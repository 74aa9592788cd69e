"""What a history can be run on: the model, or a subject that answers the oracle's protocol."""

from typing import Protocol, runtime_checkable

from ipvs_est import Params, Snapshot, Violation
from ipvs_est.answers.results import Result
from ipvs_est.language.events import Event
from ipvs_est.language.operations import Operation


class Recorder(Protocol):
    """What is read of the machine of an oracle or of a subject."""

    params: Params
    events: list[Event] | None
    """None: not recorded, or not given."""


@runtime_checkable
class PartlyKnown(Protocol):
    """A system that may not tell all of its state."""

    @property
    def absent(self) -> frozenset[str]:
        """Paths of what its snapshots do not hold, such as `contexts.tick_len`; what is below is
        absent too. Whatever stands there says nothing."""
        ...


def absent_of(system: "Watchable") -> frozenset[str]:
    """What its snapshots do not hold; nothing of a system that tells all."""
    return system.absent if isinstance(system, PartlyKnown) else frozenset()


class Watchable(Protocol):
    """What a history can be run on: an `Oracle`, or a subject's `Run`."""

    @property
    def machine(self) -> Recorder:
        """Its parameters, and what has happened."""
        ...

    @property
    def violations(self) -> tuple[Violation, ...]:
        """All violations so far, in order."""
        ...

    @property
    def ended(self) -> str:
        """Why the history has no continuation; '' while it has one."""
        ...

    def apply(self, operation: Operation) -> Result:
        """Apply one operation; raises OperationError, ViolationError, SubjectError."""
        ...

    def snapshot(self) -> Snapshot:
        """The state of now, complete but for what `absent_of` names."""
        ...
