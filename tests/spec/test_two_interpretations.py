"""Python and z3 read each predicate alike, and each predicate can fail.

Sampled states are mostly good ones, so the comparison is made on damaged ones as well, and each
property must have been seen to hold and to fail.
"""

from collections.abc import Callable
from dataclasses import replace
from functools import cache
from random import Random

import pytest

from faults.damage import (
    context_of,
    damaged,
    kd_of,
    object_of,
    with_context,
    with_kd,
    with_object,
    with_state,
    with_sysctls,
    with_tick,
)
from ipvs_est import Oracle, Params, Snapshot
from ipvs_est.language.counters import ZERO
from ipvs_est.language.operations import Advance, InitNetns, StartDest, StartService
from ipvs_est_spec.algebra.python_algebra import PythonAlgebra
from ipvs_est_spec.algebra.z3_algebra import Z3Algebra
from ipvs_est_spec.catalogue import RECORD_PROPERTIES, STATE_PROPERTIES
from ipvs_est_spec.property import Case
from ipvs_est_spec.state.snapshot_state import snapshot_state
from model import TINY, run
from sampled import samples

PYTHON = PythonAlgebra()
Z3 = Z3Algebra()

RECORDED = {prop.id: prop for prop in RECORD_PROPERTIES}


def broken(snapshot: Snapshot, *, each_kind_once: bool = True) -> set[str]:
    """The state properties that do not hold there, whatever their scope."""
    state = snapshot_state(PYTHON, snapshot.params, snapshot, each_kind_once=each_kind_once)
    return {prop.id for prop in STATE_PROPERTIES if not prop.predicate(state)}


def broken_for_z3(snapshot: Snapshot, *, each_kind_once: bool) -> set[str]:
    """The same, as z3 sees it."""
    state = snapshot_state(Z3, snapshot.params, snapshot, each_kind_once=each_kind_once)
    return {prop.id for prop in STATE_PROPERTIES if not Z3.holds(prop.predicate(state))}


@cache
def small_snapshots() -> tuple[Snapshot, ...]:
    """Sampled ones of few rows, of about equal variety."""
    return tuple(snapshot for snapshot in samples().snapshots if snapshot.params.nticks < 10)


# States


def test_interpretations_agree_on_sampled_and_on_damaged_states() -> None:
    random = Random(1)
    holds: set[str] = set()
    fails: set[str] = set()
    for turn in range(700):
        snapshot = random.choice(small_snapshots())
        if turn % 8:
            snapshot = damaged(snapshot, random)
        found = broken(snapshot)
        assert found == broken(snapshot, each_kind_once=False)
        if turn < 240:
            assert found == broken_for_z3(snapshot, each_kind_once=turn % 40 > 0)
        fails |= found
        holds |= {prop.id for prop in STATE_PROPERTIES} - found
    every = {prop.id for prop in STATE_PROPERTIES}
    assert holds == every
    assert fails == every


def test_asking_each_kind_once_changes_nothing_at_full_size() -> None:
    oracle = Oracle(Params(hz=250, est_cost_ns=11000))
    run(oracle, [InitNetns(), StartService(1), *[StartDest(number) for number in range(2, 400)]])
    run(oracle, [Advance(1000)])
    random = Random(2)
    good = oracle.snapshot()
    assert broken(good) == broken(good, each_kind_once=False) == set()
    for _ in range(12):
        snapshot = damaged(good, random)
        assert broken(snapshot) == broken(snapshot, each_kind_once=False)


@cache
def two_kthreads() -> Snapshot:
    """Kthread 0 is full with 15 estimators, kthread 1 has 2 in one row: objects 1 and 16."""
    oracle = Oracle(TINY)
    run(oracle, [InitNetns(), StartService(1), *[StartDest(number) for number in range(2, 17)]])
    run(oracle, [Advance(500)])
    return oracle.snapshot()


@cache
def waiting_total() -> Snapshot:
    """Netns init: the total waits on the temp list, kthread 0 has no task yet."""
    oracle = Oracle(TINY)
    run(oracle, [InitNetns()])
    return oracle.snapshot()


def in_kd1(snapshot: Snapshot) -> int:
    """The id of an object whose estimator is in kthread 1."""
    return next(object_state.id for object_state in snapshot.objects if object_state.ktid == 1)


def unused_row(snapshot: Snapshot, slot: int) -> int:
    """A row without a tick."""
    return next(row for row, length in enumerate(context_of(snapshot, slot).tick_len) if not length)


