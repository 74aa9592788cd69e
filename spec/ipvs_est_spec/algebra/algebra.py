"""The operations that predicates are written with, so that each is written once.

B stands for truth values and I for integers: Python's bool and int, or z3's terms.
"""

from collections.abc import Iterable
from typing import Protocol, TypeVar

B = TypeVar("B")
I = TypeVar("I")  # noqa: E741 - the usual letter for integers, beside B for booleans


class Algebra(Protocol[B, I]):
    """Logic and integer arithmetic over one pair of types."""

    def number(self, value: int) -> I:
        """A constant."""
        ...

    def truth(self, value: bool) -> B:
        """A constant."""
        ...

    def both(self, *terms: B) -> B:
        """All of the terms hold."""
        ...

    def every(self, terms: Iterable[B]) -> B:
        """All of the terms hold; those after one that does not need not be made."""
        ...

    def either(self, *terms: B) -> B:
        """At least one of the terms holds."""
        ...

    def negate(self, term: B) -> B:
        """The term does not hold."""
        ...

    def implies(self, premise: B, conclusion: B) -> B:
        """If the premise holds, so does the conclusion."""
        ...

    def same(self, left: B, right: B) -> B:
        """Both hold or neither."""
        ...

    def choose_truth(self, condition: B, then: B, otherwise: B) -> B:
        """One of two truth values."""
        ...

    def equal(self, left: I, right: I) -> B:
        """left = right."""
        ...

    def less(self, left: I, right: I) -> B:
        """left < right."""
        ...

    def at_most(self, left: I, right: I) -> B:
        """left <= right."""
        ...

    def plus(self, *terms: I) -> I:
        """The sum; 0 of none."""
        ...

    def minus(self, left: I, right: I) -> I:
        """left - right."""
        ...

    def times(self, left: I, right: I) -> I:
        """left * right."""
        ...

    def modulo(self, left: I, right: int) -> I:
        """The remainder, 0 .. right-1; right > 0."""
        ...

    def choose(self, condition: B, then: I, otherwise: I) -> I:
        """One of two integers."""
        ...


class ConcreteAlgebra(Algebra[B, I], Protocol[B, I]):
    """An algebra whose constants can be read back."""

    def value(self, term: I) -> int:
        """The constant that the term is; raises ValueError if it is none."""
        ...

    def holds(self, term: B) -> bool:
        """Whether the term, without variables, holds."""
        ...
