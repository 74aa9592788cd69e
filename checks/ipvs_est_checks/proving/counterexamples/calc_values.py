"""Counterexamples of the limits' twins, tried in the model's limits test."""

from collections.abc import Callable, Mapping

from ipvs_est import Params
from ipvs_est.estimator.calc_limits import TESTS, Measurement, measured
from ipvs_est.language.fixed import signed
from ipvs_est.language.params import ParamsError
from ipvs_est.state.kthread_context import KthreadContext, apply_limits

Values = dict[str, int]


def answer(cost: int) -> int:
    """The model's answer for a measured cost, ns."""
    loops = 1
    while cost * loops <= 1000:
        loops *= 2
    after = measured(Measurement(loops), cost * loops)
    assert after is not None
    assert after.min_est == cost
    return after.chain_max


def _after(values: Values) -> Measurement | None:
    state = Measurement(values["loops"], values["min_est"], values["chain_max"])
    return measured(state, signed(values["diff"], 64))


def _ceiling_holds(values: Values) -> bool:
    """The model leaves alone what the twin stores."""
    diff = signed(values["diff"], 64)
    after = _after(values)
    assert diff >= 10**9
    assert after is not None
    before = values["min_est"], values["chain_max"]
    # What the twin stores may be 0 in 32 bits, as min_est was; then chain_max alone tells.
    stored = signed(values["min_est after"], 32), values["chain_max after"]
    return (after.min_est, after.chain_max) == before != stored


def _never_stores(values: Values) -> bool:
    """What the twin says of a slow test: it is not stored by the model."""
    after = measured(Measurement(values["loops"]), signed(values["diff"], 64))
    return after == Measurement(values["loops"]) and signed(values["diff"], 64) >= 10**9


def _loops_run_over(values: Values) -> bool:
    after = _after(values)
    return after is not None and after.loops > 1 << TESTS


def _zero_of_a_coarse_clock(values: Values) -> bool:
    """The whole test by a clock with those steps: there is a phase at which it divides by 0."""
    assert values["cost_ps"] == 499
    return any(
        run_by_clock(values["step"], values["cost_ps"], phase) is None
        for phase in range(values["step"])
    )


def run_by_clock(step: int, cost_ps: int, phase: int) -> Measurement | None:
    """12 tests of 4 * loops estimations; the time in between is such that a test begins `phase`
    ns after a step of the clock."""
    state = Measurement()
    for _ in range(TESTS):
        ended = phase + 4 * state.loops * cost_ps // 1000
        after = measured(state, ended // step * step)
        if after is None:
            return None
        state = after
    return state


def model_sequence(diffs: list[int]) -> Measurement | None:
    """The model's 12 tests; None: one divides by zero."""
    state = Measurement()
    for diff in diffs:
        after = measured(state, diff)
        if after is None:
            return None
        state = after
    return state


def _zero_after_10_fast_tests(values: Values) -> bool:
    diffs = [signed(values[f"diff {test}"], 64) for test in range(TESTS)]
    assert sum(diff <= 1000 for diff in diffs[:-1]) >= 10
    return model_sequence(diffs) is None


def _model_keeps_the_cheapest(values: Values) -> bool:
    after = _after(values)
    assert after is not None
    smaller = min(values["min_est"], values["diff"] // values["loops"])
    return after.min_est == smaller != values["min_est after"]


def fits(hz: int, chain_ns: int) -> bool:
    """48 such chains are at most 1/8 of a tick."""
    return 48 * chain_ns * 8 * hz <= Params(hz=hz).tick_jiffies * 10**9


def _longer_than_meant(values: Values) -> bool:
    cost = values["min_est"]
    right = answer(cost)
    return right * cost <= 100_000 < values["chain_max"] * cost and right < values["chain_max"]


def _heavier_than_meant(values: Values) -> bool:
    cost = values["min_est"]
    right = fits(250, answer(cost) * cost)
    return right and not fits(250, values["chain_max"] * cost)


def _too_many_kthreads(values: Values) -> bool:
    params = Params(hz=250)
    work_ns = answer(values["min_est"]) * values["min_est"] * params.chain_factor

    def half_free(kthreads: int) -> bool:
        return 2 * kthreads * work_ns <= values["cpus"] * 40 * 10**6

    allowed = params.cpu_kthreads * values["cpus"]
    return half_free(allowed) and not half_free(values["kthreads"])


def _chain_ps(values: Values) -> int:
    """A chain of the model's answer at the real cost."""
    assert answer(values["min_est"]) == values["chain_max"]
    return values["chain_max"] * values["real_ps"]


def _coarse_chain_ps(values: Values) -> int:
    after = measured(Measurement(values["loops"]), values["diff"])
    assert after is not None
    return after.chain_max * values["real_ps"]


def _cold_chain_ns(values: Values) -> int:
    """A chain of the model's answer at the true cost with a cold cache."""
    assert answer(values["min_est"]) == values["chain_max"]
    return values["chain_max"] * values["cold"]


def _factor_of_a_tick_is_less(values: Values) -> bool:
    """Of a tick of 5.4 ms or more, than 4.74."""
    assert 48 * _cold_chain_ns(values) >= 5_400_000
    return 4 * values["cold"] * 100 < 474 * values["min_est"]


def _limits_differ(values: Values) -> bool:
    kd = KthreadContext()
    params = Params(preempt_rcu=bool(values["preempt_rcu"]))
    apply_limits(params, kd, values["est_chain_max"])
    assert kd.est_max_count == 50 * 48 * values["est_chain_max"]
    return kd.est_max_count < values["est_max_count"]


def _is_no_machine(values: Values) -> bool:
    """The model has no more CPUs than that, since kthread numbers would not fit."""
    assert values["est_max_threads"] - 1 > 2**15 - 1
    try:
        Params(possible_cpus=values["cpus"])
    except ParamsError as error:
        if error.field != "possible_cpus":
            return False
    else:
        return False
    return 4 * Params(possible_cpus=8192).possible_cpus - 1 == 2**15 - 1


REPLAYS: Mapping[str, Callable[[Values], bool]] = {
    "calc.invariant": _ceiling_holds,
    "calc.loops": _loops_run_over,
    "calc.no-overflow": _ceiling_holds,
    "calc.zero": lambda v: v["loops"] == 1024 and _after(v) is None,
    "calc.zero-clock": _zero_of_a_coarse_clock,
    "calc.default": _never_stores,
    "calc.minimum": _model_keeps_the_cheapest,
    "calc.sequence": _zero_after_10_fast_tests,
    "calc.range": lambda v: answer(v["min_est"]) == 1,
    "calc.chain": _longer_than_meant,
    "calc.tick": _heavier_than_meant,
    "calc.cpus": _too_many_kthreads,
    "calc.room": lambda v: not fits(v["hz"], 95_000),
    "calc.breaks": lambda v: v["min_est"] == 104_166 and fits(250, answer(104_166) * 104_166),
    "calc.real-cost": lambda v: _chain_ps(v) > 100_000_000,
    "calc.cold-factor": lambda v: v["cold"] <= 100_000 < _cold_chain_ns(v),
    "calc.cold-share": _factor_of_a_tick_is_less,
    "calc.fine-clock": lambda v: _coarse_chain_ps(v) > 100_000_000,
    "calc.any-clock": lambda v: _coarse_chain_ps(v) >= 189_000_000,
    "calc.kthread-limits": _limits_differ,
    "calc.kthread-ids": _is_no_machine,
}
"""By theorem: whether a counterexample of its twin shows in the model."""
