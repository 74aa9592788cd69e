"""Delay: when estimators are estimated, from the record of events."""

from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import TypeVar

from ipvs_est.language.events import (
    Enqueued,
    Estimated,
    Event,
    LimitsComputed,
    Relinked,
    Started,
    Stopped,
    TaskExited,
    TaskStarted,
)
from ipvs_est.language.params import Params
from ipvs_est_spec.algebra.algebra import Algebra
from ipvs_est_spec.property import Case
from ipvs_est_spec.record.by_kind import of_kind, of_kinds

B = TypeVar("B")
N = TypeVar("N")


# A task that starts with est_timer up to 4 ticks ahead takes it back to one tick ago.
RESTART_TICKS = 5

_ENDS_A_PLACE = (Relinked, Started, Stopped)
_MOVES = (Enqueued, *_ENDS_A_PLACE)
_ENDS_A_RUN = (TaskStarted, TaskExited, LimitsComputed)


def new_row_cases(params: Params, events: Sequence[Event]) -> Iterator[Case]:
    """For each new estimator: chosen row, wanted row, then `avail` bit by bit."""
    new = params.nticks - 1
    for event in of_kind(events, Enqueued):
        if event.delay == new:
            yield event.row, event.crow, *_bits(params, event.avail)


def new_row(a: Algebra[B, N], case: Sequence[N]) -> B:
    """The highest available row not above the wanted one, else the highest available."""
    row, wanted, *avail = case
    return _chosen(a, row, wanted, avail, upwards=False)


def relinked_row_cases(params: Params, events: Sequence[Event]) -> Iterator[Case]:
    """For each relinked estimator: chosen row, wanted row, then `avail` bit by bit."""
    new = params.nticks - 1
    for event in of_kind(events, Enqueued):
        if event.delay != new:
            yield event.row, event.crow, *_bits(params, event.avail)


def relinked_row(a: Algebra[B, N], case: Sequence[N]) -> B:
    """The lowest available row not below the wanted one, else the lowest available."""
    row, wanted, *avail = case
    return _chosen(a, row, wanted, avail, upwards=True)


def _chosen(a: Algebra[B, N], row: N, wanted: N, avail: Sequence[N], *, upwards: bool) -> B:
    """`row` is available, and no available row is a better one."""
    one = a.number(1)

    def beyond(number: N) -> B:
        """On the side of the wanted row where a row is only taken if there is no other."""
        return a.less(number, wanted) if upwards else a.less(wanted, number)

    terms: list[B] = []
    for index, bit in enumerate(avail):
        number = a.number(index)
        available = a.equal(bit, one)
        terms.append(a.implies(a.equal(row, number), available))
        not_better = a.at_most(row, number) if upwards else a.at_most(number, row)
        # An available row on the right side excludes all rows beyond, and is not better.
        terms.append(
            a.implies(
                a.both(available, a.negate(beyond(number))),
                a.both(a.negate(beyond(row)), not_better),
            )
        )
        terms.append(a.implies(a.both(available, beyond(number), beyond(row)), not_better))
    inside = a.both(a.at_most(a.number(0), row), a.less(row, a.number(len(avail))))
    return a.both(inside, *terms)


def _bits(params: Params, bitmap: int) -> list[int]:
    return [bitmap >> row & 1 for row in range(params.nticks)]


def first_cases(params: Params, events: Sequence[Event]) -> Iterator[Case]:
    """For each new estimator whose kthread ran on: jiffies from enqueueing to the first
    estimation, jiffies in a revolution."""
    new = params.nticks - 1
    since: dict[int, Enqueued] = {}
    revolution = params.nticks * params.tick_jiffies
    for event in of_kinds(events, Enqueued, Estimated, *_ENDS_A_PLACE, *_ENDS_A_RUN):
        if isinstance(event, Enqueued):
            since.pop(event.id, None)
            if event.delay == new:
                since[event.id] = event
        elif isinstance(event, _ENDS_A_PLACE):
            since.pop(event.id, None)
        elif isinstance(event, _ENDS_A_RUN):
            # A restart or a recalculation costs time that no row can make up for. A kthread
            # that is new at this jiffy starts with nothing enqueued before.
            since = {number: at for number, at in since.items() if _is_new_task(event, at)}
        elif isinstance(event, Estimated):
            enqueued = since.pop(event.id, None)
            if enqueued is not None:
                yield event.jiffies - enqueued.jiffies, revolution


def _is_new_task(event: Event, enqueued: Enqueued) -> bool:
    return (
        isinstance(event, TaskStarted)
        and event.ktid == enqueued.ktid
        and event.jiffies == enqueued.jiffies
    )