def one_more(numbers: tuple[int, ...], index: int = 0) -> tuple[int, ...]:
    """One of them increased by 1."""
    return (*numbers[:index], numbers[index] + 1, *numbers[index + 1 :])


def _total_in_kd1(s: Snapshot) -> Snapshot:
    return with_object(with_object(s, 0, owner="dest"), in_kd1(s), owner="total")


def _chain_len(s: Snapshot) -> Snapshot:
    (row, lengths), *rest = context_of(s, 1).chain_len
    return with_context(s, 1, chain_len=((row, one_more(lengths)), *rest))


def _tick_len(s: Snapshot, row: int) -> Snapshot:
    return with_context(s, 1, tick_len=one_more(context_of(s, 1).tick_len, row))


def _hole_at_the_end(s: Snapshot) -> Snapshot:
    longer = with_state(s, kthreads=(*s.state.kthreads, None), kt_count=s.state.kt_count + 1)
    return replace(longer, contexts=(*s.contexts, None))


def _without_kd0(s: Snapshot) -> Snapshot:
    return replace(with_state(s, kthreads=(), kt_count=0), contexts=())


def _one_waits(s: Snapshot) -> Snapshot:
    new = replace(object_of(s, 1), id=99, ktid=-1)
    return replace(with_state(s, temp=(99,)), objects=(*s.objects, new))


def _freed_task(s: Snapshot) -> Snapshot:
    task = context_of(s, 1).task
    assert task is not None
    return with_context(s, 1, task=replace(task, life="freed"))


def _flip(s: Snapshot, bitmap: str, bit: int) -> Snapshot:
    tick = kd_of(s, 1).ticks[0]
    before: int = getattr(tick, bitmap)
    return with_tick(s, 1, 0, **{bitmap: before ^ 1 << bit})


Damage = Callable[[Snapshot], Snapshot]

# Property, a damage that breaks it, and what else that breaks.
BY_HAND: tuple[tuple[str, Damage, set[str]], ...] = (
    ("place.one-list", lambda s: replace(s, objects=s.objects[:-1]), set()),
    ("place.fields", lambda s: with_object(s, 3, ktrow=(object_of(s, 3).ktrow + 1) % 5), set()),
    ("place.total", _total_in_kd1, set()),
    ("counts.chain-len", _chain_len, set()),
    ("counts.tick-len", lambda s: _tick_len(s, kd_of(s, 1).ticks[0].row), set()),
    ("counts.est-count", lambda s: with_kd(s, 1, est_count=3), set()),
    ("counts.tick", lambda s: _tick_len(s, unused_row(s, 1)), {"counts.tick-len"}),
    ("bitmaps.present", lambda s: _flip(s, "present", 2), set()),
    ("bitmaps.full", lambda s: _flip(s, "full", 0), set()),
    ("bitmaps.avail", lambda s: with_kd(s, 1, avail=kd_of(s, 1).avail ^ 1), set()),
    ("limits.chain", lambda s: with_kd(s, 1, chain_max=0), {"limits.computed", "bitmaps.full"}),
    ("limits.tick", lambda s: with_kd(s, 1, tick_max=0), {"limits.computed"}),
    ("limits.kthread", lambda s: with_kd(s, 1, est_max_count=1), {"limits.computed"}),
    ("limits.computed", lambda s: with_kd(s, 1, est_max_count=16), set()),
    ("limits.max-threads", lambda s: with_state(s, max_threads=15), set()),
    ("limits.stopped", lambda s: with_sysctls(s, run_estimation=False), set()),
    ("limits.known", lambda s: with_state(s, chain_max=0), {"limits.computed"}),
    ("limits.threads", lambda s: with_state(s, max_threads=1), {"limits.max-threads"}),
    ("array.trailing-hole", _hole_at_the_end, set()),
    ("array.add-ktid", lambda s: with_state(s, add_ktid=3), {"array.add-ktid-usable"}),
    ("array.add-ktid-usable", lambda s: with_state(s, add_ktid=0), set()),
    ("progress.room", _one_waits, set()),
    ("progress.recalculation", lambda s: with_state(s, calc_phase=1), set()),
    ("progress.tasks", lambda s: with_kd(s, 1, running=False), set()),
    (
        "progress.stopped",
        lambda s: with_sysctls(with_state(s, stopped=1), run_estimation=False),
        set(),
    ),
    ("rates.sums", lambda s: with_object(s, 2, last=(1, 0, 0, 0, 0)), set()),
    ("tasks.referenced", _freed_task, set()),
)


