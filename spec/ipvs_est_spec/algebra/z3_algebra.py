"""The algebras of z3's terms."""

from collections.abc import Iterable

from ipvs_est_spec.algebra.z3_names import z3
from ipvs_est_spec.algebra.z3_terms import (
    at_most,
    choice,
    conjunction,
    disjunction,
    equality,
    implication,
    less,
    negation,
)


class Z3Logic:
    """The truth values, which are the same over all kinds of integers."""

    def truth(self, value: bool) -> z3.BoolRef:
        """A constant."""
        return z3.BoolVal(value)

    def both(self, *terms: z3.BoolRef) -> z3.BoolRef:
        """All of the terms hold."""
        return conjunction(terms)

    def every(self, terms: Iterable[z3.BoolRef]) -> z3.BoolRef:
        """All of the terms hold."""
        return conjunction(tuple(terms))

    def either(self, *terms: z3.BoolRef) -> z3.BoolRef:
        """At least one of the terms holds."""
        return disjunction(terms)

    def negate(self, term: z3.BoolRef) -> z3.BoolRef:
        """The term does not hold."""
        return negation(term)

    def implies(self, premise: z3.BoolRef, conclusion: z3.BoolRef) -> z3.BoolRef:
        """If the premise holds, so does the conclusion."""
        return implication(premise, conclusion)

    def same(self, left: z3.BoolRef, right: z3.BoolRef) -> z3.BoolRef:
        """Both hold or neither."""
        return equality(left, right)

    def choose_truth(
        self, condition: z3.BoolRef, then: z3.BoolRef, otherwise: z3.BoolRef
    ) -> z3.BoolRef:
        """One of two truth values."""
        return conjunction((implication(condition, then), disjunction((condition, otherwise))))


class Z3Algebra(Z3Logic):
    """Builds formulas over mathematical integers."""

    def number(self, value: int) -> z3.ArithRef:
        """A constant."""
        return z3.IntVal(value)

    def equal(self, left: z3.ArithRef, right: z3.ArithRef) -> z3.BoolRef:
        """left = right."""
        return equality(left, right)

    def less(self, left: z3.ArithRef, right: z3.ArithRef) -> z3.BoolRef:
        """left < right."""
        return less(left, right)

    def at_most(self, left: z3.ArithRef, right: z3.ArithRef) -> z3.BoolRef:
        """left <= right."""
        return at_most(left, right)

    def plus(self, *terms: z3.ArithRef) -> z3.ArithRef:
        """The sum; 0 of none."""
        return z3.Sum(*terms) if terms else z3.IntVal(0)

    def minus(self, left: z3.ArithRef, right: z3.ArithRef) -> z3.ArithRef:
        """left - right."""
        return left - right

    def times(self, left: z3.ArithRef, right: z3.ArithRef) -> z3.ArithRef:
        """left * right."""
        return left * right

    def modulo(self, left: z3.ArithRef, right: int) -> z3.ArithRef:
        """The remainder, 0 .. right-1; right > 0."""
        return left % right

    def choose(
        self, condition: z3.BoolRef, then: z3.ArithRef, otherwise: z3.ArithRef
    ) -> z3.ArithRef:
        """One of two integers."""
        return choice(condition, then, otherwise)

    def value(self, term: z3.ArithRef) -> int:
        """The constant that the term simplifies to; raises ValueError if it is none."""
        simplified = z3.simplify(term)
        if not isinstance(simplified, z3.IntNumRef):
            raise ValueError(f"{term} is not a constant")
        return simplified.as_long()

    def holds(self, term: z3.BoolRef) -> bool:
        """Whether the term is valid; z3 is asked for a counterexample."""
        solver = z3.Solver()
        solver.add(z3.Not(term))
        answer = solver.check()
        if answer == z3.unknown:
            raise ValueError(f"z3 does not know: {solver.reason_unknown()}")
        return answer == z3.unsat
