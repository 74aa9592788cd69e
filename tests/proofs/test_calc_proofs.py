"""What is proved of the limits test is about the arithmetic that the model has."""

import random
from collections.abc import Callable
from math import inf

import pytest

from ipvs_est.estimator.calc_limits import TESTS, Measurement, measured
from ipvs_est.language.fixed import signed
from ipvs_est_checks.proving.counterexamples.calc_values import (
    REPLAYS,
    answer,
    fits,
    model_sequence,
    run_by_clock,
)
from ipvs_est_checks.proving.counterexamples.reading import twin_values, word_at
from ipvs_est_spec.algebra.z3_names import z3
from ipvs_est_spec.proof.calc import calc_limits
from ipvs_est_spec.proof.calc import load as calc_load
from ipvs_est_spec.proof.calc import sequence as calc_sequence
from ipvs_est_spec.proof.calc import terms as calc_terms
from ipvs_est_spec.proof.framework.solve import Options, ProofVerdict, decide

_SEED = 20260729
_THEOREMS = (*calc_limits.THEOREMS, *calc_sequence.THEOREMS, *calc_load.THEOREMS)
_BY_ID = {theorem.id: theorem for theorem in _THEOREMS}
# `ipvs-est prove` decides these too; each takes z3 about a second.
_SLOW = ("calc.minimum", "calc.real-cost", "calc.fine-clock")


def test_number_of_theorems_on_the_limits_is_known() -> None:
    assert len(_BY_ID) == len(_THEOREMS) == 21


@pytest.mark.parametrize("id_", [name for name in _BY_ID if name not in _SLOW])
def test_theorem_stands_and_needs_all_that_it_assumes(id_: str) -> None:
    outcome = decide(_BY_ID[id_], Options(seed=7))
    assert outcome.verdict is ProofVerdict.PROVED, outcome.complaints


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
        model = model_sequence([signed(diff, 64) for diff in inputs.values()])
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
    most = answer(cost)
    assert most == 1 if cost > 95_000 else most * cost <= 95_000 < most * cost + cost


# Counterexamples of twins, replayed


@pytest.mark.parametrize("id_", _BY_ID)
def test_counterexample_of_a_twin_shows_in_the_model(id_: str) -> None:
    assert REPLAYS[id_](twin_values(_BY_ID[id_]))


# What the proofs say of real machines


def test_measured_costs_at_which_each_promise_breaks() -> None:
    costs = range(1, 110_000)

    def first(breaks: Callable[[int], bool]) -> float:
        return next((cost for cost in costs if breaks(cost)), inf)

    assert first(lambda cost: answer(cost) * cost > 100_000) == 100_001
    assert first(lambda cost: not fits(250, answer(cost) * cost)) == 104_167


def test_division_by_zero_needs_a_machine_that_no_one_has() -> None:
    # A clock of 2047 ns and an estimation of 499 ps; with 500 ps no clock does it.
    assert any(run_by_clock(2047, 499, phase) is None for phase in range(2047))
    for step in (1, 70, 279, 838, 1000, 1023, 2047, 4_000_000):
        for phase in range(0, step, 1 + step // 500):
            assert run_by_clock(step, 500, phase) is not None, (step, phase)


# The steps of clocks that machines may have, ns: TSC, HPET, ACPI PM timer, PIT, jiffies at HZ 250.
@pytest.mark.parametrize("step", [1, 70, 279, 838, 4_000_000])
def test_a_coarse_clock_makes_chains_longer_than_they_should_be(step: int) -> None:
    # Costs of 4 estimations from 60 ns to 5 us, at several phases: the longest chain, ns.
    longest = 0
    for quarter in range(15, 1250, 2):
        for phase in range(0, step, 1 + step // 40):
            state = run_by_clock(step, quarter * 1000, phase)
            assert state is not None
            # Nobody knows the cost if all tests took no time: jiffies.
            if state.min_est:
                longest = max(longest, state.chain_max * 4 * quarter)
    # The shortest time that counts may have been almost a step longer.
    shortest = (1000 // step + 1) * step
    expected = 95_000 * (shortest + step) / shortest
    # The division rounds costs of 60 ns down by up to 1/60.
    assert 0.98 * expected < longest < expected * 61 / 60


def test_a_slow_measurement_whose_32_bits_are_0_shows_by_chain_max_alone() -> None:
    """One that z3 once answered: min_est is 0 before and after."""
    values = {"loops": 1, "min_est": 0, "chain_max": 8, "diff": 4153993545788686336}
    stored = {"loops after": 1, "min_est after": 0, "chain_max after": 1}
    assert REPLAYS["calc.invariant"](values | stored)
    assert not REPLAYS["calc.invariant"](values | stored | {"chain_max after": 8})
