"""The algebra of Python's own bool and int."""

from collections.abc import Iterable


class PythonAlgebra:
    """Evaluates at once."""

    def number(self, value: int) -> int:
        """A constant."""
        return value

    def truth(self, value: bool) -> bool:
        """A constant."""
        return value

    def both(self, *terms: bool) -> bool:
        """All of the terms hold."""
        return all(terms)

    def every(self, terms: Iterable[bool]) -> bool:
        """All of the terms hold; those after one that does not are not made."""
        return all(terms)

    def either(self, *terms: bool) -> bool:
        """At least one of the terms holds."""
        return any(terms)

    def negate(self, term: bool) -> bool:
        """The term does not hold."""
        return not term

    def implies(self, premise: bool, conclusion: bool) -> bool:
        """If the premise holds, so does the conclusion."""
        return not premise or conclusion

    def same(self, left: bool, right: bool) -> bool:
        """Both hold or neither."""
        return left == right

    def choose_truth(self, condition: bool, then: bool, otherwise: bool) -> bool:
        """One of two truth values."""
        return then if condition else otherwise

    def equal(self, left: int, right: int) -> bool:
        """left = right."""
        return left == right

    def less(self, left: int, right: int) -> bool:
        """left < right."""
        return left < right

    def at_most(self, left: int, right: int) -> bool:
        """left <= right."""
        return left <= right

    def plus(self, *terms: int) -> int:
        """The sum; 0 of none."""
        return sum(terms)

    def minus(self, left: int, right: int) -> int:
        """left - right."""
        return left - right

    def times(self, left: int, right: int) -> int:
        """left * right."""
        return left * right

    def modulo(self, left: int, right: int) -> int:
        """The remainder, 0 .. right-1; right > 0."""
        return left % right

    def choose(self, condition: bool, then: int, otherwise: int) -> int:
        """One of two integers."""
        return then if condition else otherwise

    def value(self, term: int) -> int:
        """The constant itself."""
        return term

    def holds(self, term: bool) -> bool:
        """The truth value itself."""
        return term
