"""Readers: what kthreads read while others write and move."""

from collections import defaultdict
from collections.abc import Iterator, Sequence
from itertools import product
from typing import TypeVar

from ipvs_est.language.events import (
    Averaged,
    Counted,
    Event,
    ReadingBegun,
    Relinked,
    StartReturned,
    TaskExited,
    TaskStarted,
)
from ipvs_est.language.params import Params
from ipvs_est_spec.algebra.algebra import Algebra
from ipvs_est_spec.properties.objects import Objects
from ipvs_est_spec.property import Case
from ipvs_est_spec.record.by_kind import of_kinds

B = TypeVar("B")
N = TypeVar("N")

_SPAN = 2**64
_COUNTERS = 5
_Group = tuple[int, ...]
_NOTHING: _Group = (0,) * _COUNTERS


def group_cases(params: Params, events: Sequence[Event]) -> Iterator[Case]:
    """For each object that was read on a 32-bit machine: the 5 sums read, then the 5 sums of each
    choice of one group for each CPU, of those that were there during the reading."""
    if params.word_bits != 32:
        return
    for sums, cpus in _readings(events):
        # A write that is under way is not on record yet: it may be the first one.
        choices = [_sum([_NOTHING, *group]) for group in product(*cpus)]
        yield *sums, *(number for choice in choices for number in choice)


def counter_cases(params: Params, events: Sequence[Event]) -> Iterator[Case]:
    """For each counter of each object that was read: the sum read, then the sum of each choice of
    one value for each CPU, of those that the counter had during the reading."""
    del params
    for sums, cpus in _readings(events):
        for index, read in enumerate(sums):
            values = [sorted({group[index] for group in groups}) for groups in cpus]
            yield read, *(sum(group) % _SPAN for group in product(*values))


def _readings(events: Sequence[Event]) -> Iterator[tuple[_Group, list[list[_Group]]]]:
    """For each object that was read: the sums read, then for each CPU the groups that were there
    during the reading. All writers since the object is there are on record."""
    left: dict[int, dict[int, list[_Group]]] = {}
    reading: set[int] = set()
    objects = Objects()
    for event in of_kinds(events, StartReturned, Counted, ReadingBegun, Averaged):
        if isinstance(event, StartReturned):
            if objects.changed(event):
                left.pop(event.id, None)
        elif isinstance(event, Counted):
            groups = left.setdefault(event.id, {}).setdefault(event.cpu, [_NOTHING])
            groups.append(_sum([groups[-1], event.steps]))
            if event.id not in reading:
                del groups[:-1]
        elif isinstance(event, ReadingBegun):
            reading.add(event.id)
        elif isinstance(event, Averaged):
            reading.discard(event.id)
            cpus = left.get(event.id, {})
            if objects.known(event.id):
                yield event.sums, list(cpus.values())
            for groups in cpus.values():
                del groups[:-1]


def _sum(groups: Sequence[_Group]) -> _Group:
    return tuple([sum(column) % _SPAN for column in zip(*groups, strict=True)])


def is_one_of_the_groups(a: Algebra[B, N], case: Sequence[N]) -> B:
    """The sums read are those of one choice."""
    read, *rest = (case[at : at + _COUNTERS] for at in range(0, len(case), _COUNTERS))
    return a.either(
        *[a.both(*[a.equal(x, y) for x, y in zip(read, group, strict=True)]) for group in rest]
    )


def is_one_of_the_values(a: Algebra[B, N], case: Sequence[N]) -> B:
    """The sum read is that of one choice."""
    read, *values = case
    return a.either(*[a.equal(read, value) for value in values])


def moved_cases(params: Params, events: Sequence[Event]) -> Iterator[Case]:
    """For each relinked estimator: its kthread's id, how many of that kthread's tasks live."""
    del params
    alive: defaultdict[str, int] = defaultdict(int)
    for event in of_kinds(events, TaskStarted, TaskExited, Relinked):
        if isinstance(event, TaskStarted):
            alive[_name(event.ktid)] += 1
        elif isinstance(event, TaskExited):
            alive[event.task] -= 1
        elif isinstance(event, Relinked):
            yield event.ktid, alive[_name(event.ktid)]


def _name(ktid: int) -> str:
    """What `TaskExited` calls a kthread."""
    return f"ipvs-e:{ktid}"


def moved_in_peace(a: Algebra[B, N], case: Sequence[N]) -> B:
    """It is kthread 0 itself, or the kthread has no task."""
    ktid, alive = case
    zero = a.number(0)
    return a.either(a.equal(ktid, zero), a.equal(alive, zero))
