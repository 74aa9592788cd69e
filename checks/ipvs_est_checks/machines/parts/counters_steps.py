"""One stats object below the operations: writers and a reader that stop at any word."""

from collections.abc import Generator, Iterator
from dataclasses import dataclass, field
from fractions import Fraction
from itertools import product

from ipvs_est.language.counters import CpuStats, Group, count, sum_cpustats
from ipvs_est.machine.points import Call, Point
from ipvs_est.state.seqcount import count_split, sum_split
from ipvs_est.state.stats import StatsObject, estimate, export, read, zero
from ipvs_est_checks.machines.naive import rates as naive_rates
from ipvs_est_checks.machines.naive.rates import KINDS, U64, NaiveStats

SENTENCES = {
    "counters.read": "Sums that a reader gets are of groups that writers left while it read.",
    "counters.state": "Sums, zero point, last sums and averages are those of the naive model.",
    "counters.reading": "CheckedCounters and rates read are those that the naive model gives.",
    "counters.export": "CheckedCounters and rates exported are the low words that the text names.",
    "rates.exact": "An average is at most 3 units below exact 3/4 - 1/4 averaging.",
    "rates.lossless": "Without zeroing, the counters read are the low 64 bits of all counted.",
}
"""By id: what is stated."""

Difference = tuple[str, str]
Steps = tuple[int, int, int, int, int]

# Rounding down loses less than 3/4 a time, and 3/4 of what was lost before stays: 3 at most.
MOST_LOST = 3
# Beyond this a rate, or its distance to the average, would leave its 64 bits.
REALISTIC = 2**53


@dataclass(slots=True)
class Writer:
    """Packets being counted on one CPU."""

    body: Call
    steps: Steps


@dataclass(slots=True)
class CheckedCounters:
    """The system's stats object, the naive one and exact averages."""

    split: bool
    """The 32-bit build."""
    system: StatsObject = field(default_factory=lambda: StatsObject(id=1))
    naive: NaiveStats = field(default_factory=NaiveStats)
    exact: list[Fraction] | None = field(default_factory=lambda: [Fraction(0)] * KINDS)
    """None: a rate has left the realistic range, where the averages are not defined."""
    writers: dict[int, Writer] = field(default_factory=dict)
    """By CPU."""
    reader: Generator[Point, None, Group] | None = None
    seen: dict[int, list[tuple[int, ...]]] = field(default_factory=dict)
    """By CPU: the groups that were there since the reader began."""
    zeroed: bool = False


def write(counters: CheckedCounters, cpu: int, steps: Steps) -> None:
    """Packets on a CPU on which nobody is counting."""
    if not counters.split:
        count(counters.system.cpustats, cpu, steps)
        _written(counters, cpu, steps)
        return
    counters.writers[cpu] = Writer(count_split(counters.system.cpustats, cpu, steps), steps)


def go_on_writing(counters: CheckedCounters, cpu: int, words: int) -> bool:
    """The writer accesses some more words; answers whether it is done."""
    writer = counters.writers[cpu]
    for _ in range(words):
        try:
            next(writer.body)
        except StopIteration:
            del counters.writers[cpu]
            _written(counters, cpu, writer.steps)
            return True
    return False


def begin_reading(counters: CheckedCounters) -> None:
    """A kthread starts to sum up the CPUs."""
    cpustats: CpuStats = counters.system.cpustats
    counters.seen = {cpu: [_group(counters, cpu)] for cpu in sorted(cpustats)}
    if counters.split:
        counters.reader = sum_split(cpustats)


def go_on_reading(counters: CheckedCounters, words: int) -> tuple[Group | None, list[Difference]]:
    """The reader accesses some more words; answers the sums when it is done."""
    assert counters.reader is not None
    for _ in range(words):
        try:
            next(counters.reader)
        except StopIteration as finished:
            counters.reader = None
            sums: Group = finished.value
            return sums, list(_check_sums(counters, sums))
    return None, []


def read_at_once(counters: CheckedCounters) -> tuple[Group, list[Difference]]:
    """The 64-bit build: each counter is one word."""
    begin_reading(counters)
    sums = sum_cpustats(counters.system.cpustats)
    return sums, list(_check_sums(counters, sums))


def apply_sums(counters: CheckedCounters, sums: Group) -> None:
    """Estimate once from those sums."""
    naive, exact = counters.naive, counters.exact
    before = list(naive.last)
    estimate(counters.system, sums)
    naive_rates.estimate(naive, list(sums))
    for kind in range(KINDS):
        rate = (sums[kind] - before[kind]) % U64 * naive_rates.scale_of_rate(kind)
        if rate >= REALISTIC:
            counters.exact = None
        elif exact is not None:
            exact[kind] = exact[kind] * Fraction(3, 4) + Fraction(rate, 4)


def zero_all(counters: CheckedCounters) -> None:
    """Zero for readers; from here on exact averages are defined again."""
    zero(counters.system)
    naive_rates.zero(counters.naive)
    counters.exact = [Fraction(0)] * KINDS
    counters.zeroed = True


def differences(counters: CheckedCounters) -> Iterator[Difference]:
    """Where the system is not as the naive model says."""
    system, naive = counters.system, counters.naive
    found = (system.kstats, system.kstats0, system.est.last, system.est.rates)
    wanted = (naive.sums, naive.zero_point, naive.last, naive.average)
    if found != tuple(map(tuple, wanted)):
        yield "counters.state", f"{found}, not {wanted}"
    reading = read(system)
    given = (naive_rates.counters_read(naive), naive_rates.rates_read(naive))
    if (reading.counters, reading.rates) != given:
        yield "counters.reading", f"{reading}, not {given}"
    exported = export(system)
    given = (naive_rates.counters_exported(naive), naive_rates.rates_exported(naive))
    if (exported.counters, exported.rates) != given:
        yield "counters.export", f"{exported}, not {given}"
    for kind, exact in enumerate(counters.exact or ()):
        if not 0 <= exact - system.est.rates[kind] <= MOST_LOST:
            yield "rates.exact", f"{system.est.rates[kind]}, exactly {exact}"
    idle = not counters.writers and counters.reader is None
    if idle and not counters.zeroed and system.kstats == tuple(naive_rates.sums_of(naive)):
        counted = [sum(group[kind] for group in naive.counted.values()) for kind in range(KINDS)]
        if reading.counters != tuple(total % U64 for total in counted):
            yield "rates.lossless", f"{reading.counters}, counted were {counted}"


def _written(counters: CheckedCounters, cpu: int, steps: Steps) -> None:
    naive_rates.count(counters.naive, cpu, steps)
    counters.seen.setdefault(cpu, [(0,) * KINDS]).append(_group(counters, cpu))


def _group(counters: CheckedCounters, cpu: int) -> tuple[int, ...]:
    counted = counters.naive.counted.get(cpu, [0] * KINDS)
    return tuple(value % U64 for value in counted)


def _check_sums(counters: CheckedCounters, sums: Group) -> Iterator[Difference]:
    """The sums are made of one group of each CPU that was there meanwhile."""
    possible = {
        tuple(sum(column) % U64 for column in zip(*groups, strict=True))
        for groups in product([(0,) * KINDS], *counters.seen.values())
    }
    if sums not in possible:
        yield "counters.read", f"{sums}, none of {sorted(possible)}"
