"""Theorems on counters over wrapping, reading and zeroing (semantics section 3)."""

from dataclasses import dataclass, replace

from ipvs_est_spec.algebra.z3_names import z3
from ipvs_est_spec.proof.framework.theorem import Assumption, Goal, Theorem, Twin
from ipvs_est_spec.proof.rates.terms import WORD
from ipvs_est_spec.proof.rows.bit_algebra import BitVectorAlgebra
from ipvs_est_spec.properties import rates

_GROUP = "averaging"
_TRUE = WORD + 16
"""Bits of a count that does not wrap: sums of what has been counted stay below 2^79."""
_ALGEBRA = BitVectorAlgebra(_TRUE)


def _true(name: str) -> z3.BitVecRef:
    """A number that has been counted: far from wrapping."""
    return z3.ZeroExt(4, z3.BitVec(name, _TRUE - 4))


def _low(term: z3.BitVecRef, bits: int = WORD) -> z3.BitVecRef:
    """The word that is left of it."""
    return z3.ZeroExt(WORD - bits, z3.Extract(bits - 1, 0, term))


def _wide(word: z3.BitVecRef) -> z3.BitVecRef:
    return z3.ZeroExt(_TRUE - WORD, word)


def _wrapping(bits: int = WORD) -> Goal:
    """Two CPUs, each with its own word; a CPU more adds in the same way."""
    first, second = _true("first"), _true("second")
    more, others = _true("more"), _true("others")
    before = _low(first, bits) + _low(second, bits)
    after = _low(first + more, bits) + _low(second + others, bits)
    step = more + others
    assumption = Assumption(
        "step", "Less than 2^64 are counted in between.", z3.ULT(step, 1 << WORD)
    )
    conclusion = z3.And(before == _low(first + second, WORD), _wide(after - before) == step)
    shown = (
        ("first", first),
        ("second", second),
        ("more", more),
        ("others", others),
        ("seen", after - before),
    )
    return Goal("", (assumption,), conclusion, (), shown)


@dataclass(frozen=True, slots=True)
class _Stats:
    """One counter of a stats object, and beside it what was counted since boot."""

    counted: z3.BitVecRef
    """By now; as all true numbers it does not wrap."""
    estimated: z3.BitVecRef
    """As of the last estimation."""
    zeroed: z3.BitVecRef
    """What `estimated` was at the last zeroing."""
    kstats: z3.BitVecRef
    kstats0: z3.BitVecRef
    last: z3.BitVecRef


_STATS = _Stats(
    _true("counted"),
    _true("estimated"),
    _true("zeroed"),
    z3.BitVec("kstats", WORD),
    z3.BitVec("kstats0", WORD),
    z3.BitVec("last", WORD),
)


def _invariant(stats: _Stats) -> z3.BoolRef:
    return z3.And(
        z3.ULE(stats.zeroed, stats.estimated),
        z3.ULE(stats.estimated, stats.counted),
        stats.kstats == _low(stats.estimated),
        stats.kstats0 == _low(stats.zeroed),
        stats.last == stats.kstats,
        # What a reader gets, and from where the next rate starts.
        stats.kstats - stats.kstats0 == _low(stats.estimated - stats.zeroed),
        rates.equal(_ALGEBRA, [_wide(_low(stats.estimated)), _wide(stats.last)]),
    )


def _count(stats: _Stats) -> _Stats:
    return replace(stats, counted=stats.counted + _wide(z3.BitVec("step", WORD)))


def _estimate(stats: _Stats) -> _Stats:
    sums = _low(stats.counted)
    return replace(stats, estimated=stats.counted, kstats=sums, last=sums)


def _zero(stats: _Stats) -> _Stats:
    return replace(stats, zeroed=stats.estimated, kstats0=stats.kstats, last=stats.kstats)


def _zero_of_now(stats: _Stats) -> _Stats:
    """Wrong: the zero point is taken from the counters themselves."""
    return replace(stats, zeroed=stats.counted, kstats0=_low(stats.counted), last=stats.kstats)


def _step(name: str, after: _Stats) -> Goal:
    before = Assumption("before", "It was so before.", _invariant(_STATS))
    shown = (
        ("counted", _STATS.counted),
        ("kstats", _STATS.kstats),
        ("kstats0", _STATS.kstats0),
        ("read", after.kstats - after.kstats0),
    )
    return Goal(name, (before,), _invariant(after), (), shown)


def _steps() -> tuple[Goal, ...]:
    nothing = z3.BitVecVal(0, _TRUE)
    word = z3.BitVecVal(0, WORD)
    fresh = _Stats(nothing, nothing, nothing, word, word, word)
    return (
        Goal("new object", (), _invariant(fresh)),
        _step("packets", _count(_STATS)),
        _step("estimation", _estimate(_STATS)),
        _step("zeroing", _zero(_STATS)),
    )


def _exported(bits: int) -> Goal:
    """The low bits of conns and packets."""
    counters = _STATS.kstats - _STATS.kstats0
    exported = _low(counters, 32)
    conclusion = z3.And(
        (_wide(exported) == _since()) == z3.ULT(_since(), 1 << bits),
        z3.Extract(31, 0, counters) == z3.Extract(31, 0, _since()),
    )
    shown = (("kstats", _STATS.kstats), ("kstats0", _STATS.kstats0), ("exported", exported))
    return Goal("", (), conclusion, (_invariant(_STATS),), shown)


def _since() -> z3.BitVecRef:
    return _STATS.estimated - _STATS.zeroed


THEOREMS = (
    Theorem(
        "averaging.wrap",
        _GROUP,
        "When counters or their sum wrap, nothing is lost: the difference of two sums is what was"
        " counted in between, if that is less than 2^64.",
        "all counts on two CPUs; sums of more add up in the same way",
        "3",
        lambda: (_wrapping(),),
        Twin("Counters have 32 bits.", lambda: _wrapping(32)),
        second_solver=True,
    ),
    Theorem(
        "averaging.zero-read",
        _GROUP,
        "Whatever the order of packets, estimations and zeroings: a reader gets, modulo 2^64, what"
        " was counted from the estimation before the last zeroing to the last estimation, and the"
        " next rate starts from the sum at which the last one ended; packets between estimation"
        " and zeroing count after it.",
        "all counts, every number of steps, by induction",
        "3",
        _steps,
        Twin(
            "Zeroing takes the counters of now as its zero point.",
            lambda: _step("zeroing", _zero_of_now(_STATS)),
        ),
        properties=("rates.nothing-lost",),
        second_solver=True,
    ),
    Theorem(
        "averaging.export-counters",
        _GROUP,
        "The old interface's packets and connections are the low 32 bits of what was counted, so"
        " exact below 2^32.",
        "all counts",
        "3",
        lambda: (_exported(32),),
        Twin("They are exact below 2^33.", lambda: _exported(33)),
        second_solver=True,
    ),
)
