"""Theorems on one test of `calc_limits`: its integers, whatever is measured (semantics 11)."""

from collections.abc import Callable
from dataclasses import replace

from ipvs_est_spec.algebra.z3_names import z3
from ipvs_est_spec.proof.calc import terms
from ipvs_est_spec.proof.calc.terms import LOOPS, Result, Test
from ipvs_est_spec.proof.framework.theorem import Assumption, Goal, Theorem, Twin

_GROUP = "calc"
_SCOPE = "all measured times of 64 bits, in every order; each of the 12 tests"

_Conclusion = Callable[[Test, Result], z3.BoolRef]


def _goal(
    loops: int,
    conclusion: _Conclusion,
    assumptions: tuple[str, ...],
    *,
    ceiling: bool = True,
    quotient: terms.Quotient = terms.quotient,
) -> Goal:
    test = terms.test_of(loops)
    result = terms.result_of(test, ceiling=ceiling, quotient=quotient)
    known = {
        assumption.id: assumption
        for assumption in (
            Assumption(
                "before",
                "It was so before.",
                terms.invariant(test.min_est, test.chain_max, quotient),
            ),
            Assumption("nonzero", "The test does not divide by zero.", z3.Not(result.by_zero)),
            Assumption("set", "min_est is not negative.", test.min_est >= 0),
        )
    }
    return Goal(
        f"loops {loops}",
        tuple(known[assumption] for assumption in assumptions),
        conclusion(test, result),
        (),
        (
            ("loops", test.loops),
            ("min_est", test.min_est),
            ("chain_max", test.chain_max),
            ("diff", test.diff),
            ("loops after", result.loops),
            ("min_est after", result.min_est),
            ("chain_max after", result.chain_max),
        ),
    )


def _kept(test: Test, result: Result) -> z3.BoolRef:
    return terms.invariant(result.min_est, result.chain_max, terms.any_quotient)


def _kept_goal(loops: int, *, ceiling: bool = True) -> Goal:
    """What 95000 / min_est is does not matter here: without it z3 needs no time."""
    # Below 1024 loops nothing that is measured gives 0.
    needed = ("before", "nonzero") if loops >= 1024 else ("before",)
    return _goal(loops, _kept, needed, ceiling=ceiling, quotient=terms.any_quotient)


def _kept_goals() -> tuple[Goal, ...]:
    zero, default = z3.BitVecVal(0, terms.INT), z3.BitVecVal(terms.DEFAULT, terms.INT)
    first = Goal("start", (), terms.invariant(zero, default, terms.any_quotient))
    return (first, *(_kept_goal(loop) for loop in LOOPS))


def _loops(test: Test, result: Result) -> z3.BoolRef:
    """It doubles exactly if the test took at most 1000 ns."""
    doubled = result.loops == test.loops * 2
    return z3.And(
        z3.If(test.diff <= terms.LEAST_NS, doubled, result.loops == test.loops),
        # 4 * loops estimations are counted in an int.
        z3.ULE(result.loops, 1 << terms.TESTS),
        z3.ULE(result.loops * terms.CACHE_FACTOR, terms.CACHE_FACTOR << terms.TESTS),
    )


def _fits(test: Test, result: Result) -> z3.BoolRef:
    """What is stored in the s32 is the 64-bit quotient itself."""
    whole = z3.SignExt(terms.TIME - terms.INT, result.min_est)
    positive = z3.And(result.val >= 0, result.val < terms.MOST_NS)
    return z3.Implies(result.stored, z3.And(whole == result.val, positive))


def _zero_exactly(least: int) -> _Conclusion:
    def conclusion(test: Test, result: Result) -> z3.BoolRef:
        short = z3.And(
            test.diff > terms.LEAST_NS, test.diff < z3.SignExt(terms.TIME - terms.INT, test.loops)
        )
        return result.by_zero == z3.And(short, test.loops >= least)

    return conclusion


def _zero_goals() -> tuple[Goal, ...]:
    conclusion = _zero_exactly(1024)
    return tuple(_goal(loop, conclusion, ("set",) if loop >= 1024 else ()) for loop in LOOPS)


def _minimum(loops: int, *, wrong: bool = False) -> Goal:
    """The answer only grows; over integers, with the divisions spelled out."""
    diff, old, new = z3.Int("diff"), z3.Int("min_est"), z3.Int("min_est after")
    before, after = z3.Int("chain_max"), z3.Int("chain_max after")
    val = diff / loops
    usable = z3.And(diff > terms.LEAST_NS, diff < terms.MOST_NS)
    less = val <= old if not wrong else val >= old
    definitions = (
        new == z3.If(z3.And(usable, less), val, old),
        terms.answer_of(old, before),
        terms.answer_of(new, after),
        old >= 1,
        old < terms.MOST_NS,
        # True of every answer (calc.range). A division by zero has none.
        z3.And(before >= 1, after >= 1),
    )
    conclusion = z3.And(new <= old, before <= after, z3.Implies(usable, new <= val))
    shown = (
        ("loops", z3.IntVal(loops)),
        ("min_est", old),
        ("chain_max", before),
        ("diff", diff),
        ("min_est after", new),
        ("chain_max after", after),
    )
    return Goal(f"loops {loops}", (), conclusion, definitions, shown)


def _range(least: int = 1) -> Goal:
    cost, chain_max = z3.Int("min_est"), z3.Int("chain_max")
    definitions = (cost >= 1, cost < terms.MOST_NS, terms.answer_of(cost, chain_max))
    conclusion = z3.And(least <= chain_max, chain_max <= terms.GOAL_NS)
    shown = (("min_est", cost), ("chain_max", chain_max))
    return Goal("", (), conclusion, definitions, shown)


