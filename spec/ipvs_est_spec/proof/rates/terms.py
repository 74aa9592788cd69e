"""The arithmetic of counters and rates as terms, written from the semantics (section 3)."""

from dataclasses import dataclass

from ipvs_est_spec.algebra.z3_names import z3

WORD = 64
WIDE = 80
"""Bits of numbers that have to hold a rate before it wraps, with a sign."""


@dataclass(frozen=True, slots=True)
class TermKind:
    """How one kind of counter is scaled."""

    name: str
    shift: int
    """A rate is a difference over 2 seconds times 2^shift; an average has one bit more."""


PACKETS = TermKind("packets and connections", 9)
BYTES = TermKind("bytes", 4)
KINDS = (PACKETS, BYTES)


def rate(kind: TermKind, last: z3.BitVecRef, now: z3.BitVecRef) -> z3.BitVecRef:
    """The scaled difference of two sums, modulo 2^64."""
    return (now - last) << kind.shift


def average(avg: z3.BitVecRef, new: z3.BitVecRef) -> z3.BitVecRef:
    """avg += (s64)(rate - avg) >> 2, modulo 2^64."""
    return avg + ((new - avg) >> 2)


def average_unsigned(avg: z3.BitVecRef, new: z3.BitVecRef) -> z3.BitVecRef:
    """Wrong: the difference is taken as unsigned."""
    return avg + z3.LShR(new - avg, 2)


def reading(kind: TermKind, avg: z3.BitVecRef) -> z3.BitVecRef:
    """What a reader gets per second, modulo 2^64."""
    return z3.LShR(avg + ((1 << kind.shift) - 1), kind.shift + 1)


def exact_average(avg: z3.ArithRef, new: z3.ArithRef) -> z3.ArithRef:
    """`average` of numbers that do not wrap: z3 rounds down here, as the shift does."""
    return avg + (new - avg) / 4


def exact_reading(kind: TermKind, avg: z3.ArithRef) -> z3.ArithRef:
    """`reading` of a number that does not wrap."""
    return (avg + ((1 << kind.shift) - 1)) / (1 << kind.shift + 1)


def wide(term: z3.BitVecRef) -> z3.BitVecRef:
    """The same number with so many bits that it has a sign and sums do not wrap."""
    return z3.ZeroExt(WIDE - WORD, term)
