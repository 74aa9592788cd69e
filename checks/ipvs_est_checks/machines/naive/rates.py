"""Counters and rates as section 3 of the semantics states them, on plain integers.

Written from the text, without a look at the reference implementation.
"""

from dataclasses import dataclass, field

U64 = 2**64
U32 = 2**32
KINDS = 5
"""conns, inpkts, outpkts, inbytes, outbytes."""
FIRST_OF_BYTES = 3


@dataclass(slots=True)
class NaiveStats:
    """One stats object."""

    counted: dict[int, list[int]] = field(default_factory=dict)
    """By CPU, as counted, without wrapping."""
    sums: list[int] = field(default_factory=lambda: [0] * KINDS)
    zero_point: list[int] = field(default_factory=lambda: [0] * KINDS)
    last: list[int] = field(default_factory=lambda: [0] * KINDS)
    average: list[int] = field(default_factory=lambda: [0] * KINDS)


def count(stats: NaiveStats, cpu: int, steps: tuple[int, ...]) -> None:
    """Packets on one CPU."""
    counted = stats.counted.setdefault(cpu, [0] * KINDS)
    for kind in range(KINDS):
        counted[kind] += steps[kind]


def sums_of(stats: NaiveStats) -> list[int]:
    """Sums over the CPUs of now."""
    totals = [0] * KINDS
    for counted in stats.counted.values():
        for kind in range(KINDS):
            totals[kind] += counted[kind]
    return [total % U64 for total in totals]


def estimate(stats: NaiveStats, sums: list[int]) -> None:
    """One estimation from those sums."""
    for kind in range(KINDS):
        stats.sums[kind] = sums[kind]
        stats.average[kind] = next_average(kind, stats.average[kind], stats.last[kind], sums[kind])
        stats.last[kind] = sums[kind]


def next_average(kind: int, average: int, last: int, now: int) -> int:
    """The average after one more estimation."""
    rate = (now - last) % U64 * scale_of_rate(kind) % U64
    difference = (rate - average) % U64
    if difference >= U64 // 2:
        difference -= U64
    # An arithmetic shift by 2 divides by 4 and rounds down.
    return (average + difference // 4) % U64


def scale_of_rate(kind: int) -> int:
    """What a difference of two sums, two seconds apart, is multiplied with."""
    return 2**4 if kind >= FIRST_OF_BYTES else 2**9


def zero(stats: NaiveStats) -> None:
    """Zero counters and rates for readers."""
    stats.zero_point = list(stats.sums)
    stats.last = list(stats.sums)
    stats.average = [0] * KINDS


def counters_read(stats: NaiveStats) -> tuple[int, ...]:
    """What a reader gets."""
    return tuple((stats.sums[kind] - stats.zero_point[kind]) % U64 for kind in range(KINDS))


def rates_read(stats: NaiveStats) -> tuple[int, ...]:
    """What a reader gets, per second."""
    rates = []
    for kind, average in enumerate(stats.average):
        if kind >= FIRST_OF_BYTES:
            rates.append((average + 0xF) % U64 // 2**5)
        else:
            rates.append((average + 0x1FF) % U64 // 2**10)
    return tuple(rates)


def counters_exported(stats: NaiveStats) -> tuple[int, ...]:
    """What the old sockopt interface gives: bytes keep their 64 bits."""
    return tuple(
        value if kind >= FIRST_OF_BYTES else value % U32
        for kind, value in enumerate(counters_read(stats))
    )


def rates_exported(stats: NaiveStats) -> tuple[int, ...]:
    """What the old sockopt interface gives, per second."""
    return tuple(value % U32 for value in rates_read(stats))
