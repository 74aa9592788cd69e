"""What is proved of counters and rates is about the arithmetic that the model has."""

import random
from collections.abc import Callable

import pytest

from counterexamples import twin_values, word_at
from ipvs_est.counters import ZERO, Group, count, sum_cpustats
from ipvs_est.rates import average, decode_rates, update_rates
from ipvs_est.stats import StatsObject, estimate, export, read, zero
from ipvs_est_spec.proof import rate_counters, rate_sequences, rate_terms, rate_words
from ipvs_est_spec.proof.rate_terms import BYTES, KINDS, PACKETS
from ipvs_est_spec.proof.solve import Options, Verdict, decide
from ipvs_est_spec.z3_names import z3

_SEED = 20260730
_THEOREMS = (*rate_words.THEOREMS, *rate_counters.THEOREMS, *rate_sequences.THEOREMS)
_BY_ID = {each.id: each for each in _THEOREMS}
# `ipvs-est prove` decides this one too; it takes z3 some seconds.
_SLOW = ("averaging.step",)
_HALF = 2**63

Values = dict[str, int]


def test_number_of_theorems_on_rates_is_known() -> None:
    assert len(_BY_ID) == len(_THEOREMS) == 16


@pytest.mark.parametrize("id_", [each for each in _BY_ID if each not in _SLOW])
def test_theorem_stands_and_needs_all_that_it_assumes(id_: str) -> None:
    outcome = decide(_BY_ID[id_], Options(seed=7))
    assert outcome.verdict is Verdict.PROVED, outcome.complaints


# The terms and the model


def _group(shift: int, value: int) -> Group:
    """That value at the first counter of the kind, 0 at the others."""
    return (value, 0, 0, 0, 0) if shift == PACKETS.shift else (0, 0, 0, value, 0)


def _index(shift: int) -> int:
    return 0 if shift == PACKETS.shift else 3


def _updated(shift: int, before: int, last: int, now: int) -> int:
    """The model's average after an estimation."""
    groups = (_group(shift, each) for each in (before, last, now))
    return update_rates(*groups)[_index(shift)]


def _decoded(shift: int, avg: int) -> int:
    return decode_rates(_group(shift, avg))[_index(shift)]


def test_proved_arithmetic_is_the_models() -> None:
    rng = random.Random(_SEED)
    sizes = dict.fromkeys(("before", "last", "now"), 64)
    words = {each: z3.BitVec(each, 64) for each in sizes}
    for _ in range(300):
        kind = rng.choice(KINDS)
        bits = rng.choice((8, 40, 54, 63, 64))
        values = {each: rng.getrandbits(bits) for each in sizes}
        after = rate_terms.average(
            words["before"], rate_terms.rate(kind, words["last"], words["now"])
        )
        model = _updated(kind.shift, **values)
        assert word_at(after, values, sizes) == model, values
        reading = rate_terms.reading(kind, words["before"])
        assert word_at(reading, values, sizes) == _decoded(kind.shift, values["before"])


def test_numbers_that_do_not_wrap_behave_as_the_models() -> None:
    rng = random.Random(_SEED)
    for _ in range(300):
        avg, new = rng.getrandbits(rng.choice((3, 20, 63))), rng.getrandbits(63)
        exact = rate_terms.exact_average(z3.IntVal(avg), z3.IntVal(new))
        assert _integer(exact) == average(avg, new)
        for kind in KINDS:
            assert _integer(rate_terms.exact_reading(kind, z3.IntVal(avg))) == _decoded(
                kind.shift, avg
            )


def _integer(term: z3.ArithRef) -> int:
    value = z3.simplify(term)
    assert isinstance(value, z3.IntNumRef)
    return value.as_long()


# Counterexamples of twins, replayed


def _step_differs(values: Values) -> bool:
    after = _updated(values["shift"], values["before"], values["last"], values["now"])
    return after != values["after"]


def _exact(before: int, new: int) -> int:
    """A quarter of the distance, rounded down, without wrapping."""
    return before + (new - before) // 4


def _sign_is_wrong(values: Values) -> bool:
    counted = (values["now"] - values["last"]) % 2**64
    assert counted == 2**54
    after = _updated(values["shift"], values["before"], values["last"], values["now"])
    return after != _exact(values["before"], counted << values["shift"])


def _right_beyond_a_quarter(values: Values) -> bool:
    """Half of the bound's range is not all of it."""
    before, new = values["before"], values["new"]
    assert not -(2**62) <= new - before < 2**62
    return average(before, new) == _exact(before, new)


def _export_is_cut(values: Values) -> bool:
    """Above 2^32 bytes a second, below the bound of packets."""
    stats = StatsObject()
    stats.est.rates = _group(BYTES.shift, values["before"])
    inbps = read(stats).rates[3]
    exported = export(stats).rates[3]
    return inbps == values["read"] >= 2**32 and exported == inbps % 2**32 != inbps


