"""What a history can be run on: the model, or a subject that answers the oracle's protocol."""

from typing import Protocol

from ipvs_est import Params, Snapshot, Violation
from ipvs_est.answers.results import Result
from ipvs_est.language.events import Event
from ipvs_est.language.operations import Operation


class Recorder(Protocol):
    """What is read of the machine of an oracle or of a subject."""

    params: Params
    events: list[Event] | None
    """None: not recorded, or not given."""


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
        """The complete state of now."""
        ...
