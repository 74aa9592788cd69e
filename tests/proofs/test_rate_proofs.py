"""What is proved of counters and rates is about the arithmetic that the model has."""

import random

import pytest

from ipvs_est import MAINLINE, V7, Oracle, Params, Revision
from ipvs_est.answers.results import ReadObject
from ipvs_est.language.operations import (
    Advance,
    InitNetns,
    Read,
    SetRunEstimation,
    StartService,
    Traffic,
)
from ipvs_est.state.rates import average
from ipvs_est.state.stats import StatsObject, estimate, export, read
from ipvs_est_checks.proving.counterexamples.rate_values import REPLAYS, decoded, updated
from ipvs_est_checks.proving.counterexamples.reading import twin_values, word_at
from ipvs_est_spec.algebra.z3_names import z3
from ipvs_est_spec.proof.framework.solve import Options, ProofVerdict, decide
from ipvs_est_spec.proof.rates import counters as rate_counters
from ipvs_est_spec.proof.rates import sequences as rate_sequences
from ipvs_est_spec.proof.rates import terms as rate_terms
from ipvs_est_spec.proof.rates import words as rate_words
from ipvs_est_spec.proof.rates.terms import BYTES, KINDS, PACKETS

_SEED = 20260730
_THEOREMS = (*rate_words.THEOREMS, *rate_counters.THEOREMS, *rate_sequences.THEOREMS)
_BY_ID = {theorem.id: theorem for theorem in _THEOREMS}
# `ipvs-est prove` decides this one too; it takes z3 some seconds.
_SLOW = ("averaging.step",)
_HALF = 2**63


def test_number_of_theorems_on_rates_is_known() -> None:
    assert len(_BY_ID) == len(_THEOREMS) == 17


@pytest.mark.parametrize("id_", [name for name in _BY_ID if name not in _SLOW])
def test_theorem_stands_and_needs_all_that_it_assumes(id_: str) -> None:
    outcome = decide(_BY_ID[id_], Options(seed=7))
    assert outcome.verdict is ProofVerdict.PROVED, outcome.complaints


# The terms and the model


def test_proved_arithmetic_is_the_models() -> None:
    rng = random.Random(_SEED)
    sizes = dict.fromkeys(("before", "last", "now"), 64)
    words = {size: z3.BitVec(size, 64) for size in sizes}
    for _ in range(300):
        kind = rng.choice(KINDS)
        bits = rng.choice((8, 40, 54, 63, 64))
        values = {size: rng.getrandbits(bits) for size in sizes}
        after = rate_terms.average(
            words["before"], rate_terms.rate(kind, words["last"], words["now"])
        )
        model = updated(kind.shift, **values)
        assert word_at(after, values, sizes) == model, values
        reading = rate_terms.reading(kind, words["before"])
        assert word_at(reading, values, sizes) == decoded(kind.shift, values["before"])


def test_numbers_that_do_not_wrap_behave_as_the_models() -> None:
    rng = random.Random(_SEED)
    for _ in range(300):
        avg, new = rng.getrandbits(rng.choice((3, 20, 63))), rng.getrandbits(63)
        exact = rate_terms.exact_average(z3.IntVal(avg), z3.IntVal(new))
        assert _integer(exact) == average(avg, new)
        for kind in KINDS:
            assert _integer(rate_terms.exact_reading(kind, z3.IntVal(avg))) == decoded(
                kind.shift, avg
            )


def _integer(term: z3.ArithRef) -> int:
    value = z3.simplify(term)
    assert isinstance(value, z3.IntNumRef)
    return value.as_long()


# Counterexamples of twins, replayed


@pytest.mark.parametrize("id_", _BY_ID)
def test_counterexample_of_a_twin_shows_in_the_model(id_: str) -> None:
    assert REPLAYS[id_](twin_values(_BY_ID[id_]))


# The bounds, approached in the model


