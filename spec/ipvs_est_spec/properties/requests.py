"""Requests: what a write to a sysctl sets off."""

from collections.abc import Iterator, Sequence
from typing import TypeVar

from ipvs_est.language.events import (
    CalcPhaseBegun,
    CalcPhaseRequested,
    CpulistSet,
    CpulistWritten,
    Event,
    SysctlWritten,
)
from ipvs_est.language.params import Params
from ipvs_est_spec.algebra.algebra import Algebra
from ipvs_est_spec.property import Case
from ipvs_est_spec.record.by_kind import of_kind
from ipvs_est_spec.record.runs import ENTRIES, runs

B = TypeVar("B")
N = TypeVar("N")


def cpulist_cases(params: Params, events: Sequence[Event]) -> Iterator[Case]:
    """For each text written to est_cpulist and each CPU: 1 if the text names it, 1 if the
    writer itself may use it, 1 if it is set."""
    for event in of_kind(events, CpulistWritten):
        for cpu in range(params.possible_cpus):
            yield event.parsed >> cpu & 1, event.allowed >> cpu & 1, event.mask >> cpu & 1


def named_and_allowed(a: Algebra[B, N], case: Sequence[N]) -> B:
    """It is set exactly if it is named and allowed."""
    named, allowed, is_set = case
    one = a.number(1)
    return a.same(a.equal(is_set, one), a.both(a.equal(named, one), a.equal(allowed, one)))


def request_cases(params: Params, events: Sequence[Event]) -> Iterator[Case]:
    """For each new cpulist: `est_calc_phase` at the end of the write."""
    del params
    for event in of_kind(events, CpulistSet):
        yield (int(event.calc_phase),)


def is_one(a: Algebra[B, N], case: Sequence[N]) -> B:
    """The number is 1."""
    (number,) = case
    return a.equal(number, a.number(1))


def kept_cases(params: Params, events: Sequence[Event]) -> Iterator[Case]:
    """For each write to est_nice or run_estimation: the number written last, the value now."""
    del params
    for event in of_kind(events, SysctlWritten):
        yield event.written, event.value


def written_is_kept(a: Algebra[B, N], case: Sequence[N]) -> B:
    """The value is the number."""
    written, value = case
    return a.equal(written, value)


def lost_cases(params: Params, events: Sequence[Event]) -> Iterator[Case]:
    """For each time that kthread 0 clears `est_calc_phase`: how often it was requested until the
    calc phase began, how often until now."""
    del params
    requests = begun = 0
    for event, run in runs(events):
        if isinstance(event, CalcPhaseRequested):
            requests += 1
        elif isinstance(event, CalcPhaseBegun):
            begun = requests
        elif isinstance(event, ENTRIES):
            before = run is not None and run.ktid == 0 and run.guarded.calc_phase
            if before and not event.guarded.calc_phase:
                yield begun, requests


def none_came_meanwhile(a: Algebra[B, N], case: Sequence[N]) -> B:
    """No request came after the calc phase that clears it had begun."""
    begun, requests = case
    return a.equal(begun, requests)
