"""Counterexamples of the rates' twins, tried in the model's averaging and counters."""

from collections.abc import Callable, Mapping

from ipvs_est.language.counters import ZERO, Group, count, sum_cpustats
from ipvs_est.state.rates import average, decode_rates, update_rates
from ipvs_est.state.stats import StatsObject, estimate, export, read, zero
from ipvs_est_spec.proof.rates.terms import BYTES, PACKETS

Values = dict[str, int]


def _group(shift: int, value: int) -> Group:
    """That value at the first counter of the kind, 0 at the others."""
    return (value, 0, 0, 0, 0) if shift == PACKETS.shift else (0, 0, 0, value, 0)


def _index(shift: int) -> int:
    return 0 if shift == PACKETS.shift else 3


def updated(shift: int, before: int, last: int, now: int) -> int:
    """The model's average after an estimation."""
    groups = (_group(shift, number) for number in (before, last, now))
    return update_rates(*groups)[_index(shift)]


def decoded(shift: int, avg: int) -> int:
    return decode_rates(_group(shift, avg))[_index(shift)]


def _step_differs(values: Values) -> bool:
    after = updated(values["shift"], values["before"], values["last"], values["now"])
    return after != values["after"]


def _exact(before: int, new: int) -> int:
    """A quarter of the distance, rounded down, without wrapping."""
    return before + (new - before) // 4


def _sign_is_wrong(values: Values) -> bool:
    counted = (values["now"] - values["last"]) % 2**64
    assert counted == 2**54
    after = updated(values["shift"], values["before"], values["last"], values["now"])
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


def _three_quarters_of_the_excess_are_left(values: Values) -> bool:
    """The first estimation after a gap, from some average at rest, and the one after it."""
    rate, gap_rate = values["rate"], values["gap_rate"]
    assert values["avg"] in {average(first, gap_rate) for first in range(rate - 3, rate + 1)}
    after = average(values["avg"], rate)

    def is_left(parts: int) -> bool:
        """Of the excess of the first estimation so many quarters, less at most 3 units."""
        exact = 16 * rate + parts * (gap_rate - rate)
        return 16 * after <= exact <= 16 * (after + 3)

    return is_left(3) and not is_left(2)


REPLAYS: Mapping[str, Callable[[Values], bool]] = {
    "averaging.step": _step_differs,
    "averaging.range": _step_differs,
    "averaging.sign": _sign_is_wrong,
    "averaging.sign-exact": _right_beyond_a_quarter,
    "averaging.reading": lambda v: decoded(v["shift"], v["before"]) != v["read"],
    "averaging.rest": lambda v: decoded(v["shift"], v["before"]) == v["counted"] // 2 != v["read"],
    "averaging.export": _export_is_cut,
    "averaging.wrap": _sums_in_words_of_32_bits,
    "averaging.zero-read": _model_zeroes_what_was_estimated,
    "averaging.export-counters": _export_of_packets_is_cut,
    "averaging.monotone": _model_is_monotone,
    "averaging.converges": _more_than_half_is_left,
    "averaging.falls": _more_than_half_is_left,
    "averaging.error": _model_rounds_once,
    "averaging.settles": _a_hundredth_is_left,
    "averaging.gap": _three_quarters_of_the_excess_are_left,
    "averaging.final": lambda v: _after_revolutions(v, 140) != v["rate"],
}
"""By theorem: whether a counterexample of its twin shows in the model."""
