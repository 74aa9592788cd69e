"""Starting: what callers are told, and where objects end up."""

from collections.abc import Iterator, Sequence
from typing import TypeVar

from ipvs_est.language.events import DestTaken, Event, StartReturned
from ipvs_est.language.params import Params
from ipvs_est_spec.algebra.algebra import Algebra
from ipvs_est_spec.property import Case
from ipvs_est_spec.record.by_kind import of_kind

B = TypeVar("B")
N = TypeVar("N")


def start_cases(params: Params, events: Sequence[Event]) -> Iterator[Case]:
    """For each estimator that was to be started: the answer, 1 if its node is on a list."""
    del params
    for event in of_kind(events, StartReturned):
        yield event.error, int(event.linked)


def failure_is_reported(a: Algebra[B, N], case: Sequence[N]) -> B:
    """The answer is 0 if the node is linked, else a negative errno."""
    error, linked = case
    zero = a.number(0)
    return a.choose_truth(a.equal(linked, zero), a.less(error, zero), a.equal(error, zero))


def dest_cases(params: Params, events: Sequence[Event]) -> Iterator[Case]:
    """For each destination taken out of the trash: the answer, 1 if it is in its service, 1 if
    it is in the trash."""
    del params
    for event in of_kind(events, DestTaken):
        yield event.error, int(event.in_service), int(event.in_trash)


def dest_is_somewhere(a: Algebra[B, N], case: Sequence[N]) -> B:
    """It is in its service if that went well, else in the trash."""
    error, in_service, in_trash = case
    zero, one = a.number(0), a.number(1)
    ok = a.equal(error, zero)
    return a.both(
        a.equal(in_service, a.choose(ok, one, zero)), a.equal(in_trash, a.choose(ok, zero, one))
    )
