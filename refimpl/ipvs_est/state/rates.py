"""Averaging and decoding of rates (semantics section 3)."""

from ipvs_est.language.counters import Group
from ipvs_est.language.fixed import U64_MASK, U64_SIGN, U64_SPAN

# Rates of packets and connections are scaled by 2^10, of bytes by 2^5. A rate is a
# difference over 2 seconds, so one bit less is shifted in.
PACKET_SHIFT = 9
BYTE_SHIFT = 4


def average(avg: int, rate: int) -> int:
    """avg + (s64)(rate - avg) / 4 with an arithmetic shift, all modulo 2^64: 3/4 avg + 1/4 rate."""
    step = rate - avg & U64_MASK
    if step >= U64_SIGN:
        step -= U64_SPAN
    return avg + (step >> 2) & U64_MASK


def update_rates(rates: Group, last: Group, sums: Group) -> Group:
    """The five averages after one revolution in which the sums went from `last` to `sums`.

    Rates: u64, scaled by 2^10 (per second) for conns and packets, 2^5 for bytes.
    """
    return (
        average(rates[0], (sums[0] - last[0] & U64_MASK) << PACKET_SHIFT & U64_MASK),
        average(rates[1], (sums[1] - last[1] & U64_MASK) << PACKET_SHIFT & U64_MASK),
        average(rates[2], (sums[2] - last[2] & U64_MASK) << PACKET_SHIFT & U64_MASK),
        average(rates[3], (sums[3] - last[3] & U64_MASK) << BYTE_SHIFT & U64_MASK),
        average(rates[4], (sums[4] - last[4] & U64_MASK) << BYTE_SHIFT & U64_MASK),
    )


def decode_rates(rates: Group) -> Group:
    """Rates per second as a reader sees them, rounded to the nearest, a half down
    (`ip_vs_read_estimator`)."""
    return (
        (rates[0] + 0x1FF & U64_MASK) >> 10,
        (rates[1] + 0x1FF & U64_MASK) >> 10,
        (rates[2] + 0x1FF & U64_MASK) >> 10,
        (rates[3] + 0xF & U64_MASK) >> 5,
        (rates[4] + 0xF & U64_MASK) >> 5,
    )