def _model_is_monotone(values: Values) -> bool:
    low = average(values["avg"], values["rate"])
    high = average(values["other"], values["higher"])
    return values["low"] > values["high"] and low <= high


def _more_than_half_is_left(values: Values) -> bool:
    """Of the distance, and three units."""
    after = average(values["avg"], values["rate"])
    distance = abs(values["first"] - values["rate"])
    return abs(after - values["rate"]) * 4 > distance * 2


def _model_rounds_once(values: Values) -> bool:
    after = average(values["avg"], values["rate"])
    # Exact averaging, times 4, from what was exact before.
    exact = 3 * values["exact"] + values["rate"]
    return after != values["after"] and 4 * after <= exact < 4 * after + 12


def _after_revolutions(values: Values, number: int) -> int:
    avg = values["first"]
    for _ in range(number):
        avg = average(avg, values["rate"])
    return avg


def _a_hundredth_is_left(values: Values) -> bool:
    missing = values["rate"] - _after_revolutions(values, 16) - 3
    assert values["rate"] - values["first"] >= 2**20
    return 100 * missing > values["rate"] - values["first"]


def _sums_in_words_of_32_bits(values: Values) -> bool:
    """The model's difference is what was counted; the twin's is not."""
    cpustats: dict[int, list[int]] = {}
    count(cpustats, 0, (values["first"], 0, 0, 0, 0))
    count(cpustats, 1, (values["second"], 0, 0, 0, 0))
    before = sum_cpustats(cpustats)[0]
    count(cpustats, 0, (values["more"], 0, 0, 0, 0))
    count(cpustats, 1, (values["others"], 0, 0, 0, 0))
    counted = (sum_cpustats(cpustats)[0] - before) % 2**64
    total = values["first"] + values["second"]
    return counted == values["more"] + values["others"] and (
        values["seen"] != counted or total % 2**64 != total % 2**32
    )


def _model_zeroes_what_was_estimated(values: Values) -> bool:
    """Packets since the last estimation are read after the next one."""
    stats = StatsObject()
    stats.kstats = stats.est.last = (values["kstats"], 0, 0, 0, 0)
    zero(stats)
    assert read(stats).counters == ZERO
    estimate(stats, (values["counted"] % 2**64, 0, 0, 0, 0))
    later = (values["counted"] - values["kstats"]) % 2**64
    return read(stats).counters[0] == later and values["read"] != 0


def _export_of_packets_is_cut(values: Values) -> bool:
    stats = StatsObject()
    stats.kstats, stats.kstats0 = (values["kstats"],) * 5, (values["kstats0"],) * 5
    conns = read(stats).counters[0]
    exported = export(stats).counters
    return 2**32 <= conns < 2**33 and exported[0] == conns - 2**32 and exported[3] == conns


_REPLAYS: dict[str, Callable[[Values], bool]] = {
    "averaging.step": _step_differs,
    "averaging.range": _step_differs,
    "averaging.sign": _sign_is_wrong,
    "averaging.sign-exact": _right_beyond_a_quarter,
    "averaging.reading": lambda v: _decoded(v["shift"], v["before"]) != v["read"],
    "averaging.rest": lambda v: _decoded(v["shift"], v["before"]) == v["counted"] // 2 != v["read"],
    "averaging.export": _export_is_cut,
    "averaging.wrap": _sums_in_words_of_32_bits,
    "averaging.zero-read": _model_zeroes_what_was_estimated,
    "averaging.export-counters": _export_of_packets_is_cut,
    "averaging.monotone": _model_is_monotone,
    "averaging.converges": _more_than_half_is_left,
    "averaging.falls": _more_than_half_is_left,
    "averaging.error": _model_rounds_once,
    "averaging.settles": _a_hundredth_is_left,
    "averaging.final": lambda v: _after_revolutions(v, 140) != v["rate"],
}


@pytest.mark.parametrize("id_", _BY_ID)
def test_counterexample_of_a_twin_shows_in_the_model(id_: str) -> None:
    assert _REPLAYS[id_](twin_values(_BY_ID[id_]))


# The bounds, approached in the model


def _final_after(shift: int, first: int, counted: int) -> int:
    """Revolutions until the reading is what it stays."""
    rate, avg = counted << shift, first
    final, last = counted // 2, 0
    for revolution in range(1, 400):
        avg = average(avg, rate)
        if _decoded(shift, avg) != final:
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
        assert _updated(kind.shift, 0, 0, step - 1) == ((step - 1) << kind.shift) // 4
        # One more: the average falls by a quarter of 2^63, modulo 2^64.
        assert _updated(kind.shift, 0, 0, step) == 2**64 - 2**61


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
