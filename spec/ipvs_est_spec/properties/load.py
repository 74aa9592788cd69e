"""Load: what estimating costs at the measured cost of one estimation.

The limits test aims at chains of 95 us. Up to that cost of one estimation a chain holds as many
as fit; above, it still holds one. So what is promised holds exactly up to the cost at which one
estimator for each chain is already too much, and no property says anything above.
"""

from collections.abc import Iterator, Sequence
from typing import TypeVar

from ipvs_est.language.events import Event, LimitsMeasured
from ipvs_est.language.params import CHAIN_GOAL_NS, Params
from ipvs_est_spec.algebra.algebra import Algebra
from ipvs_est_spec.property import Case
from ipvs_est_spec.record.by_kind import of_kind

B = TypeVar("B")
N = TypeVar("N")

CHAIN_LIMIT_NS = 100_000
SECOND_NS = 10**9


def chain_cases(params: Params, events: Sequence[Event]) -> Iterator[Case]:
    """For each limits test that has measured something: its answer, the cost, ns."""
    del params
    for event in of_kind(events, LimitsMeasured):
        if event.min_est:
            yield event.chain_max, event.min_est


def chain_short(a: Algebra[B, N], case: Sequence[N]) -> B:
    """A chain takes at most 100 us exactly if one estimation does; it never is empty."""
    chain_max, cost = case
    limit = a.number(CHAIN_LIMIT_NS)
    return a.both(
        a.less(a.number(0), chain_max),
        a.same(a.at_most(a.times(chain_max, cost), limit), a.at_most(cost, limit)),
    )


def tick_cases(params: Params, events: Sequence[Event]) -> Iterator[Case]:
    """For each limits test that has measured something: its answer, the cost, chain factor, load
    divisor, HZ, ns in all jiffies of a tick together times HZ."""
    for chain_max, cost in chain_cases(params, events):
        yield chain_max, cost, *_geometry(params)


def _geometry(params: Params) -> Case:
    return (
        params.chain_factor,
        params.load_divisor,
        params.hz,
        params.tick_jiffies * SECOND_NS,
    )


def tick_light(a: Algebra[B, N], case: Sequence[N]) -> B:
    """If the geometry leaves room for chains of 95 us, a tick's work is at most 1/divisor of it
    exactly if one estimation for each chain is."""
    chain_max, cost, *geometry = case
    return a.implies(
        _fits(a, a.number(CHAIN_GOAL_NS), geometry),
        a.same(_fits(a, a.times(chain_max, cost), geometry), _fits(a, cost, geometry)),
    )


def _fits(a: Algebra[B, N], chain_ns: N, geometry: Sequence[N]) -> B:
    """A tick of chains that take so long is at most 1/divisor of its time."""
    factor, divisor, hz, tick = geometry
    return a.at_most(a.times(a.times(a.times(chain_ns, factor), divisor), hz), tick)


def cpu_cases(params: Params, events: Sequence[Event]) -> Iterator[Case]:
    """For each limits test that has measured something while CPUs are allowed: kthreads
    allowed, CPUs, then as `tick_cases`."""
    for event in of_kind(events, LimitsMeasured):
        if event.min_est and event.cpus:
            yield (
                event.max_threads,
                event.cpus,
                event.chain_max,
                event.min_est,
                *_geometry(params),
            )


def cpus_half_free(a: Algebra[B, N], case: Sequence[N]) -> B:
    """Where a tick's work is at most 1/divisor of it, that of all kthreads that are allowed takes
    at most half the time of the CPUs that they may use."""
    kthreads, cpus, chain_max, cost, *geometry = case
    factor, _, hz, tick = geometry
    work = a.times(a.times(a.times(chain_max, cost), factor), hz)
    return a.implies(
        a.both(_fits(a, a.number(CHAIN_GOAL_NS), geometry), _fits(a, cost, geometry)),
        a.at_most(a.times(a.number(2), a.times(kthreads, work)), a.times(cpus, tick)),
    )
