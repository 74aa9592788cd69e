"""Conditions on a state of the protocol, written once and read over values and over z3's terms."""

from dataclasses import dataclass
from typing import Protocol, TypeVar, assert_never

from ipvs_est_spec.algebra.algebra import Algebra
from ipvs_est_spec.property import CasePredicate

B = TypeVar("B")
T = TypeVar("T", covariant=True)
N = TypeVar("N")


@dataclass(frozen=True, slots=True)
class Is:
    """The variable has one of the values."""

    variable: str
    values: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Both:
    """All of the terms hold; true of none."""

    terms: "tuple[Condition, ...]"


@dataclass(frozen=True, slots=True)
class Either:
    """One of the terms holds; false of none."""

    terms: "tuple[Condition, ...]"


@dataclass(frozen=True, slots=True)
class Negated:
    """The term does not hold."""

    term: "Condition"


@dataclass(frozen=True, slots=True)
class Holds:
    """A predicate of the catalogue holds of a case whose numbers are 1 where a condition holds
    and 0 elsewhere, or constants."""

    predicate: CasePredicate
    case: "tuple[Condition | int, ...]"


Condition = Is | Both | Either | Negated | Holds

TRUE = Both(())
FALSE = Either(())

YES, NO = "1", "0"
FLAG = (NO, YES)
"""The values of a flag."""


def flag(name: str) -> Condition:
    """The flag is set."""
    return Is(name, (YES,))


def unset(name: str) -> Condition:
    """The flag is not set."""
    return Is(name, (NO,))


def both(*terms: Condition) -> Condition:
    """All of the terms hold."""
    return Both(terms)


def either(*terms: Condition) -> Condition:
    """One of the terms holds."""
    return Either(terms)


def negated(term: Condition) -> Condition:
    """The term does not hold."""
    return Negated(term)


class View(Protocol[T]):
    """A state as conditions see it."""

    def has(self, variable: str, values: tuple[str, ...]) -> T:
        """The variable has one of the values."""
        ...


def interpret(condition: Condition, algebra: Algebra[B, N], view: View[B]) -> B:
    """The condition's truth value or term."""
    match condition:
        case Is(variable, values):
            return view.has(variable, values)
        case Both(terms):
            return algebra.every(interpret(term, algebra, view) for term in terms)
        case Either(terms):
            return algebra.either(*(interpret(term, algebra, view) for term in terms))
        case Negated(term):
            return algebra.negate(interpret(term, algebra, view))
        case Holds(predicate, case):
            zero, one = algebra.number(0), algebra.number(1)
            numbers = [
                algebra.number(item)
                if isinstance(item, int)
                else algebra.choose(interpret(item, algebra, view), one, zero)
                for item in case
            ]
            return predicate(algebra, numbers)
        case _:
            assert_never(condition)
