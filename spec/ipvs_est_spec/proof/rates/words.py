"""Theorems on the 64-bit arithmetic of counters and rates, bit for bit (semantics section 3)."""

from collections.abc import Callable

from ipvs_est_spec.algebra.z3_names import z3
from ipvs_est_spec.proof.framework.theorem import Assumption, Goal, Theorem, Twin
from ipvs_est_spec.proof.rates import terms
from ipvs_est_spec.proof.rates.terms import BYTES, KINDS, PACKETS, WORD, TermKind
from ipvs_est_spec.proof.rows.bit_algebra import BitVectorAlgebra
from ipvs_est_spec.properties import rates

_GROUP = "averaging"
_SCOPE = "all 64-bit averages and sums; packets and connections, and bytes"
_ALGEBRA = BitVectorAlgebra(terms.WIDE)

_BEFORE = z3.BitVec("before", WORD)
_LAST = z3.BitVec("last", WORD)
_NOW = z3.BitVec("now", WORD)

_Averager = Callable[[z3.BitVecRef, z3.BitVecRef], z3.BitVecRef]


def _after(kind: TermKind, averager: _Averager) -> z3.BitVecRef:
    return averager(_BEFORE, terms.rate(kind, _LAST, _NOW))


def _shown(kind: TermKind, after: z3.BitVecRef) -> tuple[tuple[str, z3.ExprRef], ...]:
    return (
        ("shift", z3.IntVal(kind.shift)),
        ("before", _BEFORE),
        ("last", _LAST),
        ("now", _NOW),
        ("after", after),
    )


def _case(kind: TermKind, after: z3.BitVecRef) -> list[z3.BitVecRef]:
    words = [terms.wide(term) for term in (_BEFORE, _LAST, _NOW, after)]
    return [*words, _ALGEBRA.number(1 << kind.shift)]


def _averaged(kind: TermKind, averager: _Averager = terms.average) -> Goal:
    after = _after(kind, averager)
    conclusion = rates.averaged(_ALGEBRA, _case(kind, after))
    return Goal(kind.name, (), conclusion, (), _shown(kind, after))


def _in_range(kind: TermKind, averager: _Averager = terms.average) -> Goal:
    after = _after(kind, averager)
    conclusion = rates.in_range(_ALGEBRA, _case(kind, after))
    return Goal(kind.name, (), conclusion, (), _shown(kind, after))


def _without_wrapping() -> z3.BitVecRef:
    """before + (new - before) / 4, rounded down, in a word that holds it all."""
    before, new = terms.wide(_BEFORE), terms.wide(z3.BitVec("new", WORD))
    return before + ((new - before) >> 2)


def _sign(kind: TermKind, most: int = 0) -> Goal:
    """No sign error while less than 2^(63-shift) are counted in a revolution."""
    after = _after(kind, terms.average)
    rate = terms.rate(kind, _LAST, _NOW)
    step = 1 << WORD - 1 - kind.shift
    exact = terms.wide(_BEFORE) + (
        ((terms.wide(_NOW - _LAST) << kind.shift) - terms.wide(_BEFORE)) >> 2
    )
    assumptions = (
        Assumption(
            "traffic",
            "Less than 2^54 packets or connections, or 2^59 bytes, are counted in a revolution.",
            z3.ULT(_NOW - _LAST, step + most),
        ),
        Assumption("before", "The average is below 2^63.", z3.ULT(_BEFORE, 1 << WORD - 1)),
    )
    conclusion = z3.And(
        terms.wide(after) == exact,
        z3.ULT(after, 1 << WORD - 1),
        z3.Or(z3.ULE(after, _BEFORE), z3.ULE(after, rate)),
    )
    return Goal(kind.name, assumptions, conclusion, (), _shown(kind, after))


def _sign_exactly(span: int = 63) -> Goal:
    new = z3.BitVec("new", WORD)
    after = terms.average(_BEFORE, new)
    distance = terms.wide(new) - terms.wide(_BEFORE)
    half = 1 << span
    right = terms.wide(after) == _without_wrapping()
    conclusion = right == z3.And(-half <= distance, distance < half)
    shown = (("before", _BEFORE), ("new", new), ("after", after))
    return Goal("", (), conclusion, (), shown)


def _nearest(kind: TermKind, *, half: int = 1) -> Goal:
    """The reading is the average per second, rounded to the nearest, a half down."""
    unit = 1 << kind.shift + 1
    read = z3.LShR(_BEFORE + ((1 << kind.shift) - half), kind.shift + 1)
    assumption = Assumption(
        "no-wrap",
        "The average is not within half a unit of 2^64.",
        z3.ULE(_BEFORE, (1 << WORD) - (1 << kind.shift)),
    )
    scaled, avg = terms.wide(read) << kind.shift + 1, terms.wide(_BEFORE)
    conclusion = z3.And(-unit <= 2 * (scaled - avg), 2 * (scaled - avg) < unit)
    shown = (("shift", z3.IntVal(kind.shift)), ("before", _BEFORE), ("read", read))
    return Goal(kind.name, (assumption,), conclusion, (), shown)


