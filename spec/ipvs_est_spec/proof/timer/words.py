"""Theorems on single steps of `est_timer`, with jiffies of 32 and 64 bits that wrap (semantics 8,
9)."""

from collections.abc import Callable

from ipvs_est_spec.algebra.z3_names import z3
from ipvs_est_spec.proof.framework.theorem import Assumption, Goal, Theorem, Twin
from ipvs_est_spec.proof.timer import terms
from ipvs_est_spec.proof.timer.terms import CATCH_UP_TICKS, START_TICKS, WORDS

_GROUP = "timer"
_SCOPE = "all est_timer and jiffies, of 32 and of 64 bits; every tick up to 4000 jiffies"
_EXTRA = 8
"""Bits more for times that do not wrap."""

_Head = Callable[[z3.BitVecRef, z3.BitVecRef, z3.BitVecRef], tuple[z3.BitVecRef, z3.BitVecRef]]


class _Words:
    """The inputs of one step, of so many bits."""

    def __init__(self, bits: int) -> None:
        self.name = f"{bits} bits"
        self.now = z3.BitVec("now", bits)
        # Any est_timer is some distance from now; said so, solvers find it much easier.
        self.est_timer = self.now + z3.BitVec("gap", bits)
        self.tick = z3.BitVec("tick", bits)
        self.definitions = (self.tick >= 1, self.tick <= terms.MOST_TICK)
        self.shown = (
            ("bits", z3.IntVal(bits)),
            ("tick", self.tick),
            ("now", self.now),
            ("est_timer", self.est_timer),
        )


def _classes(bits: int, cut_ticks: int = 1) -> Goal:
    words = _Words(bits)
    now, est_timer, tick = words.now, words.est_timer, words.tick
    timer, sleep = terms.head(now, est_timer, tick, cut_ticks=cut_ticks)
    gap, after = est_timer - now, timer - now
    least = -CATCH_UP_TICKS * tick
    conclusion = z3.And(
        least <= after,
        after <= tick,
        (timer == est_timer) == z3.And(least <= gap, gap <= tick),
        z3.Implies(gap > tick, z3.And(after == -tick, sleep == tick)),
        z3.Implies(gap < least, z3.And(after == 0, sleep == 0)),
        z3.Implies(timer == est_timer, sleep == z3.If(gap > 0, gap, tick - tick)),
        (sleep != 0) == (gap > 0),
        sleep >= 0,
        sleep <= tick,
    )
    shown = (*words.shown, ("est_timer after", timer), ("sleep", sleep))
    return Goal(words.name, (), conclusion, words.definitions, shown)


def _shifted(bits: int, head: _Head = terms.head) -> Goal:
    """Whatever is added to both times is added to the result."""
    words = _Words(bits)
    now, est_timer, tick = words.now, words.est_timer, words.tick
    shift = z3.BitVec("shift", bits)
    timer, sleep = head(now, est_timer, tick)
    other, other_sleep = head(now + shift, est_timer + shift, tick)
    started = terms.start(now, est_timer, tick)
    conclusion = z3.And(
        other == timer + shift,
        other_sleep == sleep,
        terms.start(now + shift, est_timer + shift, tick) == started + shift,
    )
    shown = (*words.shown, ("shift", shift), ("est_timer after", timer), ("sleep", sleep))
    return Goal(words.name, (), conclusion, words.definitions, shown)


def _true_times(bits: int, *, inclusive: bool = False) -> Goal:
    """Words do what times since boot, which do not wrap, would do."""
    words = _Words(bits)
    now, est_timer = z3.BitVec("now", bits + _EXTRA), z3.BitVec("est_timer", bits + _EXTRA)
    half = 1 << bits - 1
    gap = est_timer - now
    possible = z3.And(now >= 0, est_timer >= 0)
    near = Assumption(
        "near",
        "The two times are less than half the range of jiffies apart: 24.8 days for 32 bits at HZ"
        " 1000.",
        z3.And(-half <= gap, gap <= half if inclusive else gap < half),
    )

    def low(term: z3.BitVecRef) -> z3.BitVecRef:
        return z3.Extract(bits - 1, 0, term)

    tick = z3.ZeroExt(_EXTRA, words.tick)
    timer, sleep = terms.head(now, est_timer, tick)
    word_timer, word_sleep = terms.head(low(now), low(est_timer), words.tick)
    conclusion = z3.And(
        word_timer == low(timer),
        word_sleep == low(sleep),
        terms.start(low(now), low(est_timer), words.tick) == low(terms.start(now, est_timer, tick)),
    )
    shown = (
        ("bits", z3.IntVal(bits)),
        ("tick", words.tick),
        ("now", low(now)),
        ("est_timer", low(est_timer)),
        ("est_timer after", low(timer)),
        ("sleep", low(sleep)),
    )
    return Goal(words.name, (near,), conclusion, (*words.definitions, possible), shown)


