"""The limits test's arithmetic as terms, written from the semantics (sections 2 and 11).

`loops` doubles, from 1, at most once for each test: goals are split over its values, so that z3
divides by constants.
"""

from collections.abc import Callable
from dataclasses import dataclass

from ipvs_est_spec.algebra.z3_names import z3

TESTS = 12
LOOPS = tuple(1 << test for test in range(TESTS))
"""What `loops` can be before a test."""
CACHE_FACTOR = 4
DEFAULT = 8
"""`est_chain_max` if nothing was measured."""
GOAL_NS = 95_000
LEAST_NS = 1000
"""A test has to take longer than that."""
MOST_NS = 10**9
"""A test has to take less than that."""
INT = 32
TIME = 64


@dataclass(frozen=True, slots=True)
class Test:
    """What one test begins with and what it measures."""

    loops: z3.BitVecRef
    """int."""
    min_est: z3.BitVecRef
    """s32, ns; 0 = unset."""
    chain_max: z3.BitVecRef
    """int."""
    diff: z3.BitVecRef
    """s64, ns."""


@dataclass(frozen=True, slots=True)
class Result:
    """What it leaves."""

    loops: z3.BitVecRef
    min_est: z3.BitVecRef
    chain_max: z3.BitVecRef
    val: z3.BitVecRef
    """s64, ns."""
    stored: z3.BoolRef
    """`val` was stored in `min_est`, and a new `chain_max` computed."""
    by_zero: z3.BoolRef
    """For that 95000 was divided by 0."""


def test_of(loops: int) -> Test:
    """Any state, and any measured time, at that `loops`."""
    return Test(
        z3.BitVecVal(loops, INT),
        z3.BitVec("min_est", INT),
        z3.BitVec("chain_max", INT),
        z3.BitVec("diff", TIME),
    )


Quotient = Callable[[z3.BitVecRef], z3.BitVecRef]
"""95000 / min_est, for a min_est of at most 95000."""


def quotient(min_est: z3.BitVecRef) -> z3.BitVecRef:
    """The division itself; by zero it gives all ones, as SMT-LIB has it."""
    return z3.UDiv(z3.BitVecVal(GOAL_NS, INT), min_est)


def any_quotient(min_est: z3.BitVecRef) -> z3.BitVecRef:
    """Any function at all, for what does not depend on the division."""
    term = z3.Function("quotient", z3.BitVecSort(INT), z3.BitVecSort(INT))(min_est)
    assert isinstance(term, z3.BitVecRef)
    return term


def result_of(test: Test, *, ceiling: bool = True, quotient: Quotient = quotient) -> Result:
    """One test; wrong without the ceiling of 10^9 ns."""
    fast = test.diff <= LEAST_NS
    slow = test.diff >= MOST_NS if ceiling else z3.BoolVal(False)
    val = test.diff / z3.SignExt(TIME - INT, test.loops)
    less = val < z3.SignExt(TIME - INT, test.min_est)
    stored = z3.And(z3.Not(fast), z3.Not(slow), z3.Or(test.min_est == 0, less))
    low = z3.Extract(INT - 1, 0, val)
    return Result(
        z3.If(fast, test.loops * 2, test.loops),
        z3.If(stored, low, test.min_est),
        z3.If(stored, limit_of(low, quotient), test.chain_max),
        val,
        stored,
        z3.And(stored, low == 0),
    )


def limit_of(min_est: z3.BitVecRef, quotient: Quotient) -> z3.BitVecRef:
    """The `chain_max` for a cost."""
    return z3.If(min_est > GOAL_NS, z3.BitVecVal(1, INT), quotient(min_est))


def invariant(min_est: z3.BitVecRef, chain_max: z3.BitVecRef, quotient: Quotient) -> z3.BoolRef:
    """Nothing measured and the default, or a cost and its limit."""
    unset = z3.And(min_est == 0, chain_max == DEFAULT)
    known = z3.And(min_est >= 1, min_est < MOST_NS, chain_max == limit_of(min_est, quotient))
    return z3.Or(unset, known)


def answer_of(cost: z3.ArithRef, chain_max: z3.ArithRef, goal: int = GOAL_NS) -> z3.BoolRef:
    """That `chain_max` = goal / cost, rounded down, but 1 if that is 0: the division spelled out,
    for integers that do not wrap."""
    product = chain_max * cost
    return z3.If(cost > goal, chain_max == 1, z3.And(product <= goal, goal < product + cost))
