"""Rates: the averages of what was counted, from the record of events.

A rate is a difference over a revolution times 2^9 (packets, connections) or 2^4 (bytes). Traffic
is called realistic while that is below 2^63: below 2^54 packets and 2^59 bytes in 2 seconds.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import TypeVar

from ipvs_est.language.events import Averaged, Event, StartReturned
from ipvs_est.language.params import Params
from ipvs_est_spec.algebra.algebra import Algebra
from ipvs_est_spec.properties.objects import Objects
from ipvs_est_spec.property import Case
from ipvs_est_spec.record.by_kind import of_kind, of_kinds
from ipvs_est_spec.state.abstract_state import AbstractState

B = TypeVar("B")
N = TypeVar("N")

SPAN = 2**64
HALF = 2**63
# In the order of the counters: conns, inpkts, outpkts, inbytes, outbytes.
SCALES = (2**9, 2**9, 2**9, 2**4, 2**4)

# Rounding down takes at most 3/4 at each step, of which 3/4 are left at the next: 3 in all.
LARGEST_ERROR = 3
# So long a sequence of estimations is followed with exact numbers, which grow with it.
LONGEST_SEQUENCE = 64


def last_sums_are_kstats(state: AbstractState[B, N]) -> B:
    """The last sums of every estimator are its object's counters."""
    return state.every_counter(state.algebra.equal)


def continued_cases(params: Params, events: Sequence[Event]) -> Iterator[Case]:
    """For each counter of each two estimations of an object in a row: the sum of the first, the
    sum from which the second takes its rate."""
    del params
    known: dict[int, Sequence[int]] = {}
    objects = Objects()
    for event in of_kinds(events, StartReturned, Averaged):
        if isinstance(event, StartReturned):
            if objects.changed(event):
                known.pop(event.id, None)
        elif isinstance(event, Averaged):
            if event.id in known:
                yield from zip(known[event.id], event.last, strict=True)
            known[event.id] = event.sums


def equal(a: Algebra[B, N], case: Sequence[N]) -> B:
    """The two are the same."""
    left, right = case
    return a.equal(left, right)


def average_cases(params: Params, events: Sequence[Event]) -> Iterator[Case]:
    """For each counter of each estimation: average before, last sum, new sum, average after,
    scale."""
    del params
    for event in of_kind(events, Averaged):
        for index, (before, last, now, after) in enumerate(
            zip(event.before, event.last, event.sums, event.after, strict=True)
        ):
            yield before, last, now, after, SCALES[index]


def averaged(a: Algebra[B, N], case: Sequence[N]) -> B:
    """The average moves by a quarter of its distance to the rate, rounded down, modulo 2^64."""
    before, last, now, after, scale = case
    wanted = _signed(a, a.minus(_rate(a, last, now, scale), before))
    done = _signed(a, a.minus(after, before))
    return a.both(
        a.equal(a.times(a.number(4), done), a.minus(wanted, a.modulo(wanted, 4))),
        a.at_most(a.number(0), after),
        a.less(after, a.number(SPAN)),
    )


def in_range(a: Algebra[B, N], case: Sequence[N]) -> B:
    """At realistic traffic the average stays between what it was and the rate."""
    before, last, now, after, scale = case
    rate = _realistic_rate(a, last, now, scale)
    half = a.number(HALF)
    rising = a.at_most(before, rate)
    return a.implies(
        a.both(a.less(rate, half), a.less(before, half)),
        a.both(
            a.at_most(a.choose(rising, before, rate), after),
            a.at_most(after, a.choose(rising, rate, before)),
        ),
    )


def _rate(a: Algebra[B, N], last: N, now: N, scale: N) -> N:
    return a.modulo(_realistic_rate(a, last, now, scale), SPAN)


def _realistic_rate(a: Algebra[B, N], last: N, now: N, scale: N) -> N:
    """What a rate would be if it could not wrap."""
    return a.times(a.modulo(a.minus(now, last), SPAN), scale)


def _signed(a: Algebra[B, N], number: N) -> N:
    """The number modulo 2^64 as an s64."""
    low = a.modulo(number, SPAN)
    return a.choose(a.less(low, a.number(HALF)), low, a.minus(low, a.number(SPAN)))


@dataclass(frozen=True, slots=True)
class _Sequence:
    """Estimations of one counter in a row."""

    after: int
    """The average now."""
    steps: int
    first: int
    """The average before them."""
    exact: int
    """What averaging without rounding would give now, times 4^steps."""
    rate: int
    """The rate of all of them; -1 = they have different ones."""


def _sequences(events: Sequence[Event]) -> Iterator[_Sequence]:
    """The sequence that each counter of each estimation ends; realistic traffic only."""
    known: dict[tuple[int, int], _Sequence] = {}
    for event in of_kind(events, Averaged):
        for index, (before, last, now, after) in enumerate(
            zip(event.before, event.last, event.sums, event.after, strict=True)
        ):
            key = event.id, index
            rate = (now - last) % SPAN * SCALES[index]
            old = known.pop(key, None)
            if rate >= HALF or before >= HALF or not (rate or before):
                continue
            # Zeroing, too, begins a new sequence.
            if old is None or old.after != before or old.steps == LONGEST_SEQUENCE:
                old = _Sequence(before, 0, before, before, rate)
            known[key] = _Sequence(
                after,
                old.steps + 1,
                old.first,
                3 * old.exact + rate * 4**old.steps,
                rate if rate == old.rate else -1,
            )
            yield known[key]


def error_cases(params: Params, events: Sequence[Event]) -> Iterator[Case]:
    """For each counter of each estimation: the average, times 4^n, the exact one, times 4^n, and
    4^n itself, after n estimations since both were the same."""
    del params
    for sequence in _sequences(events):
        scale = 4**sequence.steps
        yield sequence.after * scale, sequence.exact, scale


def close_to_exact(a: Algebra[B, N], case: Sequence[N]) -> B:
    """The average is not above the exact one, and less than LARGEST_ERROR below it."""
    average, exact, scale = case
    return a.both(
        a.at_most(average, exact),
        a.less(exact, a.plus(average, a.times(a.number(LARGEST_ERROR), scale))),
    )


def convergence_cases(params: Params, events: Sequence[Event]) -> Iterator[Case]:
    """For each counter of each estimation that ends n equal rates in a row: the average before
    them, the average after, the rate, 3^n, 4^n."""
    del params
    for sequence in _sequences(events):
        if sequence.rate >= 0:
            yield (
                sequence.first,
                sequence.after,
                sequence.rate,
                3**sequence.steps,
                4**sequence.steps,
            )


def converges(a: Algebra[B, N], case: Sequence[N]) -> B:
    """Of the distance to the rate at most (3/4)^n is left, and LARGEST_ERROR."""
    first, after, rate, threes, fours = case
    allowed = a.plus(
        a.times(_distance(a, first, rate), threes), a.times(a.number(LARGEST_ERROR), fours)
    )
    return a.at_most(a.times(_distance(a, after, rate), fours), allowed)


def _distance(a: Algebra[B, N], left: N, right: N) -> N:
    return a.choose(a.less(left, right), a.minus(right, left), a.minus(left, right))
