"""What is proved of the limits test is about the arithmetic that the model has."""

import random
from collections.abc import Callable
from math import inf

import pytest

from counterexamples import twin_values, word_at
from ipvs_est import Params
from ipvs_est.fixed import signed
from ipvs_est.kthread_context import KthreadContext, apply_limits
from ipvs_est.limits_test import TESTS, Measurement, measured
from ipvs_est.params import ParamsError
from ipvs_est_spec.proof import calc_load, calc_sequence, calc_terms, calc_test
from ipvs_est_spec.proof.solve import Options, Verdict, decide
from ipvs_est_spec.z3_names import z3

_SEED = 20260729
_THEOREMS = (*calc_test.THEOREMS, *calc_sequence.THEOREMS, *calc_load.THEOREMS)
_BY_ID = {each.id: each for each in _THEOREMS}
# `ipvs-est prove` decides these too; each takes z3 about a second.
_SLOW = ("calc.minimum", "calc.real-cost", "calc.fine-clock")

Values = dict[str, int]


def test_number_of_theorems_on_the_limits_is_known() -> None:
    assert len(_BY_ID) == len(_THEOREMS) == 19


@pytest.mark.parametrize("id_", [each for each in _BY_ID if each not in _SLOW])
def test_theorem_stands_and_needs_all_that_it_assumes(id_: str) -> None:
    outcome = decide(_BY_ID[id_], Options(seed=7))
    assert outcome.verdict is Verdict.PROVED, outcome.complaints


# The terms and the model


def _diff(rng: random.Random, loops: int) -> int:
    """A measured time, s64; often one that matters."""
    near = rng.choice((1000, 10**9, loops, 95_000 * loops)) + rng.randrange(-2, 3)
    return rng.choice((near, rng.randrange(1000, 4000), signed(rng.getrandbits(64), 64)))


