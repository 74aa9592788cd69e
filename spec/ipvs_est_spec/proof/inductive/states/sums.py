"""What the induction takes from the sums of lengths: a change of one summand, and bounds.

For 48 chains and 50 rows, summand by summand; the sum of one chain is its length. A sum does not
depend on the order of its summands, so those that are spoken of are the first ones.
"""

from collections.abc import Callable

from ipvs_est_spec.algebra.z3_names import z3
from ipvs_est_spec.proof.framework.theorem import Assumption, Goal, Theorem, Twin

SIZES = (48, 50)
_SCOPE = "all lengths and limits; 48 chains, 50 rows"
_SOURCE = "1; the facts of the induction"


def _summands(size: int) -> list[z3.ArithRef]:
    return [z3.Int(f"length {index}") for index in range(size)]


def _change(size: int, places: int = 1) -> Goal:
    """One summand grows by so much, and so does the sum."""
    lengths, place, more = _summands(size), z3.Int("place"), z3.Int("more")
    changed = [
        z3.If(z3.And(place <= index, index < place + places), length + more, length)
        for index, length in enumerate(lengths)
    ]
    inside = Assumption(
        "inside", "The summand is one of them.", z3.And(place >= 0, place < z3.IntVal(size))
    )
    return Goal(
        f"{size}",
        (inside,),
        z3.Sum(*changed) == z3.Sum(*lengths) + more,
        shown=(("place", place), ("more", more)),
    )


def _parts(size: int, least: int = 0) -> Goal:
    """Two of them, or one, are at most the sum."""
    lengths = _summands(size)
    total = z3.Sum(*lengths)
    natural = Assumption(
        "natural", "No length is negative.", z3.And(*(length >= least for length in lengths))
    )
    conclusion = z3.And(lengths[0] <= total, lengths[0] + lengths[1] <= total)
    return Goal(f"{size}", (natural,), conclusion, shown=(("the sum", total),))


def _bounded(size: int, over: int = 0) -> Goal:
    """The sum lacks at least what two of them lack."""
    lengths, limit = _summands(size), z3.Int("limit")
    bounded = Assumption(
        "bounded", "No length is over the limit.", z3.And(*(x <= limit + over for x in lengths))
    )
    missing = limit * size - z3.Sum(*lengths)
    two = (limit - lengths[0]) + (limit - lengths[1])
    conclusion = z3.And(limit - lengths[0] <= missing, two <= missing)
    return Goal(f"{size}", (bounded,), conclusion, shown=(("limit", limit), ("missing", missing)))


def _reached(size: int, under: int = 0) -> Goal:
    """The sum lacks at most what the only short one lacks."""
    lengths, limit = _summands(size), z3.Int("limit")
    reached = Assumption(
        "reached",
        "All but one are at the limit or over it.",
        z3.And(*(x >= limit - under for x in lengths[1:])),
    )
    missing = limit * size - z3.Sum(*lengths)
    conclusion = missing <= limit - lengths[0]
    return Goal(f"{size}", (reached,), conclusion, shown=(("limit", limit), ("missing", missing)))


def _nothing(size: int, most: int = 0) -> Goal:
    """The sum is nothing."""
    lengths = _summands(size)
    none = Assumption(
        "nothing",
        "Each length is 0.",
        z3.And(*(z3.And(length >= 0, length <= most) for length in lengths)),
    )
    total = z3.Sum(*lengths)
    return Goal(f"{size}", (none,), total == 0, shown=(("the sum", total),))


def _theorem(
    id_: str, sentence: str, goal: Callable[[int], Goal], wrong: str, twin: Callable[[], Goal]
) -> Theorem:
    return Theorem(
        f"sums.{id_}",
        "induction",
        sentence,
        _SCOPE,
        _SOURCE,
        lambda: tuple(goal(size) for size in SIZES),
        Twin(wrong, twin),
    )


THEOREMS = (
    _theorem(
        "change",
        "If one summand changes by so much, so does the sum.",
        _change,
        "Two summands change.",
        lambda: _change(48, 2),
    ),
    _theorem(
        "parts",
        "A sum of lengths is at least one of them, and at least two together.",
        _parts,
        "A length may be -1.",
        lambda: _parts(48, -1),
    ),
    _theorem(
        "bounded",
        "If no length is over the limit, the sum lacks at least what two of them lack.",
        _bounded,
        "A length may be one over the limit.",
        lambda: _bounded(48, 1),
    ),
    _theorem(
        "reached",
        "If all lengths but one reach the limit, the sum lacks at most what that one lacks.",
        _reached,
        "They may be one short of it.",
        lambda: _reached(48, 1),
    ),
    _theorem(
        "nothing",
        "A sum of lengths that are all 0 is 0.",
        _nothing,
        "A length may be 1.",
        lambda: _nothing(48, 1),
    ),
)