def _at_rest(kind: TermKind, *, rounding: bool = True) -> Goal:
    """An average stays exactly if it is 0 to 3 units below the rate, and then reads as it."""
    counted = z3.BitVec("counted", WORD)
    new = counted << kind.shift
    after = terms.average(_BEFORE, new)
    below = z3.And(z3.ULE(_BEFORE, new), z3.ULE(new - _BEFORE, 3))

    def read(avg: z3.BitVecRef) -> z3.BitVecRef:
        return terms.reading(kind, avg) if rounding else z3.LShR(avg, kind.shift + 1)

    definitions = (
        z3.ULT(counted, 1 << WORD - 1 - kind.shift),
        z3.ULT(_BEFORE, 1 << WORD - 1),
    )
    exact = z3.LShR(counted, 1)
    conclusion = z3.And(
        (after == _BEFORE) == below,
        z3.Implies(below, read(_BEFORE) == exact),
    )
    shown = (
        ("shift", z3.IntVal(kind.shift)),
        ("before", _BEFORE),
        ("counted", counted),
        ("read", read(_BEFORE)),
    )
    return Goal(kind.name, (), conclusion, definitions, shown)


def _exported(kind: TermKind, bits: int) -> Goal:
    """The low 32 bits are the reading exactly below 2^32 a second."""
    read = terms.reading(kind, _BEFORE)
    low = z3.ZeroExt(32, z3.Extract(31, 0, read))
    assumption = Assumption(
        "no-wrap",
        "The average is not within half a unit of 2^64.",
        z3.ULE(_BEFORE, (1 << WORD) - (1 << kind.shift)),
    )
    bound = (1 << bits) - ((1 << kind.shift) - 1)
    shown = (("shift", z3.IntVal(kind.shift)), ("before", _BEFORE), ("read", read), ("low", low))
    return Goal(kind.name, (assumption,), (low == read) == z3.ULT(_BEFORE, bound), (), shown)


THEOREMS = (
    Theorem(
        "averaging.step",
        _GROUP,
        "One estimation fulfils the catalogue's predicate: a quarter of the distance, rounded"
        " down, modulo 2^64.",
        _SCOPE,
        "3",
        lambda: tuple(_averaged(kind) for kind in KINDS),
        Twin(
            "The difference is taken as unsigned.",
            lambda: _averaged(PACKETS, terms.average_unsigned),
        ),
        properties=("rates.average",),
        second_solver=True,
    ),
    Theorem(
        "averaging.range",
        _GROUP,
        "One estimation fulfils the catalogue's predicate: while rate and average are below 2^63"
        " the average stays between its old value and the rate.",
        _SCOPE,
        "3",
        lambda: tuple(_in_range(kind) for kind in KINDS),
        Twin(
            "The difference is taken as unsigned.",
            lambda: _in_range(BYTES, terms.average_unsigned),
        ),
        properties=("rates.range",),
        second_solver=True,
    ),
    Theorem(
        "averaging.sign",
        _GROUP,
        "Below 2^54 packets (9.0e15 a second) and 2^59 bytes (2.9e17 a second, 2.3 Ebit/s) in a"
        " revolution no sign is wrong: the 64-bit result is the exact one, at most the larger of"
        " old average and rate, so below 2^63 again.",
        _SCOPE,
        "3",
        lambda: tuple(_sign(kind) for kind in KINDS),
        Twin("One more packet may be counted.", lambda: _sign(PACKETS, 1)),
        second_solver=True,
    ),
    Theorem(
        "averaging.sign-exact",
        _GROUP,
        "The 64-bit result is the exact one exactly if rate and average are at most 2^63 apart,"
        " and less than that if the rate is the larger.",
        "all 64-bit averages and rates",
        "3",
        lambda: (_sign_exactly(),),
        Twin("It is the exact one only up to half of that.", lambda: _sign_exactly(62)),
        second_solver=True,
    ),
    Theorem(
        "averaging.reading",
        _GROUP,
        "A rate that is read is the average rounded to the nearest number per second, a half down,"
        " unless that is within half a unit of 2^64.",
        _SCOPE,
        "3",
        lambda: tuple(_nearest(kind) for kind in KINDS),
        Twin("A half is rounded up.", lambda: _nearest(PACKETS, half=0)),
        second_solver=True,
    ),
    Theorem(
        "averaging.rest",
        _GROUP,
        "At a constant load an average comes to rest exactly if it is the rate or up to 3 units"
        " below, and then the reading is the load exactly, rounded down to a whole one per"
        " second.",
        "all averages and rates below 2^63; packets and connections, and bytes",
        "3",
        lambda: tuple(_at_rest(kind) for kind in KINDS),
        Twin("Readers do not round.", lambda: _at_rest(PACKETS, rounding=False)),
        second_solver=True,
    ),
    Theorem(
        "averaging.export",
        _GROUP,
        "Unless the average is within half a unit of 2^64, the old interface's low 32 bits of a"
        " rate are the rate exactly while it reads below 2^32: 4.3e9 packets a second, but only"
        " 34.4 Gbit/s; above, 2^32 are missing each time.",
        _SCOPE,
        "3",
        lambda: (_exported(PACKETS, 42), _exported(BYTES, 37)),
        Twin("Rates of bytes have the bound of packets.", lambda: _exported(BYTES, 42)),
        second_solver=True,
    ),
)
