"""Formulas with quantifiers over slots, rows, chains and estimators, and their ground forms.

z3 is given no quantifier. A formula that is assumed becomes the conjunction of its instances at
a finite set of representatives, which follows from it; a formula that is to be proved is denied
at one fresh element, of which nothing is known. So an `unsat` is a proof for every number of
slots, rows, chains and estimators. In the other direction a model of the instances is a
counterexample among the representatives alone: that one is a state of the kernel is shown by
replaying it, not by this module.
"""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from enum import Enum
from functools import cache
from typing import assert_never

from ipvs_est_spec.algebra import z3_terms
from ipvs_est_spec.algebra.z3_names import z3
from ipvs_est_spec.algebra.z3_terms import conjunction, disjunction, negation


class Sort(Enum):
    """What is quantified over."""

    SLOT = "slot"
    ROW = "row"
    CHAIN = "chain"
    ESTIMATOR = "estimator"


@dataclass(frozen=True, slots=True)
class Ground:
    """A formula without quantifiers."""

    term: z3.BoolRef


@dataclass(frozen=True, slots=True)
class Not:
    """Negation."""

    part: "Formula"


@dataclass(frozen=True, slots=True)
class And:
    """Conjunction."""

    parts: tuple["Formula", ...]


@dataclass(frozen=True, slots=True)
class Or:
    """Disjunction."""

    parts: tuple["Formula", ...]


@dataclass(frozen=True, slots=True)
class Every:
    """The body holds for all of a sort; it says itself which elements there are."""

    sort: Sort
    inside: tuple[z3.ArithRef, ...]
    """Slot and row, as far as the sort lives in one."""
    body: Callable[[z3.ArithRef], "Formula"]


Formula = Ground | Not | And | Or | Every

Representatives = Callable[[Sort, tuple[z3.ArithRef, ...]], Iterable[z3.ArithRef]]
"""Sort and what it is inside of -> the terms at which assumptions are instantiated."""
Witness = Callable[[Sort, tuple[z3.ArithRef, ...], tuple[z3.ArithRef, ...], str], z3.ArithRef]
"""Sort, what it is inside of, variables around, place in the formula -> the element at which a
denied formula fails."""


def assumed(formula: Formula, representatives: Representatives, witness: Witness) -> z3.BoolRef:
    """A ground term that follows from the formula, for suitable witnesses."""
    return _ground(formula, True, representatives, witness, (), "")


def denied(formula: Formula, representatives: Representatives, witness: Witness) -> z3.BoolRef:
    """A ground term that follows from the formula's negation, for suitable witnesses."""
    return _ground(formula, False, representatives, witness, (), "")


def skolem_term(name: str, *around: z3.ArithRef) -> z3.ArithRef:
    """The application of a Skolem function."""
    if not around:
        return z3.Int(name)
    return z3_terms.number_of(_declared(name, len(around), z3.IntSort()), *around)


def truth_term(name: str, *of: z3.ArithRef) -> z3.BoolRef:
    """The application of a predicate of which nothing is known."""
    return z3_terms.truth_of(_declared(name, len(of), z3.BoolSort()), *of)


@cache
def _declared(name: str, arity: int, values: z3.SortRef) -> z3.FuncDeclRef:
    return z3.Function(name, *[z3.IntSort()] * arity, values)


@cache
def _constant(value: int) -> z3.IntNumRef:
    return z3.IntVal(value)


def _ground(
    formula: Formula,
    positive: bool,
    representatives: Representatives,
    witness: Witness,
    around: tuple[z3.ArithRef, ...],
    place: str,
) -> z3.BoolRef:
    match formula:
        case Ground(term):
            return term if positive else negation(term)
        case Not(part):
            return _ground(part, not positive, representatives, witness, around, place)
        case And(parts) | Or(parts):
            terms = [
                _ground(part, positive, representatives, witness, around, f"{place}.{index}")
                for index, part in enumerate(parts)
            ]
            return (conjunction if isinstance(formula, And) is positive else disjunction)(terms)
        case Every(sort, inside, body):
            if not positive:
                element = witness(sort, inside, around, place)
                return _ground(
                    body(element), False, representatives, witness, (*around, element), place
                )
            return conjunction(
                [
                    _ground(
                        body(representative),
                        True,
                        representatives,
                        witness,
                        (*around, representative),
                        place,
                    )
                    for representative in representatives(sort, inside)
                ]
            )
        case _:
            assert_never(formula)


class FormulaAlgebra:
    """Builds formulas over mathematical integers; integers are z3's terms."""

    def number(self, value: int) -> z3.ArithRef:
        """A constant."""
        return _constant(value)

    def truth(self, value: bool) -> Formula:
        """A constant."""
        return Ground(z3.BoolVal(value))

    def both(self, *terms: Formula) -> Formula:
        """All of the terms hold."""
        grounds = [term.term for term in terms if isinstance(term, Ground)]
        return Ground(conjunction(grounds)) if len(grounds) == len(terms) else And(terms)

    def every(self, terms: Iterable[Formula]) -> Formula:
        """All of the terms hold."""
        return self.both(*terms)

    def either(self, *terms: Formula) -> Formula:
        """At least one of the terms holds."""
        grounds = [term.term for term in terms if isinstance(term, Ground)]
        return Ground(disjunction(grounds)) if len(grounds) == len(terms) else Or(terms)

    def negate(self, term: Formula) -> Formula:
        """The term does not hold."""
        return Ground(negation(term.term)) if isinstance(term, Ground) else Not(term)

    def implies(self, premise: Formula, conclusion: Formula) -> Formula:
        """If the premise holds, so does the conclusion."""
        return self.either(self.negate(premise), conclusion)

    def same(self, left: Formula, right: Formula) -> Formula:
        """Both hold or neither."""
        if isinstance(left, Ground) and isinstance(right, Ground):
            return Ground(z3_terms.equality(left.term, right.term))
        return And((self.implies(left, right), self.implies(right, left)))

    def choose_truth(self, condition: Formula, then: Formula, otherwise: Formula) -> Formula:
        """One of two truth values."""
        return self.both(self.implies(condition, then), self.either(condition, otherwise))

    def equal(self, left: z3.ArithRef, right: z3.ArithRef) -> Formula:
        """left = right."""
        return Ground(z3_terms.equality(left, right))

    def less(self, left: z3.ArithRef, right: z3.ArithRef) -> Formula:
        """left < right."""
        return Ground(z3_terms.less(left, right))

    def at_most(self, left: z3.ArithRef, right: z3.ArithRef) -> Formula:
        """left <= right."""
        return Ground(z3_terms.at_most(left, right))

    def plus(self, *terms: z3.ArithRef) -> z3.ArithRef:
        """The sum; 0 of none."""
        return z3.Sum(*terms) if terms else z3.IntVal(0)

    def minus(self, left: z3.ArithRef, right: z3.ArithRef) -> z3.ArithRef:
        """left - right."""
        return left - right

    def times(self, left: z3.ArithRef, right: z3.ArithRef) -> z3.ArithRef:
        """left * right; one of them a constant, for z3's sake."""
        return left * right

    def modulo(self, left: z3.ArithRef, right: int) -> z3.ArithRef:
        """The remainder, 0 .. right-1; right > 0."""
        return left % right

    def choose(self, condition: Formula, then: z3.ArithRef, otherwise: z3.ArithRef) -> z3.ArithRef:
        """One of two integers; raises ValueError for a condition with a quantifier."""
        if not isinstance(condition, Ground):
            raise ValueError("an integer depends on a quantified condition")
        return z3_terms.choice(condition.term, then, otherwise)
