"""The operations that predicates are written with, so that each is written once.

B stands for truth values and N for integers: Python's bool and int, or z3's terms.
"""

from collections.abc import Iterable
from typing import Protocol, TypeVar

B = TypeVar("B")
N = TypeVar("N")


class Algebra(Protocol[B, N]):
    """Logic and integer arithmetic over one pair of types."""

    def number(self, value: int) -> N:
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

    def equal(self, left: N, right: N) -> B:
        """left = right."""
        ...

    def less(self, left: N, right: N) -> B:
        """left < right."""
        ...

    def at_most(self, left: N, right: N) -> B:
        """left <= right."""
        ...

    def plus(self, *terms: N) -> N:
        """The sum; 0 of none."""
        ...

    def minus(self, left: N, right: N) -> N:
        """left - right."""
        ...

    def times(self, left: N, right: N) -> N:
        """left * right."""
        ...

    def modulo(self, left: N, right: int) -> N:
        """The remainder, 0 .. right-1; right > 0."""
        ...

    def choose(self, condition: B, then: N, otherwise: N) -> N:
        """One of two integers."""
        ...


class ConcreteAlgebra(Algebra[B, N], Protocol[B, N]):
    """An algebra whose constants can be read back."""

    def value(self, term: N) -> int:
        """The constant that the term is; raises ValueError if it is none."""
        ...

    def holds(self, term: B) -> bool:
        """Whether the term, without variables, holds."""
        ...
