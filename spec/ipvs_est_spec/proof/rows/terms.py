"""The choice of row and chain as bit-vector terms, written from the semantics (section 5)."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from functools import cache

from ipvs_est_spec.algebra.z3_names import z3
from ipvs_est_spec.algebra.z3_terms import equality, word_choice

WORD = 64
"""Bits of a bitmap: one word, as in every geometry looked at."""
INDEX = 10
"""Bits of an index: sums of two 8-bit rows do not wrap."""


@dataclass(frozen=True, slots=True)
class Choice:
    """The inputs of one enqueue, as terms of INDEX bits but for `avail` of WORD bits."""

    nticks: z3.BitVecRef
    avail: z3.BitVecRef
    est_row: z3.BitVecRef
    add_row: z3.BitVecRef
    delay: z3.BitVecRef
    """The delay wanted, in ticks; nticks-1 for a new estimator."""
    few: z3.BoolRef
    """`est_count` < 2 * `tick_max`."""


@cache
def index(value: int) -> z3.BitVecRef:
    """A constant row or chain."""
    return z3.BitVecVal(value, INDEX)


def size_between(size: z3.BitVecRef, least: int, most: int) -> tuple[z3.BoolRef, ...]:
    """The definition of a size."""
    if least == most:
        return (size == index(most),)
    return (z3.ULE(index(least), size), z3.ULE(size, index(most)))


def mask_below(size: z3.BitVecRef) -> z3.BitVecRef:
    """The word whose bits below `size` are set; a shift by 64 leaves nothing."""
    return (z3.BitVecVal(1, WORD) << _wide(size)) - 1


def bit(word: z3.BitVecRef, number: z3.BitVecRef) -> z3.BoolRef:
    """Whether that bit, which may be any index, is set."""
    return z3.Extract(0, 0, z3.LShR(word, _wide(number))) == 1


def highest(word: z3.BitVecRef, none: z3.BitVecRef) -> z3.BitVecRef:
    """The highest set bit of the word, or `none`."""
    return _first_of(word, range(WORD - 1, -1, -1), none)


def lowest(word: z3.BitVecRef, none: z3.BitVecRef) -> z3.BitVecRef:
    """The lowest set bit of the word, or `none`."""
    return _first_of(word, range(WORD), none)


def _first_of(word: z3.BitVecRef, order: Iterable[int], none: z3.BitVecRef) -> z3.BitVecRef:
    answer, one = none, z3.BitVecVal(1, 1)
    for number in reversed(list(order)):
        is_set = equality(z3.Extract(number, number, word), one)
        answer = word_choice(is_set, index(number), answer)
    return answer


def is_new(choice: Choice) -> z3.BoolRef:
    """Whether the estimator counts as a new one."""
    return choice.delay == choice.nticks - 1


def wanted_row(choice: Choice) -> z3.BitVecRef:
    """`crow` (section 5.2)."""
    from_add_row = z3.And(is_new(choice), choice.few)
    base = z3.If(from_add_row, choice.add_row, choice.est_row)
    return z3.URem(base + choice.delay, choice.nticks)


def available(choice: Choice) -> z3.BitVecRef:
    """The rows that have room, without bits at or above `nticks`."""
    return choice.avail & mask_below(choice.nticks)


Chooser = Callable[[Choice], z3.BitVecRef]
ChainChooser = Callable[[z3.BitVecRef, z3.BitVecRef], z3.BitVecRef]


def chosen_row(choice: Choice) -> z3.BitVecRef:
    """The row that is used (section 5.3); `nticks` if the searches find nothing."""
    return z3.If(is_new(choice), latest_row(choice), earliest_row(choice))


def latest_row(choice: Choice) -> z3.BitVecRef:
    """For a new one: the highest available row at or below the wanted one, else the highest."""
    rows, none = available(choice), choice.nticks
    below = rows & mask_below(wanted_row(choice) + 1)
    return z3.If(below != 0, highest(below, none), highest(rows, none))


def earliest_row(choice: Choice) -> z3.BitVecRef:
    """For a relinked one: the lowest available row at or above the wanted one, else the lowest."""
    rows, none = available(choice), choice.nticks
    above = rows & ~mask_below(wanted_row(choice))
    return z3.If(above != 0, lowest(above, none), lowest(rows, none))


def chosen_chain(full: z3.BitVecRef, chains: z3.BitVecRef) -> z3.BitVecRef:
    """The first chain that is not full (section 5.4), else `chains`."""
    return lowest(~full & mask_below(chains), chains)


def ticks_between(first: z3.BitVecRef, then: z3.BitVecRef, nticks: z3.BitVecRef) -> z3.BitVecRef:
    """Ticks from one row's turn to another's, 0 .. nticks-1; both rows below `nticks`."""
    return z3.If(z3.ULE(first, then), then - first, then + nticks - first)


def _wide(value: z3.BitVecRef) -> z3.BitVecRef:
    return z3.ZeroExt(WORD - INDEX, value)