def _final_after(shift: int, first: int, counted: int) -> int:
    """Revolutions until the reading is what it stays."""
    rate, avg = counted << shift, first
    final, last = counted // 2, 0
    for revolution in range(1, 400):
        avg = average(avg, rate)
        if decoded(shift, avg) != final:
            last = revolution + 1
    return last


@pytest.mark.parametrize(("bits", "proved"), [(63, 152), (42, 102)], ids=["all", "realistic"])
def test_readings_are_final_just_before_the_proved_bound(bits: int, proved: int) -> None:
    top = 2**bits - 1
    slowest = 0
    for kind in KINDS:
        most = top >> kind.shift
        # From the largest average down to no load and one odd packet; from none to the largest.
        for first, counted in ((top, 0), (top, 1), (0, most), (0, most - 1)):
            slowest = max(slowest, _final_after(kind.shift, first, counted))
    assert proved - 4 < slowest <= proved


def test_fastest_traffic_without_a_sign_error_is_that_of_the_theorem() -> None:
    for kind, step in ((PACKETS, 2**54), (BYTES, 2**59)):
        assert updated(kind.shift, 0, 0, step - 1) == ((step - 1) << kind.shift) // 4
        # One more: the average falls by a quarter of 2^63, modulo 2^64.
        assert updated(kind.shift, 0, 0, step) == 2**64 - 2**61


def test_bytes_of_the_old_interface_wrap_at_34_gigabits() -> None:
    stats = StatsObject()
    per_second = 2**32
    sums = 0
    for _ in range(200):
        sums += 2 * per_second
        estimate(stats, (0, 0, 0, sums, 0))
    assert read(stats).rates[3] == per_second
    assert export(stats).rates[3] == 0
    assert 8 * per_second == 34_359_738_368


def _estimations(oracle: Oracle, jiffies: int) -> list[tuple[int, int]]:
    """When a service that gets 1000 packets in each jiffy is estimated, in jiffies from now, and
    what rate is read then."""
    found: list[tuple[int, int]] = []
    for jiffy in range(jiffies):
        before = _reading(oracle)
        oracle.apply(Traffic(1, 0, 0, 1000, 0, 0, 0))
        oracle.apply(Advance(1))
        after = _reading(oracle)
        if after[0] != before[0]:
            found.append((jiffy, after[1]))
    return found


def _reading(oracle: Oracle) -> tuple[int, int]:
    """Packets and their rate."""
    result = oracle.apply(Read(1))
    assert isinstance(result, ReadObject)
    return result.reading.counters[1], result.reading.rates[1]


@pytest.mark.parametrize("revision", [V7, MAINLINE], ids=lambda revision: revision.name)
@pytest.mark.parametrize("off", [1, 10, 60])
def test_rates_after_run_estimation_was_off_are_those_of_the_theorem(
    off: int, revision: Revision
) -> None:
    hz, load = 100, 100_000
    oracle = Oracle(Params(hz=hz), revision)
    oracle.apply(InitNetns())
    oracle.apply(StartService(1))
    assert _estimations(oracle, 100 * 2 * hz)[-1][1] == load
    last, _ = _estimations(oracle, 3 * hz)[-1]
    oracle.apply(SetRunEstimation(0))
    assert _estimations(oracle, off * hz) == []
    oracle.apply(SetRunEstimation(1))
    after = _estimations(oracle, 30 * hz)
    gap = (3 * hz - last + off * hz + after[0][0]) / hz
    # One revolution and the time without tasks, give or take some ticks of the restart.
    assert off + 1.8 <= gap <= off + 2.2
    assert after[0][1] == pytest.approx(load * (3 / 4 + gap / 8), abs=1)
    for revolutions, (_, rate) in enumerate(after):
        excess = (gap / 8 - 1 / 4) * (3 / 4) ** revolutions
        assert rate == pytest.approx(load * (1 + excess), abs=1)
    assert len(after) >= 14
