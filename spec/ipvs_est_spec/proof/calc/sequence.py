"""A theorem on the limits test as a whole: 12 tests, unrolled (semantics section 11)."""

from dataclasses import dataclass

from ipvs_est_spec.algebra.z3_names import z3
from ipvs_est_spec.proof.calc import terms
from ipvs_est_spec.proof.framework.theorem import Goal, Theorem, Twin

_GROUP = "calc"


@dataclass(frozen=True, slots=True)
class Sequence:
    """What the tests do, one after another."""

    diffs: tuple[z3.BitVecRef, ...]
    """s64, ns."""
    doublings: tuple[z3.BitVecRef, ...]
    """Before each test: `loops` = 2^doublings."""
    usable: tuple[z3.BoolRef, ...]
    """It took more than 1000 ns and less than 1 s."""
    vals: tuple[z3.BitVecRef, ...]
    """s64, ns."""
    by_zero: tuple[z3.BoolRef, ...]
    min_est: z3.BitVecRef
    """s32, after all of them."""
    loops: z3.BitVecRef
    """After all of them, as a power of two."""


def sequence_of(tests: int) -> Sequence:
    """Any measured times.

    `loops` is a power of two, so that `diff / loops` of a positive diff is a shift.
    """
    diffs = tuple(z3.BitVec(f"diff {test}", terms.TIME) for test in range(tests))
    doubled: z3.BitVecRef = z3.BitVecVal(0, terms.TIME)
    min_est: z3.BitVecRef = z3.BitVecVal(0, terms.INT)
    doublings: list[z3.BitVecRef] = []
    usables: list[z3.BoolRef] = []
    vals: list[z3.BitVecRef] = []
    by_zero: list[z3.BoolRef] = []
    for diff in diffs:
        fast = diff <= terms.LEAST_NS
        usable = z3.And(z3.Not(fast), diff < terms.MOST_NS)
        val = z3.LShR(diff, doubled)
        low = z3.Extract(terms.INT - 1, 0, val)
        less = val < z3.SignExt(terms.TIME - terms.INT, min_est)
        stored = z3.And(usable, z3.Or(min_est == 0, less))
        doublings.append(doubled)
        usables.append(usable)
        vals.append(val)
        by_zero.append(z3.And(stored, low == 0))
        min_est = z3.If(stored, low, min_est)
        doubled = z3.If(fast, doubled + 1, doubled)
    return Sequence(
        diffs,
        tuple(doublings),
        tuple(usables),
        tuple(vals),
        tuple(by_zero),
        min_est,
        z3.BitVecVal(1, terms.TIME) << doubled,
    )


def _zero(least: int = 10) -> Goal:
    """`least`: tests of at most 1000 ns after which one can divide by zero."""
    sequence = sequence_of(terms.TESTS)
    one = z3.BitVecVal(1, terms.TIME)
    short = z3.Or(
        *(
            z3.And(z3.UGE(doubled, least), diff > terms.LEAST_NS, diff < one << doubled)
            for diff, doubled in zip(sequence.diffs, sequence.doublings, strict=True)
        )
    )
    conclusion = z3.And(z3.Or(*sequence.by_zero) == short, z3.ULE(sequence.loops, 1 << terms.TESTS))
    return _named("division by zero", conclusion, sequence)


def _measured() -> tuple[Goal, ...]:
    """Where no test divides by zero. That it is the smallest: calc.minimum."""
    sequence = sequence_of(terms.TESTS)
    fails = z3.Or(*sequence.by_zero)
    wide = z3.SignExt(terms.TIME - terms.INT, sequence.min_est)
    tests = tuple(zip(sequence.usable, sequence.vals, strict=True))
    none = z3.Not(z3.Or(*sequence.usable))
    one_of_them = z3.Or(none, *(z3.And(usable, wide == val) for usable, val in tests))
    in_range = z3.And(sequence.min_est >= 1, sequence.min_est < terms.MOST_NS)
    parts = (
        ("unset", none == (sequence.min_est == 0)),
        ("range", z3.Or(none, in_range)),
        ("one of them", one_of_them),
    )
    return tuple(_named(name, z3.Or(fails, part), sequence) for name, part in parts)


def _named(name: str, conclusion: z3.BoolRef, sequence: Sequence) -> Goal:
    shown = tuple((f"diff {test}", diff) for test, diff in enumerate(sequence.diffs))
    return Goal(name, (), conclusion, (), shown)


THEOREMS = (
    Theorem(
        "calc.sequence",
        _GROUP,
        "Of 12 tests as a whole: one divides by zero exactly if at least 10 before it took at most"
        " 1000 ns and it takes more than that, but less ns than loops; else min_est is the quotient"
        " of one of the tests that took 1001 to 999999999 ns, 1 ns or more, or unset if none did.",
        "all sequences of 12 measured times of 64 bits",
        "11",
        lambda: (_zero(), *_measured()),
        Twin("Only after 11 such tests.", lambda: _zero(11)),
        properties=("limits.division",),
    ),
)
