"""Theorems on what estimating costs with the limits that were computed (semantics 2 and 11).

z3 decides them over integers: 95000 / min_est is spelled out as a product with bounds.
"""

from collections.abc import Callable

from ipvs_est_spec.algebra.z3_algebra import Z3Algebra
from ipvs_est_spec.algebra.z3_names import z3
from ipvs_est_spec.proof.calc import terms
from ipvs_est_spec.proof.calc.terms import GOAL_NS
from ipvs_est_spec.proof.framework.theorem import Assumption, Goal, Theorem, Twin
from ipvs_est_spec.properties import load

_GROUP = "calc"
_ALGEBRA = Z3Algebra()
_COSTS = "all measured costs from 1 to 999999999 ns"
_CHAINS, _DIVISOR, _TICKS = 48, 8, 50
_KERNEL_HZ = (100, 250, 300, 1000)
# A tick's chains of that length are 1/8 of 40 ms.
_LAST_IN_TICK = 104_166

_cost, _chain_max, _hz = z3.Int("min_est"), z3.Int("chain_max"), z3.Int("hz")
_cpus, _kthreads = z3.Int("cpus"), z3.Int("kthreads")
_SHOWN = (("min_est", _cost), ("chain_max", _chain_max))


def _answer(goal: int = GOAL_NS) -> tuple[z3.BoolRef, ...]:
    return (
        _cost >= 1,
        _cost < terms.MOST_NS,
        terms.answer_of(_cost, _chain_max, goal),
        _chain_max >= 1,
    )


def _geometry(hz: z3.ArithRef, tick: z3.ArithRef) -> list[z3.ArithRef]:
    """As `load.tick_cases` gives it."""
    return [z3.IntVal(_CHAINS), z3.IntVal(_DIVISOR), hz, tick * load.SECOND_NS]


def _chain(goal: int = GOAL_NS) -> Goal:
    conclusion = load.chain_short(_ALGEBRA, [_chain_max, _cost])
    return Goal("", (), conclusion, _answer(goal), _SHOWN)