def _started(bits: int, most: int = START_TICKS) -> Goal:
    words = _Words(bits)
    now, est_timer, tick = words.now, words.est_timer, words.tick
    started = terms.start(now, est_timer, tick, most)
    timer, _ = terms.head(now, started, tick)
    gap, after, first = est_timer - now, started - now, timer - started
    limit = START_TICKS * tick
    conclusion = z3.And(
        -limit <= after,
        after <= limit,
        (started == est_timer) == z3.And(-limit <= gap, gap <= limit),
        -(START_TICKS + 1) * tick <= first,
        first <= 0,
    )
    shown = (*words.shown, ("est_timer after", started))
    return Goal(words.name, (), conclusion, words.definitions, shown)


def _catch_up(rows: int = CATCH_UP_TICKS + 1) -> Goal:
    """No time passes while rows are estimated without a sleep."""
    now, est_timer, tick = z3.Int("now"), z3.Int("est_timer"), z3.Int("tick")
    timer = est_timer
    for _ in range(rows):
        after, sleep = terms.head(now, timer, tick)
        timer = z3.If(sleep == 0, after + tick, timer)
    _, sleep = terms.head(now, timer, tick)
    shown = (("tick", tick), ("now", now), ("est_timer", est_timer))
    return Goal("", (), sleep != 0, (tick >= 1,), shown)


THEOREMS = (
    Theorem(
        "timer.classes",
        _GROUP,
        "est_timer is kept exactly if it is at most 8 ticks ago and at most one ahead; further"
        " ahead becomes one tick ago, further ago becomes now; the kthread sleeps exactly if it"
        " was ahead, at most a tick.",
        _SCOPE,
        "8c",
        lambda: tuple(_classes(word) for word in WORDS),
        Twin("Further ahead becomes now.", lambda: _classes(64, cut_ticks=0)),
        second_solver=True,
    ),
    Theorem(
        "timer.wrap",
        _GROUP,
        "Nothing depends on when jiffies wrap: with any number added to both times, all results"
        " have it added, and the sleep is the same.",
        _SCOPE,
        "8c, 9",
        lambda: tuple(_shifted(word) for word in WORDS),
        Twin(
            "The times are compared, not their difference.",
            lambda: _shifted(64, terms.head_unsigned),
        ),
        second_solver=True,
    ),
    Theorem(
        "timer.true-times",
        _GROUP,
        "While the two are less than half the range of jiffies apart, the step is that of times"
        " that never wrap.",
        _SCOPE,
        "8c, 9",
        lambda: tuple(_true_times(word) for word in WORDS),
        Twin(
            "While they are at most half the range apart.",
            lambda: _true_times(32, inclusive=True),
        ),
        second_solver=True,
    ),
    Theorem(
        "timer.start",
        _GROUP,
        "When a task is started est_timer is kept exactly if it is at most 4 ticks away, else it is"
        " now, however long there was no task; the first step then takes it back by at most 5"
        " ticks, and never forward.",
        _SCOPE,
        "8c, 9",
        lambda: tuple(_started(word) for word in WORDS),
        Twin("It is kept up to 8 ticks.", lambda: _started(64, CATCH_UP_TICKS)),
        second_solver=True,
    ),
    Theorem(
        "timer.catch-up",
        _GROUP,
        "At most 9 rows are estimated without a sleep, if no time passes: 8 late ones and one on"
        " time.",
        "all times less than half the range of jiffies apart; every tick",
        "8c, 8e",
        lambda: (_catch_up(),),
        Twin("At most 8 rows.", lambda: _catch_up(CATCH_UP_TICKS)),
        second_solver=True,
    ),
)