def test_proved_test_is_the_models() -> None:
    rng = random.Random(_SEED)
    sizes = {"min_est": 32, "chain_max": 32, "diff": 64}
    stored = by_zero = 0
    for _ in range(600):
        loops = rng.choice(calc_terms.LOOPS)
        cost = rng.choice((0, rng.randrange(1, 10**9), rng.randrange(1, 200)))
        state = Measurement(loops, cost, 8 if not cost else max(1, 95_000 // cost))
        diff = _diff(rng, loops)
        inputs = {"min_est": cost, "chain_max": state.chain_max, "diff": diff}
        result = calc_terms.result_of(calc_terms.test_of(loops))
        proved = Measurement(
            word_at(result.loops, inputs, sizes),
            signed(word_at(result.min_est, inputs, sizes), 32),
            word_at(result.chain_max, inputs, sizes),
        )
        after = measured(state, diff)
        if after is None:
            # Where the model stops, the term has stored the zero that was divided by.
            assert proved.min_est == 0
            by_zero += 1
        else:
            assert proved == after, (state, diff)
            stored += after.min_est != cost
    assert stored > 50
    assert by_zero > 5


def test_proved_sequence_is_the_models() -> None:
    rng = random.Random(_SEED)
    sequence = calc_sequence.sequence_of(TESTS)
    sizes = {f"diff {test}": 64 for test in range(TESTS)}
    by_zero = measurements = 0
    for _ in range(60):
        few = rng.choice((0, 5, 10, 12))
        inputs = {
            name: rng.randrange(1001) if test < few else _diff(rng, 1 << test) % 2**64
            for test, name in enumerate(sizes)
        }
        model = _sequence([signed(diff, 64) for diff in inputs.values()])
        failed = z3.If(z3.Or(*sequence.by_zero), z3.BitVecVal(1, 1), z3.BitVecVal(0, 1))
        assert word_at(failed, inputs, sizes) == (model is None), inputs
        by_zero += model is None
        if model is not None:
            assert word_at(sequence.min_est, inputs, sizes) == model.min_est
            assert word_at(sequence.loops, inputs, sizes) == model.loops
            measurements += model.min_est > 0
    assert by_zero > 3
    assert measurements > 20


@pytest.mark.parametrize("cost", [1, 7, 8, 18, 19, 5000, 47_500, 94_999, 95_000, 95_001, 10**9 - 1])
def test_division_that_is_spelled_out_is_the_models(cost: int) -> None:
    # chain_max * cost <= 95000 < chain_max * cost + cost, or 1.
    answer = _answer(cost)
    assert answer == 1 if cost > 95_000 else answer * cost <= 95_000 < answer * cost + cost


def _answer(cost: int) -> int:
    """The model's answer for a measured cost, ns."""
    loops = 1
    while cost * loops <= 1000:
        loops *= 2
    after = measured(Measurement(loops), cost * loops)
    assert after is not None
    assert after.min_est == cost
    return after.chain_max


# Counterexamples of twins, replayed


def _after(values: Values) -> Measurement | None:
    state = Measurement(values["loops"], values["min_est"], values["chain_max"])
    return measured(state, signed(values["diff"], 64))


def _ceiling_holds(values: Values) -> bool:
    """The model leaves alone what the twin stores."""
    diff = signed(values["diff"], 64)
    after = _after(values)
    assert diff >= 10**9
    assert after is not None
    return after.min_est == values["min_est"] != signed(values["min_est after"], 32)


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
        _run(values["step"], values["cost_ps"], phase) is None for phase in range(values["step"])
    )


def _run(step: int, cost_ps: int, phase: int) -> Measurement | None:
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


def _sequence(diffs: list[int]) -> Measurement | None:
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
    return _sequence(diffs) is None


def _model_keeps_the_cheapest(values: Values) -> bool:
    after = _after(values)
    assert after is not None
    smaller = min(values["min_est"], values["diff"] // values["loops"])
    return after.min_est == smaller != values["min_est after"]


def _fits(hz: int, chain_ns: int) -> bool:
    """48 such chains are at most 1/8 of a tick."""
    return 48 * chain_ns * 8 * hz <= Params(hz=hz).tick_jiffies * 10**9


def _longer_than_meant(values: Values) -> bool:
    cost = values["min_est"]
    answer = _answer(cost)
    return answer * cost <= 100_000 < values["chain_max"] * cost and answer < values["chain_max"]


def _heavier_than_meant(values: Values) -> bool:
    cost = values["min_est"]
    right = _fits(250, _answer(cost) * cost)
    return right and not _fits(250, values["chain_max"] * cost)


def _too_many_kthreads(values: Values) -> bool:
    params = Params(hz=250)
    work_ns = _answer(values["min_est"]) * values["min_est"] * params.chain_factor

    def half_free(kthreads: int) -> bool:
        return 2 * kthreads * work_ns <= values["cpus"] * 40 * 10**6

    allowed = params.cpu_kthreads * values["cpus"]
    return half_free(allowed) and not half_free(values["kthreads"])


def _chain_ps(values: Values) -> int:
    """A chain of the model's answer at the real cost."""
    assert _answer(values["min_est"]) == values["chain_max"]
    return values["chain_max"] * values["real_ps"]


def _coarse_chain_ps(values: Values) -> int:
    after = measured(Measurement(values["loops"]), values["diff"])
    assert after is not None
    return after.chain_max * values["real_ps"]


def _limits_differ(values: Values) -> bool:
    kd = KthreadContext()
    params = Params(preempt_rcu=bool(values["preempt_rcu"]))
    apply_limits(params, kd, values["est_chain_max"])
    assert kd.est_max_count == 50 * 48 * values["est_chain_max"]
    return kd.est_max_count < values["est_max_count"]


def _is_no_machine(values: Values) -> bool:
    """The model has no more CPUs than that, since kthread numbers would not fit."""
    assert values["est_max_threads"] - 1 > 2**15 - 1
    with pytest.raises(ParamsError, match="possible_cpus"):
        Params(possible_cpus=values["cpus"])
    return 4 * Params(possible_cpus=8192).possible_cpus - 1 == 2**15 - 1


_REPLAYS: dict[str, Callable[[Values], bool]] = {
    "calc.invariant": _ceiling_holds,
    "calc.loops": _loops_run_over,
    "calc.no-overflow": _ceiling_holds,
    "calc.zero": lambda v: v["loops"] == 1024 and _after(v) is None,
    "calc.zero-clock": _zero_of_a_coarse_clock,
    "calc.default": _never_stores,
    "calc.minimum": _model_keeps_the_cheapest,
    "calc.sequence": _zero_after_10_fast_tests,
    "calc.range": lambda v: _answer(v["min_est"]) == 1,
    "calc.chain": _longer_than_meant,
    "calc.tick": _heavier_than_meant,
    "calc.cpus": _too_many_kthreads,
    "calc.room": lambda v: not _fits(v["hz"], 95_000),
    "calc.breaks": lambda v: v["min_est"] == 104_166 and _fits(250, _answer(104_166) * 104_166),
    "calc.real-cost": lambda v: _chain_ps(v) > 100_000_000,
    "calc.fine-clock": lambda v: _coarse_chain_ps(v) > 100_000_000,
    "calc.any-clock": lambda v: _coarse_chain_ps(v) >= 189_000_000,
    "calc.kthread-limits": _limits_differ,
    "calc.kthread-ids": _is_no_machine,
}


@pytest.mark.parametrize("id_", _BY_ID)
def test_counterexample_of_a_twin_shows_in_the_model(id_: str) -> None:
    assert _REPLAYS[id_](twin_values(_BY_ID[id_]))


# What the proofs say of real machines


def test_measured_costs_at_which_each_promise_breaks() -> None:
    costs = range(1, 110_000)

    def first(breaks: Callable[[int], bool]) -> float:
        return next((each for each in costs if breaks(each)), inf)

    assert first(lambda cost: _answer(cost) * cost > 100_000) == 100_001
    assert first(lambda cost: not _fits(250, _answer(cost) * cost)) == 104_167


def test_division_by_zero_needs_a_machine_that_no_one_has() -> None:
    # A clock of 2047 ns and an estimation of 499 ps; with 500 ps no clock does it.
    assert any(_run(2047, 499, phase) is None for phase in range(2047))
    for step in (1, 70, 279, 838, 1000, 1023, 2047, 4_000_000):
        for phase in range(0, step, 1 + step // 500):
            assert _run(step, 500, phase) is not None, (step, phase)


# The steps of clocks that machines may have, ns: TSC, HPET, ACPI PM timer, PIT, jiffies at HZ 250.
@pytest.mark.parametrize("step", [1, 70, 279, 838, 4_000_000])
def test_a_coarse_clock_makes_chains_longer_than_they_should_be(step: int) -> None:
    # Costs of 4 estimations from 60 ns to 5 us, at several phases: the longest chain, ns.
    longest = 0
    for quarter in range(15, 1250, 2):
        for phase in range(0, step, 1 + step // 40):
            state = _run(step, quarter * 1000, phase)
            assert state is not None
            # Nobody knows the cost if all tests took no time: jiffies.
            if state.min_est:
                longest = max(longest, state.chain_max * 4 * quarter)
    # The shortest time that counts may have been almost a step longer.
    shortest = (1000 // step + 1) * step
    expected = 95_000 * (shortest + step) / shortest
    # The division rounds costs of 60 ns down by up to 1/60.
    assert 0.98 * expected < longest < expected * 61 / 60
