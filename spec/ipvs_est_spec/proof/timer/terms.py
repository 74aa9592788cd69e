"""The arithmetic of `est_timer` as terms, written from the semantics (sections 2, 8 and 9).

Each function works on words, which wrap, and on integers, which do not.
"""

from typing import TypeVar

from ipvs_est_spec.algebra.z3_names import z3

Term = TypeVar("Term", z3.ArithRef, z3.BitVecRef)

NTICKS = 50
CATCH_UP_TICKS = 8
START_TICKS = 4
WORDS = (32, 64)
"""Bits of jiffies."""
MOST_TICK = 4000
"""Jiffies in a tick at HZ 100000."""


def head(now: Term, est_timer: Term, tick: Term, *, cut_ticks: int = 1) -> tuple[Term, Term]:
    """Step (c) of the kthread's loop: `est_timer` after it, and how long is slept.

    A timer further ahead than a tick becomes one tick ago (wrong: `cut_ticks` ticks ago).
    """
    gap = est_timer - now
    ahead, late = gap > tick, gap < -CATCH_UP_TICKS * tick
    timer = z3.If(ahead, now - cut_ticks * tick, z3.If(late, now, est_timer))
    return timer, z3.If(ahead, tick, z3.If(gap > 0, gap, tick - tick))


def head_unsigned(
    now: z3.BitVecRef, est_timer: z3.BitVecRef, tick: z3.BitVecRef
) -> tuple[z3.BitVecRef, z3.BitVecRef]:
    """Wrong: the two times are compared themselves, not their difference with 0."""
    late = z3.ULT(est_timer + CATCH_UP_TICKS * tick, now)
    ahead = z3.UGT(est_timer, now + tick)
    timer = z3.If(ahead, now - tick, z3.If(late, now, est_timer))
    sleep = z3.If(ahead, tick, z3.If(z3.UGT(est_timer, now), est_timer - now, tick - tick))
    return timer, sleep


def start(now: Term, est_timer: Term, tick: Term, most: int = START_TICKS) -> Term:
    """`est_timer` when a task is started."""
    gap = est_timer - now
    return z3.If(gap > most * tick, now, z3.If(gap < -most * tick, now, est_timer))


def later(left: z3.ArithRef, right: z3.ArithRef) -> z3.ArithRef:
    """The larger of two."""
    return z3.If(left < right, right, left)


def tick_of(hz: z3.ArithRef) -> z3.ArithRef:
    """`IPVS_EST_TICK`, jiffies."""
    return 2 * hz / NTICKS
