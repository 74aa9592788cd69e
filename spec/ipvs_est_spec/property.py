"""What a property is."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from enum import Enum
from typing import Protocol, TypeVar

from ipvs_est.language.events import Event
from ipvs_est.language.params import Params
from ipvs_est.language.violations import Violation
from ipvs_est_spec.algebra.algebra import Algebra
from ipvs_est_spec.state.abstract_state import AbstractState

B = TypeVar("B")
N = TypeVar("N")


class Scope(Enum):
    """Where a property has to hold."""

    SERVICE_MUTEX_FREE = "whenever the service mutex is free"
    EST_MUTEX_FREE = "whenever est_mutex is free"
    SETTLED = "at every settled point"
    QUIET = "after two revolutions without an operation, tasks allowed to run"
    STEP = "at every step"


class Predicate(Protocol):
    """A formula over a state, for every algebra."""

    def __call__(self, state: AbstractState[B, N], /) -> B:
        """The formula's truth value or term."""
        ...


@dataclass(frozen=True, slots=True)
class StateProperty:
    """A property of single states."""

    id: str
    group: str
    sentence: str
    """One plain sentence."""
    scope: Scope
    source: str
    """Section of the semantics, row of the known defects."""
    predicate: Predicate


Case = tuple[int, ...]
"""The numbers of one occurrence in a record, in the order that the property documents."""


class CasePredicate(Protocol):
    """A formula over the numbers of one case, for every algebra."""

    def __call__(self, algebra: Algebra[B, N], case: Sequence[N], /) -> B:
        """The formula's truth value or term."""
        ...


@dataclass(frozen=True, slots=True)
class RecordProperty:
    """A property of what happened: of every case that a record of events holds."""

    id: str
    group: str
    sentence: str
    source: str
    cases: Callable[[Params, Sequence[Event]], Iterator[Case]]
    """All cases of a record."""
    predicate: CasePredicate


@dataclass(frozen=True, slots=True)
class ViolationProperty:
    """A property that the model itself watches: no violation of these kinds."""

    id: str
    group: str
    sentence: str
    source: str
    kinds: tuple[type[Violation], ...]


Property = StateProperty | RecordProperty | ViolationProperty
