"""What must never happen in the kernel, typed: memory errors, leaks, deadlocks.

Source: semantics sections 5, 7, 11, 15; known defects section 1.
"""

from collections.abc import Iterator
from dataclasses import dataclass, fields
from typing import ClassVar, get_args

from ipvs_est.language.codec import PLAIN, decode
from ipvs_est.language.input_error import InputError, join
from ipvs_est.language.json_input import type_name


@dataclass(frozen=True, slots=True)
class UseAfterFree:
    """A freed object was read or written; the memory still held its last value."""

    kind: ClassVar[str] = "use-after-free"
    thing: str
    field: str
    where: str
    """The function that touched it."""


@dataclass(frozen=True, slots=True)
class IndexOutOfRange:
    """An index outside a bitmap or an array; what follows is undefined."""

    kind: ClassVar[str] = "index-out-of-range"
    thing: str
    index: int
    size: int
    where: str


@dataclass(frozen=True, slots=True)
class InvalidPointer:
    """A call or an access through a pointer that is NULL or was cleared; undefined."""

    kind: ClassVar[str] = "invalid-pointer"
    thing: str
    where: str


@dataclass(frozen=True, slots=True)
class DivisionByZero:
    """An integer was divided by zero; undefined."""

    kind: ClassVar[str] = "division-by-zero"
    thing: str
    where: str


@dataclass(frozen=True, slots=True)
class DoubleFree:
    """An object was freed a second time."""

    kind: ClassVar[str] = "double-free"
    thing: str
    where: str


@dataclass(frozen=True, slots=True)
class LeakAtExit:
    """An object is still allocated after netns exit and all grace periods."""

    kind: ClassVar[str] = "leak-at-exit"
    thing: str


@dataclass(frozen=True, slots=True)
class Deadlock:
    """Tasks wait for each other: each line of `cycle` is `task: waits for what, held by whom`."""

    kind: ClassVar[str] = "deadlock"
    cycle: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Livelock:
    """Tasks go round for ever and nothing comes of it: a state comes again, by a fair schedule."""

    kind: ClassVar[str] = "livelock"
    tasks: tuple[str, ...]
    """Names of those that go round."""
    steps: int
    """Scheduling steps of one round."""


@dataclass(frozen=True, slots=True)
class BrokenProperty:
    """A property of the catalogue does not hold, where somebody watches for that."""

    kind: ClassVar[str] = "broken-property"
    property: str
    """Its id."""
    case: str
    """The numbers for which a property of what happened is false; '' = it is one of the state."""


Violation = (
    UseAfterFree
    | IndexOutOfRange
    | InvalidPointer
    | DivisionByZero
    | DoubleFree
    | LeakAtExit
    | Deadlock
    | Livelock
    | BrokenProperty
)

KINDS: dict[str, type[Violation]] = {argument.kind: argument for argument in get_args(Violation)}
"""Every violation's class by its name."""

UNDEFINED = (IndexOutOfRange, InvalidPointer, DivisionByZero)
"""After one of these the history has no defined continuation."""


class ViolationError(Exception):
    """A violation, raised: by a caller's wish, or because nothing defined follows it."""

    def __init__(self, violation: Violation) -> None:
        super().__init__(describe(violation))
        self.violation = violation

    def __reduce__(self) -> tuple[type["ViolationError"], tuple[Violation]]:
        # Makes the error pass between processes.
        return ViolationError, (self.violation,)


def describe(violation: Violation) -> str:
    """One line, with the fields in their order."""
    return f"{violation.kind}: " + ", ".join(
        f"{name}={value}" for name, value in _fields(violation)
    )


def to_json(violation: Violation) -> dict[str, object]:
    """The violation as a JSON object with its `kind`."""
    return {"kind": violation.kind, **dict(_fields(violation))}


def from_json(value: object, path: str = "") -> Violation:
    """The inverse of `to_json`; raises InputError naming the field below `path`."""
    if not isinstance(value, dict):
        raise InputError(path, f"expected an object, found {type_name(value)}")
    kind = value.get("kind")
    if not isinstance(kind, str) or kind not in KINDS:
        raise InputError(join(path, "kind"), "is not the name of a violation")
    members = {name: member for name, member in value.items() if name != "kind"}
    return decode(KINDS[kind], members, PLAIN, path)


def _fields(violation: Violation) -> Iterator[tuple[str, object]]:
    for field in fields(violation):
        value = getattr(violation, field.name)
        yield field.name, list(value) if isinstance(value, tuple) else value