def at_most_a_revolution(a: Algebra[B, N], case: Sequence[N]) -> B:
    """The time is at most a revolution."""
    elapsed, revolution = case
    return a.at_most(elapsed, revolution)


def remaining_cases(params: Params, events: Sequence[Event]) -> Iterator[Case]:
    """For each relinked estimator: its delay, its row, its kd's est_row, number of rows."""
    for event in of_kind(events, Relinked):
        yield event.delay, event.row, event.est_row, params.nticks


def remaining(a: Algebra[B, N], case: Sequence[N]) -> B:
    """The delay is the distance in ticks from est_row on to the row."""
    delay, row, est_row, nticks = case
    distance = a.minus(row, est_row)
    behind = a.less(distance, a.number(0))
    return a.equal(delay, a.choose(behind, a.plus(distance, nticks), distance))


def period_cases(params: Params, events: Sequence[Event]) -> Iterator[Case]:
    """For each two estimations in a row at one place by a task that has run for two
    revolutions: jiffies from one to the other, jiffies in a revolution."""
    revolution = params.nticks * params.tick_jiffies
    started: dict[int, int] = {}
    last: dict[int, int] = {}
    for event in of_kinds(events, Estimated, *_MOVES, *_ENDS_A_RUN):
        if isinstance(event, Estimated):
            steady = started.get(event.ktid, event.jiffies) + 2 * revolution
            if event.id in last and steady <= last[event.id]:
                yield event.jiffies - last[event.id], revolution
            last[event.id] = event.jiffies
        elif isinstance(event, _MOVES):
            last.pop(event.id, None)
        elif isinstance(event, TaskStarted):
            started[event.ktid] = event.jiffies
        else:
            last.clear()


def exactly_a_revolution(a: Algebra[B, N], case: Sequence[N]) -> B:
    """The time is exactly a revolution."""
    elapsed, revolution = case
    return a.equal(elapsed, revolution)


def closest_cases(params: Params, events: Sequence[Event]) -> Iterator[Case]:
    """For each two estimations in a row at one place, restarts included: jiffies from one to
    the other, jiffies in a revolution less RESTART_TICKS ticks."""
    closest = (params.nticks - RESTART_TICKS) * params.tick_jiffies
    last: dict[int, int] = {}
    for event in of_kinds(events, Estimated, *_MOVES):
        if isinstance(event, Estimated):
            if event.id in last:
                yield event.jiffies - last[event.id], closest
            last[event.id] = event.jiffies
        elif isinstance(event, _MOVES):
            last.pop(event.id, None)


def not_closer(a: Algebra[B, N], case: Sequence[N]) -> B:
    """The time is at least that."""
    elapsed, closest = case
    return a.at_most(closest, elapsed)


def longest_cases(params: Params, events: Sequence[Event]) -> Iterator[Case]:
    """For each two estimations in a row at one place: jiffies from one to the other, jiffies in
    which its kthread had no task or was in the calc phase, restarts, jiffies in a revolution,
    jiffies in a tick."""
    tick = params.tick_jiffies
    idle: defaultdict[int, _Idle] = defaultdict(_Idle)
    last: dict[int, tuple[int, int, int]] = {}
    for event in of_kinds(events, Estimated, *_MOVES, *_ENDS_A_RUN):
        if isinstance(event, Estimated):
            kthread = idle[event.ktid]
            if event.id in last:
                at, lost, restarts = last[event.id]
                yield (
                    event.jiffies - at,
                    kthread.lost - lost,
                    kthread.restarts - restarts,
                    params.nticks * tick,
                    tick,
                )
            last[event.id] = event.jiffies, kthread.lost, kthread.restarts
        elif isinstance(event, _MOVES):
            last.pop(event.id, None)
        elif isinstance(event, TaskStarted):
            kthread = idle[event.ktid]
            kthread.lost += event.jiffies - kthread.since
            kthread.since = event.jiffies
            kthread.restarts += 1
        elif isinstance(event, TaskExited):
            for ktid, kthread in idle.items():
                if event.task == f"ipvs-e:{ktid}":
                    kthread.since = event.jiffies
        elif isinstance(event, LimitsComputed):
            kthread = idle[0]
            kthread.lost += event.jiffies - kthread.since


@dataclass(slots=True)
class _Idle:
    """When a kthread does not estimate."""

    since: int = 0
    """When its task started or, without one, exited."""
    lost: int = 0
    """Jiffies until then."""
    restarts: int = 0


def not_longer(a: Algebra[B, N], case: Sequence[N]) -> B:
    """A revolution and the time lost, and for each restart a tick and, for the row that it may
    have skipped, another revolution."""
    elapsed, lost, restarts, revolution, tick = case
    item = a.times(restarts, a.plus(revolution, tick))
    return a.at_most(elapsed, a.plus(revolution, lost, item))