def _clock(loops: int, least_ps: int = 500) -> Goal:
    """Of a clock that moves in steps; the real time of the test in ps."""
    step, diff, cost = z3.Int("step"), z3.Int("diff"), z3.Int("cost_ps")
    real = terms.CACHE_FACTOR * loops * cost
    assumptions = (
        Assumption(
            "steps",
            "Two readings of the clock are the same, a step apart, or two steps or more.",
            z3.Or(diff == 0, diff == step, diff >= 2 * step),
        ),
        Assumption(
            "clock",
            "The difference of two readings is less than a step from the time that has passed.",
            z3.And(1000 * (diff - step) < real, real < 1000 * (diff + step)),
        ),
        Assumption(
            "cost",
            "One estimation, five counters of each possible CPU, takes at least half a nanosecond.",
            cost >= least_ps,
        ),
    )
    by_zero = z3.And(diff > terms.LEAST_NS, diff < loops)
    shown = (
        ("loops", z3.IntVal(loops)),
        ("step", step),
        ("cost_ps", cost),
        ("diff", diff),
    )
    return Goal(f"loops {loops}", assumptions, z3.Not(by_zero), (step >= 1,), shown)


def _unmeasured(loops: int, *, ceiling: bool = True) -> Goal:
    """A test leaves the default alone exactly if it was too fast or too slow."""

    def conclusion(test: Test, result: Result) -> z3.BoolRef:
        usable = z3.And(test.diff > terms.LEAST_NS, test.diff < terms.MOST_NS)
        return result.stored == usable

    goal = _goal(loops, conclusion, (), ceiling=ceiling)
    unset = Assumption("unset", "Nothing was measured.", terms.test_of(loops).min_est == 0)
    return replace(goal, assumptions=(unset,))


THEOREMS = (
    Theorem(
        "calc.invariant",
        _GROUP,
        "After tests that do not divide by zero either nothing was measured and the answer is 8, or"
        " min_est is 1 to 999999999 ns and the answer is 95000 / min_est, at least 1.",
        _SCOPE,
        "11",
        _kept_goals,
        Twin(
            "A test of 10^9 ns or more counts.",
            lambda: _kept_goal(1, ceiling=False),
        ),
        second_solver=True,
    ),
    Theorem(
        "calc.loops",
        _GROUP,
        "loops doubles exactly if a test took at most 1000 ns, so it is at most 4096, and a test"
        " times at most 16384 estimations.",
        _SCOPE,
        "11",
        lambda: tuple(_goal(loop, _loops, ()) for loop in LOOPS),
        Twin(
            "There is a test more.",
            lambda: _goal(LOOPS[-1] * 2, _loops, ()),
        ),
        second_solver=True,
    ),
    Theorem(
        "calc.no-overflow",
        _GROUP,
        "The 64-bit quotient that is stored in the 32 bits of min_est is below 10^9, so it fits.",
        _SCOPE,
        "11",
        lambda: tuple(_goal(loop, _fits, ()) for loop in LOOPS),
        Twin(
            "A test of 10^9 ns or more counts.",
            lambda: _goal(1, _fits, (), ceiling=False),
        ),
        second_solver=True,
    ),
    Theorem(
        "calc.zero",
        _GROUP,
        "With no negative min_est, a test divides 95000 by zero exactly if it takes more than 1000"
        " ns and less than loops ns: after at least 10 tests of at most 1000 ns, in one with 1024"
        " or 2048 loops.",
        _SCOPE,
        "11",
        _zero_goals,
        Twin(
            "Only with 2048 loops.",
            lambda: _goal(1024, _zero_exactly(2048), ("set",)),
        ),
        properties=("limits.division",),
        second_solver=True,
    ),
    Theorem(
        "calc.zero-clock",
        _GROUP,
        "With a clock of whatever resolution, no test divides by zero while one estimation takes"
        " half a nanosecond or more: no machine is that fast.",
        "all resolutions, costs and phases of the clock; each of the 12 tests",
        "11",
        lambda: tuple(_clock(loop) for loop in LOOPS if loop >= 1024),
        Twin(
            "One estimation takes 499 ps or more.",
            lambda: _clock(2048, 499),
        ),
        properties=("limits.division",),
        second_solver=True,
    ),
    Theorem(
        "calc.default",
        _GROUP,
        "The answer stays 8, for a cost that nobody knows, exactly if no test takes more than 1000"
        " ns and less than 1 s.",
        _SCOPE,
        "11",
        lambda: tuple(_unmeasured(loop) for loop in LOOPS),
        Twin(
            "A test of 10^9 ns or more counts.",
            lambda: _unmeasured(1, ceiling=False),
        ),
        second_solver=True,
    ),
    Theorem(
        "calc.minimum",
        _GROUP,
        "Once something was measured, a later test never makes min_est larger nor the answer"
        " smaller, and min_est is at most the quotient of every test that counts.",
        _SCOPE,
        "11",
        lambda: tuple(_minimum(loop) for loop in LOOPS),
        Twin("The largest cost is kept.", lambda: _minimum(1, wrong=True)),
    ),
    Theorem(
        "calc.range",
        _GROUP,
        "The answer for a measured cost is 1 to 95000.",
        "all costs from 1 to 999999999 ns",
        "11",
        lambda: (_range(),),
        Twin("It is at least 2.", lambda: _range(2)),
        second_solver=True,
    ),
)
