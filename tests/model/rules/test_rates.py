"""Section 3: rates: rules, each with an answer worked out from the text."""

from fractions import Fraction
from itertools import product
from math import ceil, floor

import pytest

from ipvs_est.language.counters import ZERO, Group
from ipvs_est.state.rates import average, decode_rates, update_rates
from ipvs_est.state.stats import StatsObject, estimate

EXTREMES = sorted(
    {
        (base + step) % 2**64
        for base in (0, 2**9, 2**10, 2**32, 2**54, 2**55, 2**62, 2**63, 3 * 2**62)
        for step in range(-5, 6)
    }
)


def as_signed(value: int) -> int:
    """The number in -2^63 .. 2^63 - 1 that is congruent to `value` modulo 2^64."""
    return (value + 2**63) % 2**64 - 2**63


def test_average_moves_a_quarter_of_the_signed_way_rounded_down() -> None:
    for avg, rate in product(EXTREMES, EXTREMES):
        quarter = floor(Fraction(as_signed(rate - avg), 4))
        assert average(avg, rate) == (avg + quarter) % 2**64


def test_average_is_three_quarters_old_and_one_quarter_new() -> None:
    checked = 0
    for avg, rate in product(EXTREMES, EXTREMES):
        if abs(rate - avg) < 2**63:
            exact = Fraction(3, 4) * avg + Fraction(1, 4) * rate
            assert exact - 1 < average(avg, rate) <= exact
            checked += 1
    assert checked > len(EXTREMES) ** 2 // 2


def test_rate_is_the_difference_of_the_sums_over_two_seconds() -> None:
    # From 0 the first average is a quarter: 2^10/2 = 512 a packet, 2^5/2 = 16 a byte.
    assert update_rates(ZERO, ZERO, (8, 4, 2, 12, 1)) == (1024, 512, 256, 48, 4)


def test_rate_wraps_at_64_bits() -> None:
    checked = 0
    for last, now in product(EXTREMES, EXTREMES):
        packets = as_signed((now - last) % 2**64 * 512) // 4 % 2**64
        numbers = as_signed((now - last) % 2**64 * 16) // 4 % 2**64
        sums: Group = (now, now, now, now, now)
        before: Group = (last, last, last, last, last)
        wanted = (packets, packets, packets, numbers, numbers)
        assert update_rates(ZERO, before, sums) == wanted
        checked += 1
    assert checked == len(EXTREMES) ** 2


def test_estimation_stores_sums_rates_and_last_sums() -> None:
    stats = StatsObject(id=1)
    estimate(stats, (8, 4, 2, 12, 1))
    assert stats.kstats == stats.est.last == (8, 4, 2, 12, 1)
    assert stats.est.rates == (1024, 512, 256, 48, 4)
    # Nothing more came: the averages fall by a quarter, rounded down.
    estimate(stats, (8, 4, 2, 12, 1))
    assert stats.est.rates == (768, 384, 192, 36, 3)
    # 3 -> 3 + floor(-3/4) = 2
    estimate(stats, (8, 4, 2, 12, 1))
    assert stats.est.rates == (576, 288, 144, 27, 2)


def test_reading_rounds_a_rate_to_the_nearest_number() -> None:
    for avg in EXTREMES:
        packets = ceil(Fraction(avg, 1024) - Fraction(1, 2)) if avg < 2**64 - 0x1FF else 0
        numbers = ceil(Fraction(avg, 32) - Fraction(1, 2)) if avg < 2**64 - 0xF else 0
        assert decode_rates((avg,) * 5) == (packets, packets, packets, numbers, numbers)


@pytest.mark.parametrize(
    ("avg", "packets", "numbers"),
    [
        (0, 0, 0),
        (16, 0, 0),
        (17, 0, 1),
        (48, 0, 1),
        (49, 0, 2),
        (512, 0, 16),
        (513, 1, 16),
        (1024, 1, 32),
        (1536, 1, 48),
        (1537, 2, 48),
        (2**64 - 512, 2**54 - 1, 2**59 - 16),
        # The sum wraps to 0 or a little more.
        (2**64 - 511, 0, 2**59 - 16),
        (2**64 - 16, 0, 2**59 - 1),
        (2**64 - 15, 0, 0),
        (2**64 - 1, 0, 0),
    ],
)
def test_decoded_rate(avg: int, packets: int, numbers: int) -> None:
    assert decode_rates((avg,) * 5) == (packets, packets, packets, numbers, numbers)
