"""Which objects a history that is being made has, if every operation of it succeeds."""

from dataclasses import dataclass, field

from ipvs_est.language.operations import Operation, StartDest, StartService


@dataclass(slots=True)
class MadeObjects:
    """Ids of the objects so far, by what they are."""

    next: int = 1
    """The next new id."""
    bare: list[int] = field(default_factory=list)
    """Estimators without an object of the control plane."""
    services: list[int] = field(default_factory=list)
    dests: dict[int, int] = field(default_factory=dict)
    """Destination -> its service."""
    held: list[int] = field(default_factory=list)
    """Destinations to which a reference was taken."""


def start(made: MadeObjects, *, service: bool) -> Operation:
    """Start a new estimator, of a service or a destination."""
    made.bare.append(new_id(made))
    return StartService(made.bare[-1]) if service else StartDest(made.bare[-1])


def new_id(made: MadeObjects) -> int:
    """An id that no object has had."""
    made.next += 1
    return made.next - 1
