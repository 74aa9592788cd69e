"""The algebra of z3's bit vectors, for predicates over small numbers."""

from ipvs_est_spec.algebra.z3_algebra import Z3Logic
from ipvs_est_spec.algebra.z3_names import z3
from ipvs_est_spec.algebra.z3_terms import equality, word_choice


class BitVectorAlgebra(Z3Logic):
    """Builds formulas over signed integers of so many bits, which wrap: the numbers of the
    predicate, and all that it makes of them, have to fit."""

    def __init__(self, bits: int) -> None:
        self.bits = bits

    def number(self, value: int) -> z3.BitVecRef:
        """A constant; raises ValueError if it does not fit."""
        if not -(1 << self.bits - 1) <= value < 1 << self.bits - 1:
            raise ValueError(f"{value} has more than {self.bits} bits")
        return z3.BitVecVal(value, self.bits)

    def equal(self, left: z3.BitVecRef, right: z3.BitVecRef) -> z3.BoolRef:
        """left = right."""
        return equality(left, right)

    def less(self, left: z3.BitVecRef, right: z3.BitVecRef) -> z3.BoolRef:
        """left < right."""
        return left < right

    def at_most(self, left: z3.BitVecRef, right: z3.BitVecRef) -> z3.BoolRef:
        """left <= right."""
        return left <= right

    def plus(self, *terms: z3.BitVecRef) -> z3.BitVecRef:
        """The sum; 0 of none."""
        total: z3.BitVecRef = z3.BitVecVal(0, self.bits)
        for term in terms:
            total = total + term
        return total

    def minus(self, left: z3.BitVecRef, right: z3.BitVecRef) -> z3.BitVecRef:
        """left - right."""
        return left - right

    def times(self, left: z3.BitVecRef, right: z3.BitVecRef) -> z3.BitVecRef:
        """left * right."""
        return left * right

    def modulo(self, left: z3.BitVecRef, right: int) -> z3.BitVecRef:
        """The remainder, 0 .. right-1; unless right is a power of two, left is not negative."""
        if right & right - 1 == 0:
            return left & self.number(right - 1)
        return z3.URem(left, self.number(right))

    def choose(
        self, condition: z3.BoolRef, then: z3.BitVecRef, otherwise: z3.BitVecRef
    ) -> z3.BitVecRef:
        """One of two integers."""
        return word_choice(condition, then, otherwise)
