"""Theorems on many estimations in a row, by induction over their number (semantics section 3).

The numbers do not wrap here: `averaging.sign` says when they do not.
"""

from collections.abc import Callable

from ipvs_est_spec.algebra.z3_algebra import Z3Algebra
from ipvs_est_spec.algebra.z3_names import z3
from ipvs_est_spec.proof.framework.theorem import Assumption, Goal, Theorem, Twin
from ipvs_est_spec.proof.rates import terms
from ipvs_est_spec.proof.rates.terms import BYTES, PACKETS, TermKind
from ipvs_est_spec.properties import rates

_GROUP = "averaging"
_ALGEBRA = Z3Algebra()
_SCOPE = "all averages, all constant rates and every number of estimations"

_first, _avg, _rate = z3.Int("first"), z3.Int("avg"), z3.Int("rate")
_threes, _fours = z3.Int("threes"), z3.Int("fours")
# What is true of 3^n and 4^n for every n, and enough.
_POWERS = (_threes >= 1, _fours >= _threes)
_NONE = z3.IntVal(1)

_Averager = Callable[[z3.ArithRef, z3.ArithRef], z3.ArithRef]


def _each_quarter_rounded(avg: z3.ArithRef, new: z3.ArithRef) -> z3.ArithRef:
    """Wrong: the two quarters are rounded by themselves."""
    return avg - avg / 4 + new / 4


def _unsigned(avg: z3.ArithRef, new: z3.ArithRef) -> z3.ArithRef:
    """Wrong: the difference is taken as unsigned."""
    return (avg + (new - avg) % rates.SPAN / 4) % rates.SPAN


def _shown(after: z3.ArithRef) -> tuple[tuple[str, z3.ExprRef], ...]:
    return (("first", _first), ("avg", _avg), ("rate", _rate), ("after", after))


def _convergence() -> tuple[Goal, ...]:
    start = rates.converges(_ALGEBRA, [_first, _first, _rate, _NONE, _NONE])
    return (Goal("start", (), start, (), _shown(_first)), _convergence_step(_threes, _fours))


def _convergence_step(threes: z3.ArithRef, fours: z3.ArithRef, kept: int = 3) -> Goal:
    after = terms.exact_average(_avg, _rate)
    before = Assumption(
        "before",
        "The predicate held before.",
        rates.converges(_ALGEBRA, [_first, _avg, _rate, threes, fours]),
    )
    conclusion = rates.converges(_ALGEBRA, [_first, after, _rate, kept * threes, 4 * fours])
    return Goal("step", (before,), conclusion, _POWERS, _shown(after))


def _falling() -> tuple[Goal, ...]:
    start = _fallen(_first, _NONE, _NONE)
    from_above = Assumption("above", "The first average is at least the rate.", _first >= _rate)
    return (
        Goal("start", (from_above,), start, (), _shown(_first)),
        _falling_step(_threes, _fours),
    )


def _fallen(avg: z3.ArithRef, threes: z3.ArithRef, fours: z3.ArithRef) -> z3.BoolRef:
    """Not below the rate, and no more above it than (3/4)^n of the first distance."""
    return z3.And(avg >= _rate, (avg - _rate) * fours <= (_first - _rate) * threes)


def _falling_step(threes: z3.ArithRef, fours: z3.ArithRef, kept: int = 3) -> Goal:
    after = terms.exact_average(_avg, _rate)
    before = Assumption("before", "It held before.", _fallen(_avg, threes, fours))
    conclusion = _fallen(after, kept * threes, 4 * fours)
    return Goal("step", (before,), conclusion, _POWERS, _shown(after))


def _error() -> tuple[Goal, ...]:
    start = rates.close_to_exact(_ALGEBRA, [_first, _first, _NONE])
    return (Goal("start", (), start, (), _shown(_first)), _error_step(_fours))


