"""A property's sentence says no more and no less than its predicate.

Each row is a state, or a record, on which a sentence without one of its premises and the predicate
would contradict each other: with the words that state the premise, both agree.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from functools import cache

import pytest

from faults.damage import context_of, kd_of, with_context, with_kd, with_state, with_sysctls
from ipvs_est import Oracle, Snapshot
from ipvs_est.language.events import (
    ContextAdded,
    Enqueued,
    Estimated,
    Event,
    ExitBegun,
    ExitEnded,
    LimitsComputed,
    Relinked,
    TaskExited,
    TaskStarted,
)
from ipvs_est.language.operations import Advance, InitNetns, StartDest, StartService
from ipvs_est.language.params import Params
from ipvs_est_spec.algebra.python_algebra import PythonAlgebra
from ipvs_est_spec.catalogue import PROPERTIES, RECORD_PROPERTIES, STATE_PROPERTIES
from ipvs_est_spec.property import Case
from ipvs_est_spec.state.snapshot_state import snapshot_state
from model import TINY, run

A = PythonAlgebra()
STATES = {prop.id: prop for prop in STATE_PROPERTIES}
RECORDS = {prop.id: prop for prop in RECORD_PROPERTIES}
SENTENCES = {prop.id: prop.sentence for prop in PROPERTIES}

Damage = Callable[[Snapshot], Snapshot]


@cache
def two_kthreads() -> Snapshot:
    """Kthread 0 is full with 15 estimators, kthread 1 has 2 in one row; 4 CPUs, 16 kthreads."""
    oracle = Oracle(TINY)
    run(oracle, [InitNetns(), StartService(1), *[StartDest(number) for number in range(2, 17)]])
    run(oracle, [Advance(500)])
    return oracle.snapshot()


def holds(property_id: str, snapshot: Snapshot) -> bool:
    return STATES[property_id].predicate(snapshot_state(A, snapshot.params, snapshot))


def _task(s: Snapshot, **changes: object) -> Snapshot:
    task = context_of(s, 1).task
    assert task is not None
    for name, value in changes.items():
        task = replace(task, **{name: value})  # type: ignore[arg-type]  # by name, as in `damage`
    return with_context(s, 1, task=task)


def _tick_len(s: Snapshot, change: int) -> Snapshot:
    """Of the row of kthread 1 that has estimators."""
    lengths = list(context_of(s, 1).tick_len)
    lengths[kd_of(s, 1).ticks[0].row] += change
    return with_context(s, 1, tick_len=tuple(lengths))


def _all_full(s: Snapshot) -> Snapshot:
    """Each chain of that row has its full bit, though none is at chain_max."""
    (tick,) = kd_of(s, 1).ticks
    return with_kd(s, 1, ticks=(replace(tick, full=0b111),))


def _row_unavailable(s: Snapshot) -> Snapshot:
    return with_kd(s, 1, avail=kd_of(s, 1).avail & ~(1 << kd_of(s, 1).ticks[0].row))


def _one_waits(s: Snapshot) -> Snapshot:
    new = replace(
        next(object_state for object_state in s.objects if object_state.id == 1), id=99, ktid=-1
    )
    return replace(with_state(s, temp=(99,)), objects=(*s.objects, new))


def _all_at_limits(s: Snapshot) -> Snapshot:
    """One waits, no kthread has room, and there are as many slots as kthreads are allowed."""
    s = with_kd(_one_waits(s), 1, est_count=15)
    return with_state(s, max_threads=s.state.kt_count)


def _a_hole(s: Snapshot) -> Snapshot:
    longer = with_state(s, kthreads=(kd_of(s, 0), None, kd_of(s, 1)), kt_count=3, max_threads=3)
    return replace(longer, contexts=(s.contexts[0], None, s.contexts[1]))


@dataclass(frozen=True, slots=True)
class OfState:
    """Two states that differ in what the words name."""

    property: str
    words: str
    holds: Damage
    fails: Damage


OF_STATES = (
    OfState(
        "limits.max-threads",
        "While enable is set",
        lambda s: with_state(s, max_threads=15, enable=0),
        lambda s: with_state(s, max_threads=15),
    ),
    OfState(
        "limits.max-threads",
        "once computed",
        lambda s: with_state(s, max_threads=0),
        lambda s: with_state(s, max_threads=1),
    ),
    OfState(
        "limits.stopped",
        "While enable is set",
        lambda s: with_state(s, stopped=1, enable=0),
        lambda s: with_state(s, stopped=1),
    ),
    OfState(
        "limits.stopped",
        "a written cpulist is empty",
        lambda s: with_sysctls(with_state(s, stopped=1), cpulist=()),
        lambda s: with_sysctls(with_state(s, stopped=1), cpulist=(0,)),
    ),
    OfState(
        "progress.stopped",
        "While enable is set",
        lambda s: with_state(s, stopped=1, enable=0),
        lambda s: with_state(s, stopped=1),
    ),
    OfState(
        "tasks.referenced",
        "but for one that was asked to stop",
        lambda s: _task(s, life="freed", should_stop=True),
        lambda s: _task(s, life="freed"),
    ),
    OfState(
        "limits.threads",
        "once that is computed",
        lambda s: with_state(s, max_threads=0),
        lambda s: with_state(s, max_threads=1),
    ),
    OfState(
        "limits.kthread",
        "est_count is above its est_max_count",
        lambda s: with_kd(s, 1, est_count=15),
        lambda s: with_kd(s, 1, est_count=16),
    ),
    OfState(
        "limits.known",
        "every est_count is 0",
        lambda s: with_kd(with_kd(with_state(s, chain_max=0), 0, est_count=0), 1, est_count=0),
        lambda s: with_kd(with_state(s, chain_max=0), 0, est_count=0),
    ),
    OfState(
        "place.total",
        "no calc phase pending",
        lambda s: with_state(_total_elsewhere(s), calc_phase=1),
        lambda s: _total_elsewhere(s),
    ),
    OfState(
        "bitmaps.full",
        "In a tick",
        lambda s: with_kd(s, 1, ticks=(), chain_max=0),
        lambda s: with_kd(s, 1, chain_max=0),
    ),
    OfState(
        "bitmaps.avail",
        "a chain whose full bit is clear",
        lambda s: _row_unavailable(_all_full(s)),
        _row_unavailable,
    ),
    OfState(
        "counts.tick",
        "tick_len is above 0",
        lambda s: _tick_len(s, -1),
        lambda s: _tick_len(s, -2),
    ),
    OfState(
        "progress.room",
        "est_kt_count is below est_max_threads",
        _all_at_limits,
        lambda s: with_state(_all_at_limits(s), max_threads=3),
    ),
    OfState(
        "progress.room",
        "a slot is empty",
        _all_at_limits,
        lambda s: _a_hole(_all_at_limits(s)),
    ),
    OfState(
        "progress.tasks",
        "est_count is above 0",
        lambda s: with_kd(s, 1, est_count=0, running=False),
        lambda s: with_kd(s, 1, running=False),
    ),
)


def _total_elsewhere(s: Snapshot) -> Snapshot:
    return replace(
        s,
        objects=tuple(
            replace(object_state, ktid=1) if object_state.owner == "total" else object_state
            for object_state in s.objects
        ),
    )


@pytest.mark.parametrize(
    "row", OF_STATES, ids=[f"{state.property}: {state.words}" for state in OF_STATES]
)
def test_sentence_states_the_premise_that_its_predicate_has(row: OfState) -> None:
    assert row.words in SENTENCES[row.property]
    assert holds(row.property, two_kthreads())
    assert holds(row.property, row.holds(two_kthreads()))
    assert not holds(row.property, row.fails(two_kthreads()))


# Records: 10 rows of 20 jiffies, so a revolution of 200.

GEOMETRY = Params(hz=100, nticks=10)
FIRST = Enqueued(0, 7, 0, 1, 1, 9, 0, 0b1111111111)


@dataclass(frozen=True, slots=True)
class OfRecord:
    """What the words leave out is no case; without it the same times are one, and a bad one."""

    property: str
    words: str
    none: Sequence[Event]
    bad: Sequence[Event]


def _late(*between: Event) -> list[Event]:
    """A new estimator whose first estimation comes three revolutions after its enqueueing."""
    return [FIRST, *between, Estimated(600, 7, 0, 1)]


def _apart(elapsed: int, *between: Event, start: int = 0) -> list[Event]:
    """Two estimations at one place by a task that started long ago, or at `start`."""
    first = 1000
    return [
        TaskStarted(start, 0, True),
        Estimated(first, 7, 0, 1),
        *between,
        Estimated(first + elapsed, 7, 0, 1),
    ]


MOVED = Relinked(1001, 7, 0, 1, 0, 1)
OF_RECORDS = (
    OfRecord("delay.first", "no kthread starts", _late(TaskStarted(5, 1, True)), _late()),
    OfRecord("delay.first", "or exits", _late(TaskExited(5, "ipvs-e:1")), _late()),
    OfRecord("delay.first", "no limits are computed", _late(LimitsComputed(5, 2)), _late()),
    OfRecord(
        "delay.first",
        "a new estimator",
        [replace(FIRST, delay=3), Estimated(600, 7, 0, 1)],
        _late(),
    ),
    OfRecord("delay.first", "first estimation", [FIRST], _late()),
    OfRecord("delay.period", "at one place", _apart(600, MOVED), _apart(600)),
    OfRecord("delay.period", "has run for two", _apart(600, start=900), _apart(600)),
    OfRecord("delay.period", "none exits", _apart(600, TaskExited(1001, "ipvs-e:1")), _apart(600)),
    OfRecord("delay.period", "computes limits", _apart(600, LimitsComputed(1001, 2)), _apart(600)),
    OfRecord("delay.closest", "at one place", _apart(0, MOVED), _apart(0)),
    OfRecord("delay.longest", "at one place", _apart(600, MOVED), _apart(600)),
)


@pytest.mark.parametrize(
    "row", OF_RECORDS, ids=[f"{record.property}: {record.words}" for record in OF_RECORDS]
)
def test_sentence_states_which_occurrences_are_cases(row: OfRecord) -> None:
    found = RECORDS[row.property]
    assert row.words in found.sentence
    assert list(found.cases(GEOMETRY, row.none)) == []
    assert [found.predicate(A, case) for case in found.cases(GEOMETRY, row.bad)] == [False]


def test_delay_of_a_new_estimator_is_what_decides_which_row_property_it_has() -> None:
    for delay, expected in ((9, (1, 0)), (3, (0, 1))):
        events = [replace(FIRST, delay=delay)]
        cases = tuple(
            len(list(RECORDS[name].cases(GEOMETRY, events)))
            for name in ("delay.new-row", "delay.relinked-row")
        )
        assert cases == expected
    assert "with the delay of a new one" in SENTENCES["delay.new-row"]
    assert "with any other delay" in SENTENCES["delay.relinked-row"]


def test_start_is_bad_while_exit_is_under_way_or_enable_is_0_and_not_for_having_been_so() -> None:
    def judged(*events: Event) -> list[bool]:
        found = RECORDS["tasks.enabled"]
        return [found.predicate(A, case) for case in found.cases(GEOMETRY, events)]

    assert "while enable is 0 or netns exit is under way" in SENTENCES["tasks.enabled"]
    assert judged(ExitBegun(0), TaskStarted(1, 0, True)) == [False]
    assert judged(ExitBegun(0), ExitEnded(1), TaskStarted(2, 0, True)) == [True]
    assert judged(TaskStarted(0, 0, False)) == [False]


# Cases by hand: the words, a case that they excuse, the same without the excuse.

TICK = (48, 8, 250, 10 * 10**9)
OF_CASES: tuple[tuple[str, str, Case, Case], ...] = (
    ("limits.published", "once that is computed", (5, 0), (5, 4)),
    ("load.chain", "exactly if one does", (1, 200_000), (2, 60_000)),
    ("load.tick", "Where chains of 95 us fit", (9, 10**6, 48, 8, 250, 1), (2, 90_000, *TICK)),
    ("load.cpus", "At such a cost", (99, 1, 1, 104_167, *TICK), (5, 1, 95, 1000, *TICK)),
    (
        "load.cpus",
        "where chains of 95 us fit",
        (99, 1, 95, 1000, 48, 8, 250, 1),
        (5, 1, 95, 1000, *TICK),
    ),
    (
        "rates.range",
        "While rate and average are below 2^63",
        (0, 0, 2**54, 2**64 - 1, 512),
        (0, 0, 2, 1025, 512),
    ),
    ("rates.converges", "and 3 units", (0, 1, 16, 3, 4), (0, 0, 17, 3, 4)),
    ("rates.error", "less than 3 units below", (4, 15, 4), (4, 16, 4)),
    ("readers.moved", "of a kthread above 0", (0, 1), (2, 1)),
    ("readers.moved", "has no live task", (2, 0), (2, 1)),
    ("locks.deletion", "that was asked to stop", (0, 1), (0, 0)),
    ("memory.dest", "if its estimator was started, else in the trash", (0, 1, 0), (0, 0, 1)),
)


@pytest.mark.parametrize(
    ("property_id", "words", "good", "bad"),
    OF_CASES,
    ids=[f"{case[0]}: {case[1]}" for case in OF_CASES],
)
def test_words_excuse_what_the_predicate_excuses(
    property_id: str, words: str, good: Case, bad: Case
) -> None:
    found = RECORDS[property_id]
    assert words in found.sentence
    assert found.predicate(A, good)
    assert not found.predicate(A, bad)


def test_a_context_published_before_a_limit_is_computed_is_a_case_that_holds() -> None:
    found = RECORDS["limits.published"]
    (case,) = found.cases(GEOMETRY, [ContextAdded(0, 0, 1, 0)])
    assert found.predicate(A, case)