@pytest.mark.parametrize(("property_id", "damage", "besides"), BY_HAND, ids=[x[0] for x in BY_HAND])
def test_smallest_damage_breaks_just_this_property(
    property_id: str, damage: Damage, besides: set[str]
) -> None:
    good = two_kthreads()
    assert broken(good) == set()
    bad = damage(good)
    assert broken(bad) == {property_id} | besides
    assert broken_for_z3(bad, each_kind_once=False) == {property_id} | besides


def test_temp_list_without_kd0_breaks_just_this_property() -> None:
    assert broken(waiting_total()) == set()
    bad = _without_kd0(waiting_total())
    assert broken(bad) == broken_for_z3(bad, each_kind_once=False) == {"array.kd0"}


def test_each_state_property_has_its_damage() -> None:
    by_hand = {triple[0] for triple in BY_HAND} | {"array.kd0"}
    assert by_hand == {prop.id for prop in STATE_PROPERTIES}


def test_task_that_is_being_stopped_may_have_been_freed() -> None:
    snapshot = _freed_task(two_kthreads())
    task = context_of(snapshot, 1).task
    assert task is not None
    assert broken(with_context(snapshot, 1, task=replace(task, should_stop=True))) == set()


# Cases of the record

BIG = 2**64
AVAIL = (0, 1, 1, 0, 1)
"""Rows 1, 2 and 4 are available."""
TICK = (48, 8, 250, 10 * 10**9)
"""Default geometry: chain factor, load divisor, HZ, ns of a tick times HZ."""

# Property, cases in which it holds, cases in which it does not.
CASES: tuple[tuple[str, list[Case], list[Case]], ...] = (
    (
        "delay.new-row",
        [(2, 3, *AVAIL), (4, 4, *AVAIL), (4, 0, *AVAIL)],
        [(1, 3, *AVAIL), (3, 3, *AVAIL), (4, 3, *AVAIL), (2, 0, *AVAIL), (5, 4, *AVAIL)],
    ),
    (
        "delay.relinked-row",
        [(4, 3, *AVAIL), (1, 1, *AVAIL), (1, 4, 0, 1, 1, 0, 0)],
        [(2, 3, *AVAIL), (3, 3, *AVAIL), (2, 1, *AVAIL), (2, 4, 0, 1, 1, 0, 0), (5, 3, *AVAIL)],
    ),
    ("delay.remaining", [(2, 3, 1, 5), (3, 1, 3, 5), (0, 1, 1, 5)], [(4, 3, 1, 5), (-2, 1, 3, 5)]),
    ("delay.first", [(200, 200), (3, 200)], [(201, 200)]),
    ("delay.period", [(200, 200)], [(199, 200), (201, 200), (400, 200)]),
    ("delay.closest", [(180, 180), (600, 180)], [(179, 180)]),
    (
        "delay.longest",
        [(200, 0, 0, 200, 4), (230, 30, 0, 200, 4), (404, 0, 1, 200, 4)],
        [(201, 0, 0, 200, 4), (231, 30, 0, 200, 4), (405, 0, 1, 200, 4)],
    ),
    ("limits.published", [(4, 4), (1, 0)], [(5, 4)]),
    ("limits.cpulist", [(1, 1, 1), (1, 0, 0), (0, 1, 0), (0, 0, 0)], [(1, 0, 1), (1, 1, 0)]),
    ("limits.requested", [(1,)], [(0,)]),
    ("limits.sysctl-kept", [(0, 0), (-7, -7)], [(1, 0), (0, 2)]),
    ("place.start", [(0, 1), (-12, 0)], [(0, 0), (-12, 1), (12, 0)]),
    ("progress.not-lost", [(3, 3), (0, 0)], [(2, 3)]),
    ("tasks.enabled", [(1, 0, 0, 0), (1, 3, 1, 0)], [(0, 0, 0, 0), (1, 0, 0, 1)]),
    ("tasks.relinking", [(1, 0, 1, 0), (1, 3, 0, 0)], [(1, 3, 1, 0)]),
    (
        "load.chain",
        [(95, 1000), (1, 99_000), (1, 100_000), (1, 200_000)],
        [(101, 1000), (0, 5), (2, 60_000)],
    ),
    (
        "load.tick",
        [(95, 1000, *TICK), (1, 104_166, *TICK), (1, 104_167, *TICK), (9, 10**6, *TICK[:3], 1)],
        [(105, 1000, *TICK), (2, 90_000, *TICK)],
    ),
    (
        "load.cpus",
        [(4, 1, 95, 1000, *TICK), (8, 2, 95, 1000, *TICK), (99, 1, 1, 104_167, *TICK)],
        [(5, 1, 95, 1000, *TICK), (4, 1, 105, 1000, *TICK)],
    ),
    (
        "rates.average",
        [
            (0, 0, 2, 256, 512),
            (256, 2, 2, 192, 512),
            (1, 0, 0, 0, 512),
            (7, 0, 1, 9, 16),
            (0, BIG - 1, 1, 256, 512),
            (0, 0, 2**54, BIG - 2**61, 512),
        ],
        [(0, 0, 2, 255, 512), (1, 0, 0, 1, 512), (0, BIG - 1, 1, 0, 512), (0, 0, 2, 256, 16)],
    ),
    (
        "rates.range",
        [(0, 0, 2, 1024, 512), (9, 0, 0, 0, 512), (0, 0, 2**54, BIG - 1, 512)],
        [(0, 0, 2, 1025, 512), (9, 0, 0, 10, 512), (100, 0, 0, BIG - 1, 512), (50, 0, 9, 3, 512)],
    ),
    (
        "rates.converges",
        [(0, 4, 16, 3, 4), (0, 1, 16, 3, 4)],
        [(0, 0, 17, 3, 4), (0, 99, 16, 3, 4)],
    ),
    ("rates.error", [(4, 4, 4), (4, 15, 4)], [(4, 3, 4), (4, 16, 4)]),
    ("rates.nothing-lost", [(7, 7)], [(7, 8)]),
    (
        "readers.group",
        [(1, 2, 0, 0, 0, 1, 2, 0, 0, 0), (1, 2, 0, 0, 0, *ZERO, 1, 2, 0, 0, 0)],
        [(1, 0, 0, 0, 0, *ZERO, 1, 2, 0, 0, 0), (1, 2, 0, 0, 1, 1, 2, 0, 0, 0)],
    ),
    ("readers.counter", [(1, 0, 1), (3, 3)], [(2, 0, 1), (0, 60)]),
    ("readers.moved", [(0, 1), (2, 0)], [(2, 1)]),
    ("locks.order", [(0,)], [(1,)]),
    ("locks.kthreads", [(0,)], [(1,), (2,)]),
    ("locks.lists", [(1, 0), (0, 1), (1, 1)], [(0, 0)]),
    ("locks.est-fields", [(1, 0), (0, 1)], [(0, 0)]),
    ("locks.service-fields", [(1, 0), (0, 1)], [(0, 0)]),
    ("locks.deletion", [(0, 1)], [(0, 0), (1, 0), (1, 1)]),
    ("memory.dest", [(0, 1, 0), (-12, 0, 1)], [(-12, 0, 0), (0, 0, 1), (0, 1, 1), (-12, 1, 0)]),
)