def _error_step(fours: z3.ArithRef, averager: _Averager = terms.exact_average) -> Goal:
    exact = z3.Int("exact")
    after = averager(_avg, _rate)
    before = Assumption(
        "before",
        "The predicate held before.",
        rates.close_to_exact(_ALGEBRA, [_avg * fours, exact, fours]),
    )
    following = 3 * exact + _rate * fours
    conclusion = rates.close_to_exact(_ALGEBRA, [after * 4 * fours, following, 4 * fours])
    definitions = (fours >= 1, _avg >= 0, _rate >= 0)
    shown = (*_shown(after), ("exact", exact))
    return Goal("step", (before,), conclusion, definitions, shown)


def _monotone(averager: _Averager = terms.exact_average) -> Goal:
    other, higher = z3.Int("other"), z3.Int("higher")
    low, high = averager(_avg, _rate), averager(other, higher)
    half = rates.HALF
    definitions = tuple(z3.And(term >= 0, term < half) for term in (_avg, other, _rate, higher))
    assumptions = (
        Assumption("averages", "One average is at most the other.", _avg <= other),
        Assumption("rates", "So is its rate.", _rate <= higher),
    )
    conclusion = z3.And(
        low <= high,
        *(
            terms.exact_reading(term_kind, low) <= terms.exact_reading(term_kind, high)
            for term_kind in (PACKETS, BYTES)
        ),
    )
    shown = (("avg", _avg), ("rate", _rate), ("other", other), ("higher", higher), ("low", low))
    return Goal("", assumptions, conclusion, definitions, (*shown, ("high", high)))


def _left(revolutions: int, part: int, least: int = 0) -> Goal:
    """Of a distance of `least` or more not more than one `part`-th is left, and 3 units."""
    name = f"{revolutions} revolutions"
    threes, fours = z3.IntVal(3**revolutions), z3.IntVal(4**revolutions)
    reached = Assumption(
        "converged",
        "The predicate holds (averaging.converges).",
        rates.converges(_ALGEBRA, [_first, _avg, _rate, threes, fours]),
    )
    conclusion = part * (_rate - _avg - rates.LARGEST_ERROR) <= _rate - _first
    definitions = (_first >= 0, _first + least <= _rate, _rate < rates.HALF)
    return Goal(name, (reached,), conclusion, definitions, _shown(_avg))


def _final_from_below(kind: TermKind, bits: int, revolutions: int) -> Goal:
    """The reading is what it stays."""
    threes, fours = z3.IntVal(3**revolutions), z3.IntVal(4**revolutions)
    counted = z3.Int("counted")
    reached = Assumption(
        "converged",
        "The predicate holds (averaging.converges).",
        rates.converges(_ALGEBRA, [_first, _avg, _rate, threes, fours]),
    )
    rising = Assumption("rising", "The average has not passed the rate.", _avg <= _rate)
    definitions = (_rate == counted * (1 << kind.shift), *_below(bits), _avg >= 0)
    conclusion = terms.exact_reading(kind, _avg) == counted / 2
    name = f"{kind.name} below 2^{bits} from below"
    return Goal(name, (reached, rising), conclusion, definitions, _shown(_avg))


def _final_from_above(bits: int, revolutions: int, least: int = 0) -> Goal:
    """The average is the rate itself, if it was `least` or more above."""
    threes, fours = z3.IntVal(3**revolutions), z3.IntVal(4**revolutions)
    fallen = Assumption("fallen", "It has fallen (averaging.falls).", _fallen(_avg, threes, fours))
    name = f"averages below 2^{bits} from above"
    definitions = (*_below(bits), _first >= _rate + least)
    return Goal(name, (fallen,), _avg == _rate, definitions, _shown(_avg))


def _below(bits: int) -> tuple[z3.BoolRef, ...]:
    limit = 1 << bits
    return (_first >= 0, _first < limit, _rate >= 0, _rate < limit)


def _final() -> tuple[Goal, ...]:
    return (
        _final_from_below(PACKETS, 63, 131),
        _final_from_below(BYTES, 63, 144),
        _final_from_above(63, 152),
        _final_from_below(PACKETS, 42, 80),
        _final_from_below(BYTES, 42, 93),
        _final_from_above(42, 102),
    )