def _at_hz(hz: int | None, build: Callable[[list[z3.ArithRef]], Goal]) -> Goal:
    """For that HZ; None: any from 50 to 10000."""
    if hz is not None:
        return build(_geometry(z3.IntVal(hz), z3.IntVal(2 * hz // _TICKS)))
    return build(_geometry(_hz, 2 * _hz / _TICKS))


def _tick(hz: int | None, goal: int = GOAL_NS) -> Goal:
    def build(geometry: list[z3.ArithRef]) -> Goal:
        conclusion = load.tick_light(_ALGEBRA, [_chain_max, _cost, *geometry])
        return Goal(_name(hz), (), conclusion, (*_answer(goal), *_hz_bounds(hz)), _SHOWN)

    return _at_hz(hz, build)


def _allowed(per_cpu: int = _DIVISOR // 2) -> Assumption:
    return Assumption(
        "threads", "There are at most 4 kthreads for each CPU.", _kthreads <= per_cpu * _cpus
    )


def _cpus_goal(hz: int | None, per_cpu: int = _DIVISOR // 2) -> Goal:
    def build(geometry: list[z3.ArithRef]) -> Goal:
        case = [_kthreads, _cpus, _chain_max, _cost, *geometry]
        conclusion = load.cpus_half_free(_ALGEBRA, case)
        definitions = (*_answer(), *_hz_bounds(hz), _cpus >= 1, _kthreads >= 1)
        shown = (*_SHOWN, ("kthreads", _kthreads), ("cpus", _cpus))
        return Goal(_name(hz), (_allowed(per_cpu),), conclusion, definitions, shown)

    return _at_hz(hz, build)


def _name(hz: int | None) -> str:
    return "HZ 50..10000" if hz is None else f"HZ {hz}"


def _hz_bounds(hz: int | None) -> tuple[z3.BoolRef, ...]:
    return (_hz >= 50, _hz <= 10_000) if hz is None else (_hz == hz,)


def _room_for_goal(least: int = 250) -> Goal:
    """For which HZ chains of 95 us leave 7/8 of a tick."""
    tick = 2 * _hz / _TICKS
    fits = _CHAINS * GOAL_NS * _DIVISOR * _hz <= tick * load.SECOND_NS
    conclusion = z3.Implies(z3.Or(_hz % 25 == 0, _hz >= least), fits)
    return Goal("", (), conclusion, (_hz >= 25, _hz <= 100_000), (("hz", _hz), ("tick", tick)))


def _exact_limits(chain: int = load.CHAIN_LIMIT_NS, tick: int = _LAST_IN_TICK) -> Goal:
    """HZ a multiple of 25: a tick is 40 ms."""
    chain_ns = _chain_max * _cost
    tick_ns = 40 * 10**6
    work = _CHAINS * chain_ns
    kthreads = _DIVISOR // 2
    conclusion = z3.And(
        (chain_ns <= load.CHAIN_LIMIT_NS) == (_cost <= chain),
        (_DIVISOR * work <= tick_ns) == (_cost <= tick),
        (2 * kthreads * work <= tick_ns) == (_cost <= tick),
        # By how much: chains are no longer than the goal, or one estimation.
        z3.If(_cost <= GOAL_NS, chain_ns <= GOAL_NS, chain_ns == _cost),
    )
    return Goal("", (), conclusion, _answer(), _SHOWN)


_real = z3.Int("real_ps")


def _real_cost(least_ps: int = 19_000) -> Goal:
    """The real cost has a fraction, which the division of the limits test drops."""
    assumptions = (
        Assumption("at-least", "The real cost is at least 19 ns.", _real >= least_ps),
        Assumption("at-most", "It is at most 100 us.", _real <= 1000 * load.CHAIN_LIMIT_NS),
    )
    conclusion = _chain_max * _real <= 1000 * load.CHAIN_LIMIT_NS
    shown = (*_SHOWN, ("real_ps", _real))
    return Goal("19 ns to 100 us", assumptions, conclusion, _rounded(), shown)


def _real_cost_small(most_ns: int = 2 * GOAL_NS) -> Goal:
    """Below 19 ns."""
    measurable = Assumption("below", "The real cost is below 95 us.", _real < 1000 * GOAL_NS)
    conclusion = _chain_max * _real < 1000 * most_ns
    shown = (*_SHOWN, ("real_ps", _real))
    return Goal("1 ns to 95 us", (measurable,), conclusion, _rounded(), shown)


def _rounded() -> tuple[z3.BoolRef, ...]:
    return (*_answer(), 1000 * _cost <= _real, _real < 1000 * _cost + 1000)


_diff, _step = z3.Int("diff"), z3.Int("step")
# loops -> the coarsest clock, ns, with which chains are kept to 100 us.
_FINE_STEPS = {1: 53, 2: 51, 4: 49, 8: 45, 16: 37, 32: 21}


def _coarse(loops: int) -> tuple[tuple[z3.BoolRef, ...], Assumption, Assumption]:
    """A measurement by a clock with steps; real_ps is the cost at a quarter of the 4 * loops
    estimations, that is, with a cold cache."""
    definitions = (
        *_answer(),
        _cost == _diff / loops,
        _diff > terms.LEAST_NS,
        _diff < terms.MOST_NS,
        _step >= 1,
        # One reading and the next are at least a step apart.
        _diff >= _step,
    )
    below_goal = Assumption("below", "The measured cost is at most 95 us.", _cost <= GOAL_NS)
    clock = Assumption(
        "clock",
        "The measured time is less than a step short of the time that has passed.",
        _real * loops < 1000 * (_diff + _step),
    )
    return definitions, below_goal, clock


def _coarse_shown(loops: int) -> tuple[tuple[str, z3.ExprRef], ...]:
    return (
        ("loops", z3.IntVal(loops)),
        ("diff", _diff),
        ("step", _step),
        *_SHOWN,
        ("real_ps", _real),
    )


def _fine_clock(loops: int, steps: int) -> Goal:
    definitions, below_goal, clock = _coarse(loops)
    fine = Assumption("fine", "A step is at most 53 to 21 ns, by loops.", _step <= steps)
    conclusion = _chain_max * _real <= 1000 * load.CHAIN_LIMIT_NS
    assumptions = (below_goal, clock, fine)
    return Goal(f"loops {loops}", assumptions, conclusion, definitions, _coarse_shown(loops))


def _any_clock(loops: int, most_ns: int) -> Goal:
    definitions, below_goal, clock = _coarse(loops)
    conclusion = _chain_max * _real < 1000 * most_ns
    assumptions = (below_goal, clock)
    return Goal(f"loops {loops}", assumptions, conclusion, definitions, _coarse_shown(loops))


def _any_clock_goals() -> tuple[Goal, ...]:
    return tuple(_any_clock(step, 2 * GOAL_NS if step == 1 else 197_000) for step in _FINE_STEPS)


_cold = z3.Int("cold")
# min_est is taken from 4 warm estimations, so the true factor is 4 * cold / min_est. Where chains
# take 95 us at min_est, a factor of 80/19 makes them 100 us, one of 250/57 ticks 1/8 of 40 ms.
_FACTOR_OF_CHAINS = (20, 19)
_FACTOR_OF_TICKS = (125, 114)
_COLD = (*_SHOWN, ("cold", _cold))
_GEOMETRY_250 = _geometry(z3.IntVal(250), z3.IntVal(10))


def _at_most_factor(factor: tuple[int, int]) -> z3.BoolRef:
    """`cold` / `min_est` is at most that quotient."""
    times, parts = factor
    return parts * _cold <= times * _cost


def _factor(factor: tuple[int, int]) -> Assumption:
    shown = f"{4 * factor[0] / factor[1]:.3f}"
    return Assumption("factor", f"The true factor is at most {shown}.", _at_most_factor(factor))


def _cold_predicates() -> tuple[tuple[str, z3.BoolRef, tuple[int, int]], ...]:
    """The catalogue's, at the true cost; and up to which factor each holds at every cost."""
    case = [_chain_max, _cold]
    return (
        ("chain", load.chain_short(_ALGEBRA, case), _FACTOR_OF_CHAINS),
        ("tick", load.tick_light(_ALGEBRA, [*case, *_GEOMETRY_250]), _FACTOR_OF_TICKS),
        (
            "CPUs",
            load.cpus_half_free(_ALGEBRA, [_kthreads, _cpus, *case, *_GEOMETRY_250]),
            _FACTOR_OF_TICKS,
        ),
    )


def _cold_chain(factor: tuple[int, int]) -> Goal:
    name, holds, _ = _cold_predicates()[0]
    return Goal(name, (_factor(factor),), holds, (*_answer(), _cold >= 1), _COLD)


def _cold_goals() -> tuple[Goal, ...]:
    chain, tick, cpus = _cold_predicates()
    definitions = (*_answer(), _cold >= 1)
    of_cpus = (*_COLD, ("kthreads", _kthreads), ("cpus", _cpus))
    return (
        _cold_chain(_FACTOR_OF_CHAINS),
        Goal(tick[0], (_factor(tick[2]),), tick[1], definitions, _COLD),
        Goal(
            cpus[0],
            (_factor(cpus[2]), _allowed()),
            cpus[1],
            (*definitions, _cpus >= 1, _kthreads >= 1),
            of_cpus,
        ),
        _cold_exactly(*chain, load.CHAIN_LIMIT_NS),
        _cold_exactly(*tick, _LAST_IN_TICK),
    )


def _cold_exactly(name: str, holds: z3.BoolRef, factor: tuple[int, int], most: int) -> Goal:
    """Where the division leaves no rest, and one estimation a chain is not too much by itself."""
    assumptions = (
        Assumption("whole", "95 us are a whole number of costs.", _chain_max * _cost == GOAL_NS),
        Assumption("one", f"One estimation takes at most {most} ns.", _cold <= most),
    )
    conclusion = holds == _at_most_factor(factor)
    return Goal(f"{name}, exactly", assumptions, conclusion, (*_answer(), _cold >= 1), _COLD)


def _cold_share() -> tuple[Goal, ...]:
    """Everything grows with the factor: so many fourths of what is meant at 4."""
    below = Assumption("below", "The measured cost is at most 95 us.", _cost <= GOAL_NS)
    definitions = (*_answer(), _cold >= 1)
    chain = _chain_max * _cold
    tick = _CHAINS * chain
    return (
        Goal("chain", (below,), chain * _cost <= GOAL_NS * _cold, definitions, _COLD),
        Goal("tick", (below,), tick * _cost <= _CHAINS * GOAL_NS * _cold, definitions, _COLD),
        _cold_cpus(),
        _shown_by_a_tick(5_400_000, 473),
        _shown_by_a_tick(7_300_000, 640),
    )


def _cold_cpus() -> Goal:
    """All kthreads together, as their ticks are: 45.6 % of the CPUs at 4."""
    work = z3.Int("work")
    in_tick = Assumption(
        "tick",
        "A tick's work grows with the factor (the goal before).",
        work * _cost <= _CHAINS * GOAL_NS * _cold,
    )
    conclusion = _kthreads * work * _cost <= _DIVISOR // 2 * _cpus * _CHAINS * GOAL_NS * _cold
    definitions = (_cost >= 1, _cold >= 1, work >= 1, _cpus >= 1, _kthreads >= 1)
    shown = (*_COLD, ("work", work), ("kthreads", _kthreads), ("cpus", _cpus))
    return Goal("CPUs", (in_tick, _allowed()), conclusion, definitions, shown)


def _shown_by_a_tick(tick_ns: int, hundredths: int) -> Goal:
    """A full tick that takes so long shows at least that factor."""
    tick = _CHAINS * _chain_max * _cold
    assumptions = (
        Assumption("below", "The measured cost is at most 95 us.", _cost <= GOAL_NS),
        Assumption("tick", f"A full tick takes {tick_ns / 1e6} ms or more.", tick >= tick_ns),
    )
    conclusion = hundredths * _cost <= 400 * _cold
    name = f"tick of {tick_ns / 1e6} ms"
    return Goal(name, assumptions, conclusion, (*_answer(), _cold >= 1), _COLD)


_INT = 32


def _limits_goal(chains: int | None, factor: int = 1) -> Goal:
    """No product of the limits of a kd leaves an int; None: 1 to 64 chains and ticks."""
    sizes = (z3.Int("chains"), z3.Int("nticks"))
    number, nticks = sizes
    answer, one_chain = z3.Int("est_chain_max"), z3.Bool("preempt_rcu")
    chain_max = z3.If(one_chain, answer * number, answer) * factor
    tick_max = z3.If(one_chain, chain_max, number * chain_max)
    count = nticks * tick_max
    most = (1 << _INT - 1) - 1
    conclusion = z3.And(
        chain_max <= tick_max,
        count <= most,
        2 * tick_max <= most,
        # With one chain a kthread has as many as with many.
        tick_max == answer * number,
    )
    if chains is None:
        definitions = tuple(z3.And(size >= 1, size <= 64) for size in sizes)
        name = "1..64 chains and ticks"
    else:
        definitions = (number == chains, nticks == _TICKS)
        name = f"{chains} chains, {_TICKS} ticks"
    answers = Assumption("answer", "est_chain_max is at most 95000.", answer <= GOAL_NS)
    shown = (
        ("est_chain_max", answer),
        ("chains", number),
        ("nticks", nticks),
        ("preempt_rcu", one_chain),
        ("est_max_count", count),
    )
    return Goal(name, (answers,), conclusion, (*definitions, answer >= 1), shown)


def _kthread_ids(most: int = 8192) -> Goal:
    """ktid has 16 bits with a sign."""
    weight = z3.BitVec("cpus", _INT)
    threads = z3.If(weight == 0, z3.BitVecVal(1, _INT), 4 * weight)
    last = threads - 1
    possible = Assumption("cpus", "At most 8192 CPUs are possible.", z3.ULE(weight, most))
    conclusion = z3.SignExt(_INT // 2, z3.Extract(_INT // 2 - 1, 0, last)) == last
    return Goal("", (possible,), conclusion, (), (("cpus", weight), ("est_max_threads", threads)))


THEOREMS = (
    Theorem(
        "calc.chain",
        _GROUP,
        "The answer fulfils the catalogue's predicate: at the measured cost a chain takes at most"
        " 100 us exactly if one estimation does.",
        _COSTS,
        "2, 11",
        lambda: (_chain(),),
        Twin("Chains are meant to take 105 us.", lambda: _chain(105_000)),
        properties=("load.chain",),
    ),
    Theorem(
        "calc.tick",
        _GROUP,
        "The answer fulfils the catalogue's predicate: where the tick has room for chains of 95"
        " us, its work is at most 1/8 of it exactly if one estimation for each chain is.",
        f"{_COSTS}; 48 chains; HZ 100, 250, 300, 1000, and every HZ from 50 to 10000",
        "2, 11",
        lambda: tuple(_tick(number) for number in (*_KERNEL_HZ, None)),
        Twin("Chains are meant to take 105 us.", lambda: _tick(250, 105_000)),
        properties=("load.tick",),
    ),
    Theorem(
        "calc.cpus",
        _GROUP,
        "The answer fulfils the catalogue's predicate: where the tick has room for chains of 95 us"
        " and one estimation for each chain is at most 1/8 of it, at most 4 kthreads for each CPU"
        " take at most half the time of their CPUs.",
        f"{_COSTS}; every number of CPUs; HZ 100, 250, 300, 1000, and every HZ from 50 to 10000",
        "2, 11, 12",
        lambda: tuple(_cpus_goal(number) for number in (*_KERNEL_HZ, None)),
        Twin("There are 5 kthreads for each CPU.", lambda: _cpus_goal(250, 5)),
        properties=("load.cpus",),
    ),
    Theorem(
        "calc.room",
        _GROUP,
        "The tick has room for 48 chains of 95 us if HZ is a multiple of 25, and for every HZ from"
        " 250 on.",
        "every HZ from 25 to 100000",
        "2",
        lambda: (_room_for_goal(),),
        Twin("For every HZ from 249 on.", lambda: _room_for_goal(249)),
        second_solver=True,
    ),
    Theorem(
        "calc.breaks",
        _GROUP,
        "With ticks of 40 ms, chains exceed 100 us from a measured cost of 100001 ns on, and ticks"
        " 1/8 and CPUs one half from 104167 ns on, and not below; they then take one cost for each"
        " chain, so everything grows with the cost, at most to 10^9 ns for a chain.",
        f"{_COSTS}; HZ a multiple of 25",
        "2, 11",
        lambda: (_exact_limits(),),
        Twin("Ticks exceed 1/8 from 104166 ns on.", lambda: _exact_limits(tick=104_165)),
    ),
    Theorem(
        "calc.real-cost",
        _GROUP,
        "At a real cost, which has a fraction that the division drops, chains take at most 100 us"
        " from 19 ns to 100 us; for no cost up to 95 us do they take 190 us.",
        "all real costs, in ps; a clock of 1 ns",
        "11",
        lambda: (_real_cost(), _real_cost_small()),
        Twin("They do from 18999 ps on.", lambda: _real_cost(18_999)),
    ),
    Theorem(
        "calc.cold-factor",
        _GROUP,
        "That one estimation with a cold cache costs 4 with a warm one is a guess: at the true cost"
        " the catalogue's predicates hold, whatever is measured, up to a factor of 4.210 (80/19,"
        " chains) and 4.385 (250/57, ticks and CPUs), and where 95 us are a whole number of"
        " measured costs up to no larger one.",
        f"{_COSTS}; all true costs in ns; 48 chains, ticks of 40 ms",
        "2, 11",
        _cold_goals,
        Twin("Chains keep to 100 us up to a factor of 4.3.", lambda: _cold_chain((43, 40))),
        properties=("load.chain", "load.tick", "load.cpus"),
    ),
    Theorem(
        "calc.cold-share",
        _GROUP,
        "Chains, and so ticks and CPUs, take at most as many fourths of what is meant as the true"
        " factor says: chains of 95 us, ticks of 4.56 ms, 45.6 % of the CPUs; so a full tick of 5.4"
        " ms shows a factor of at least 4.73, and one of 7.3 ms 6.40.",
        "all measured costs from 1 ns to 95 us; all true costs in ns; 48 chains",
        "2, 11",
        _cold_share,
        Twin("A tick of 5.4 ms shows 4.74.", lambda: _shown_by_a_tick(5_400_000, 474)),
    ),
    Theorem(
        "calc.fine-clock",
        _GROUP,
        "Chains are kept to 100 us by a clock whose steps are at most 53 ns (costs above 1"
        " us) to 21 ns (costs above 31 ns).",
        "all costs from 31 ns to 95 us, all phases of the clock",
        "11",
        lambda: tuple(_fine_clock(*item) for item in _FINE_STEPS.items()),
        Twin("With steps of 54 ns.", lambda: _fine_clock(1, 54)),
    ),
    Theorem(
        "calc.any-clock",
        _GROUP,
        "With a coarser clock chains take less than 190 us at costs above 1 us, and less than 197"
        " us from 31 ns on: almost twice what was meant, and so do ticks and CPUs.",
        "all resolutions and phases of the clock, all costs from 31 ns to 95 us",
        "11",
        _any_clock_goals,
        Twin("They take less than 189 us.", lambda: _any_clock(1, 189_000)),
    ),
    Theorem(
        "calc.kthread-limits",
        _GROUP,
        "chain_max, tick_max, est_max_count and 2 * tick_max stay within an int, and are the same"
        " in all with one chain as with many.",
        "all answers up to 95000; 48 chains and 50 ticks, and all from 1 to 64",
        "2",
        lambda: (_limits_goal(_CHAINS), _limits_goal(None)),
        Twin("chain_max is multiplied with 48 twice.", lambda: _limits_goal(_CHAINS, _CHAINS)),
        second_solver=True,
    ),
    Theorem(
        "calc.kthread-ids",
        _GROUP,
        "The largest kthread number that the limit allows fits the 16 bits of ktid up to 8192"
        " CPUs.",
        "all cpulists",
        "1, 2, 12",
        lambda: (_kthread_ids(),),
        Twin("Up to 8193 CPUs.", lambda: _kthread_ids(8193)),
        second_solver=True,
    ),
)