@pytest.mark.parametrize(("property_id", "good", "bad"), CASES, ids=[case[0] for case in CASES])
def test_cases_by_hand(property_id: str, good: list[Case], bad: list[Case]) -> None:
    for cases, expected in ((good, True), (bad, False)):
        for case in cases:
            assert in_python(property_id, case) is expected, case
            assert in_z3(property_id, case) is expected, case


def test_each_record_property_has_cases_by_hand() -> None:
    assert sorted(case[0] for case in CASES) == sorted(RECORDED)


def in_python(property_id: str, case: Case) -> bool:
    """Whether the property holds of the case."""
    return RECORDED[property_id].predicate(PYTHON, case)


def in_z3(property_id: str, case: Case) -> bool:
    """The same, as z3 sees it."""
    return Z3.holds(RECORDED[property_id].predicate(Z3, [Z3.number(number) for number in case]))


def test_interpretations_agree_on_sampled_and_on_changed_cases() -> None:
    random = Random(3)
    for property_id, good, bad in CASES:
        known = [*good, *bad, *samples().cases[property_id]]
        outcomes: set[bool] = set()
        for turn in range(40):
            case = random.choice(known)
            if turn % 3:
                case = _changed(case, random)
            holds = in_python(property_id, case)
            assert holds is in_z3(property_id, case), (property_id, case)
            outcomes.add(holds)
        assert outcomes == {True, False}, property_id


def _changed(case: Case, random: Random) -> Case:
    index = random.randrange(len(case))
    step = random.choice((-(2**33), -7, -1, 1, 1, 9, 2**33))
    return (*case[:index], max(0, case[index] + step), *case[index + 1 :])