_gap_ms, _gap_rate = z3.Int("gap_ms"), z3.Int("gap_rate")
_PERIOD_MS = 2000
"""A rate is taken as one over 2 seconds, however long it was."""


def _steady(kind: TermKind) -> tuple[tuple[z3.BoolRef, ...], Assumption, z3.ArithRef]:
    """A load at which the average rests, and a gap in which it goes on; what it counts in 2 s."""
    counted = z3.Int("counted")
    definitions = (
        counted >= 0,
        _gap_ms >= 0,
        _rate == counted * (1 << kind.shift),
        # Scaled, all that was counted in the gap.
        _PERIOD_MS * _gap_rate == _rate * _gap_ms,
    )
    at_rest = Assumption(
        "rest",
        "The average was at rest (averaging.rest).",
        z3.And(_first <= _rate, _rate <= _first + rates.LARGEST_ERROR),
    )
    return definitions, at_rest, counted


def _gap_shown(
    kind: TermKind, counted: z3.ArithRef, after: z3.ArithRef
) -> tuple[tuple[str, z3.ExprRef], ...]:
    return (
        ("shift", z3.IntVal(kind.shift)),
        ("counted", counted),
        ("gap_ms", _gap_ms),
        *_shown(after),
    )


def _first_after_gap(kind: TermKind, parts: int = 3) -> Goal:
    """parts/4 + G/8 of the rate, less at most 3 units; and so what is read, rounded."""
    definitions, at_rest, counted = _steady(kind)
    after = terms.exact_average(_first, _gap_rate)
    unit = 4 * _PERIOD_MS
    exact = parts * _PERIOD_MS + _gap_ms
    read = terms.exact_reading(kind, after)
    rest = -(-unit * rates.LARGEST_ERROR // (1 << kind.shift))
    conclusion = z3.And(
        unit * after <= _rate * exact,
        _rate * exact <= unit * (after + rates.LARGEST_ERROR),
        2 * unit * read <= counted * exact + unit,
        counted * exact <= 2 * unit * read + unit + rest,
    )
    shown = _gap_shown(kind, counted, after)
    return Goal(f"first estimation, {kind.name}", (at_rest,), conclusion, definitions, shown)


def _excess(avg: z3.ArithRef, threes: z3.ArithRef, fours: z3.ArithRef) -> z3.BoolRef:
    """n estimations after the first: (3/4)^n of its excess is left, less at most 3 units."""
    exact = 4 * fours * _rate + threes * (_gap_rate - _rate)
    return z3.And(4 * fours * avg <= exact, exact <= 4 * fours * (avg + rates.LARGEST_ERROR))


def _gap_start() -> Goal:
    definitions, at_rest, counted = _steady(PACKETS)
    after = terms.exact_average(_first, _gap_rate)
    shown = _gap_shown(PACKETS, counted, after)
    return Goal("start", (at_rest,), _excess(after, _NONE, _NONE), definitions, shown)


def _gap_step(threes: z3.ArithRef, fours: z3.ArithRef, kept: int = 3, least: int = 0) -> Goal:
    """Of rates of `least` or more."""
    after = terms.exact_average(_avg, _rate)
    before = Assumption("before", "It held before.", _excess(_avg, threes, fours))
    shown = (*_shown(after), ("gap_rate", _gap_rate))
    conclusion = _excess(after, kept * threes, 4 * fours)
    definitions = (*_POWERS, _avg >= 0, _rate >= least, _gap_rate >= 0)
    return Goal("step", (before,), conclusion, definitions, shown)


def _faded(gap_s: int, revolutions: int, part: int = 100) -> Goal:
    """After a gap of at most so long, not more than one `part`-th of the rate is too much."""
    definitions, _, _ = _steady(PACKETS)
    threes, fours = z3.IntVal(3**revolutions), z3.IntVal(4**revolutions)
    excess = Assumption("excess", "It held.", _excess(_avg, threes, fours))
    short = Assumption("gap", f"The gap is at most {gap_s} s.", _gap_ms <= 1000 * gap_s)
    conclusion = part * (_avg - _rate) <= _rate
    name = f"gap of {gap_s} s, {revolutions} revolutions"
    return Goal(name, (excess, short), conclusion, definitions, _shown(_avg))


def _gap() -> tuple[Goal, ...]:
    return (
        *(_first_after_gap(term_kind) for term_kind in (PACKETS, BYTES)),
        _gap_start(),
        _gap_step(_threes, _fours),
        _faded(10, 17),
        _faded(60, 23),
        _faded(3600, 38),
    )


THEOREMS = (
    Theorem(
        "averaging.monotone",
        _GROUP,
        "More traffic never makes an average or what is read of it smaller: both are monotone in"
        " the old average and in the rate.",
        "all averages and rates below 2^63",
        "3",
        lambda: (_monotone(),),
        Twin("The difference is taken as unsigned.", lambda: _monotone(_unsigned)),
        second_solver=True,
    ),
    Theorem(
        "averaging.converges",
        _GROUP,
        "At a constant load of the distance to it at most (3/4)^n is left after n revolutions, and"
        " 3 units: the catalogue's predicate, by induction over n.",
        _SCOPE,
        "3",
        _convergence,
        Twin(
            "Half of the distance is left.",
            lambda: _convergence_step(_NONE, _NONE, kept=2),
        ),
        properties=("rates.converges",),
    ),
    Theorem(
        "averaging.falls",
        _GROUP,
        "From above an average never passes the rate, and no more than (3/4)^n of the distance is"
        " left after n revolutions, without any rest.",
        _SCOPE,
        "3",
        _falling,
        Twin("Half of the distance is left.", lambda: _falling_step(_NONE, _NONE, kept=2)),
    ),
    Theorem(
        "averaging.error",
        _GROUP,
        "After any number of revolutions the average is less than 3 units below exact averaging,"
        " and never above: the catalogue's predicate, by induction.",
        "all averages, all sequences of rates and every number of estimations",
        "3",
        _error,
        Twin(
            "The quarters of average and rate are rounded by themselves.",
            lambda: _error_step(_NONE, _each_quarter_rounded),
        ),
        properties=("rates.error",),
    ),
    Theorem(
        "averaging.settles",
        _GROUP,
        "After 9 revolutions (18 s) at most a tenth of a step in the load is missing, after 17"
        " (34 s) a hundredth, after 25 (50 s) a thousandth, beside 3 units of scale.",
        "all steps up at realistic traffic",
        "3",
        lambda: (_left(9, 10), _left(17, 100), _left(25, 1000)),
        Twin("After 16 revolutions a hundredth.", lambda: _left(16, 100, 1 << 20)),
        properties=("rates.converges",),
    ),
    Theorem(
        "averaging.final",
        _GROUP,
        "At a constant load the reading is final, and the load exactly, after at most 152"
        " revolutions (304 s) whatever was before; after 102 (204 s) if both loads are below 2^32"
        " packets or 2^37 bytes a second.",
        "all realistic averages and rates",
        "3",
        _final,
        Twin(
            "Averages below 2^63 have fallen after 140 revolutions.",
            lambda: _final_from_above(63, 140, 1 << 62),
        ),
        properties=("rates.converges",),
    ),
    Theorem(
        "averaging.gap",
        _GROUP,
        "When the last estimation was G seconds ago, a steady load at which the average rested is"
        " read as 3/4 + G/8 of itself, less at most 3 units of scale and rounded; with each"
        " revolution after that 3/4 of the excess, G/8 - 1/4, are left: a hundredth of the load"
        " after 17, 23, 38 revolutions for gaps of up to 10 s, a minute, an hour.",
        "all loads, all gaps in ms; every number of estimations, by induction",
        "3, 12",
        _gap,
        Twin(
            "Half of the excess is left.",
            lambda: _gap_step(_NONE, _NONE, kept=2, least=1 << PACKETS.shift),
        ),
    ),
)
