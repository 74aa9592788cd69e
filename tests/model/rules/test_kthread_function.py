"""Section 8: the kthread's function: rules, each with an answer worked out from the text."""

from dataclasses import dataclass, replace

import pytest

from by_hand import (
    ALL,
    DEFAULT,
    GIVE_WAY,
    LOCK_SERVICE,
    NEW,
    RCU_LOCK,
    RCU_UNLOCK,
    SMALL,
    UNLOCK_SERVICE,
    Others,
    ask_to_stop,
    disable,
    name_of,
    place,
    points,
    put_kd,
    run,
    small,
    start_task,
    temp_list,
    wait,
)
from ipvs_est import MAINLINE, Params
from ipvs_est.estimator.contexts import add_kthread_context
from ipvs_est.estimator.estimate_tick import estimate_tick
from ipvs_est.estimator.kthread import estimation_kthread
from ipvs_est.estimator.start_stop import stop_estimator
from ipvs_est.language.events import Estimated
from ipvs_est.language.revision import BEFORE_STABLE
from ipvs_est.language.violations import Deadlock, ViolationError
from ipvs_est.machine.hlist import nodes
from ipvs_est.machine.tasks import Task
from ipvs_est.state.kthread_context import KthreadContext, Tick
from ipvs_est.state.machine import Machine, jiffies
from ipvs_est.state.seqcount import SYNCP


def function(machine: Machine, kd: KthreadContext, *others: Others) -> list[str]:
    """The points of the function of kd's task, which is started first."""
    task = kd.task or start_task(machine, kd)
    return points(machine, estimation_kthread(machine, kd, task), *others, task=task)


def test_kthread_above_0_returns_at_once_without_limits() -> None:
    for revision in ALL:
        machine = small(revision)
        put_kd(machine)
        kd = put_kd(machine)
        assert function(machine, kd) == []
        assert kd.est_row == 0
        assert not machine.netns.est_calc_phase


def test_kthread_above_0_runs_no_calc_phase() -> None:
    for revision in ALL:
        machine = small(revision)
        machine.netns.est_chain_max = 2
        machine.netns.est_calc_phase = True
        put_kd(machine)
        kd = put_kd(machine)
        start_task(machine, kd).should_stop = True
        assert function(machine, kd) == []
        assert machine.netns.est_calc_phase


def test_kthread_0_returns_when_stopped_in_the_calc_phase_unless_it_is_v7() -> None:
    for revision in ALL:
        machine = small(revision)
        _, kd = run(machine, add_kthread_context(machine))
        assert isinstance(kd, KthreadContext)
        task = kd.task or start_task(machine, kd)
        wait(machine, 1)
        names = function(machine, kd, Others("sleep 2", 1, ask_to_stop(task)))
        after = names[names.index("sleep 2") + 1 :]
        # v7 goes on to the drain, which sees the request to stop.
        assert after == ([LOCK_SERVICE, UNLOCK_SERVICE] if revision in BEFORE_STABLE else [])
        assert temp_list(machine) == [1]
        assert machine.netns.est_calc_phase


def test_kthread_0_returns_when_disabled_in_the_calc_phase_unless_it_is_v7() -> None:
    for revision in ALL:
        machine = small(revision)
        _, kd = run(machine, add_kthread_context(machine))
        assert isinstance(kd, KthreadContext)
        task = kd.task or start_task(machine, kd)
        wait(machine, 1)
        names = function(
            machine,
            kd,
            Others("sleep 2", 1, disable(machine)),
            Others("sleep 40", 1, ask_to_stop(task)),
        )
        # v7 enqueues the estimator, under limits of 0, and waits for the second row.
        assert ("sleep 40" in names) is (revision in BEFORE_STABLE)
        assert temp_list(machine) == ([] if revision in BEFORE_STABLE else [1])


def test_kthread_0_leaves_without_a_step_when_stopped_during_the_drain() -> None:
    for revision in ALL:
        machine = small(revision)
        machine.netns.est_chain_max = 2
        kd = put_kd(machine)
        wait(machine, 1)
        task = start_task(machine, kd)
        names = function(machine, kd, Others(LOCK_SERVICE, 1, ask_to_stop(task)))
        assert names == [LOCK_SERVICE, UNLOCK_SERVICE]
        assert (kd.est_row, kd.est_timer) == (0, 1000)
        assert temp_list(machine) == [1]


def test_sleep_is_counted_from_after_the_drain() -> None:
    for revision in ALL:
        machine = small(revision)
        machine.netns.est_chain_max = 2
        kd = put_kd(machine)
        wait(machine, 1)
        task = start_task(machine, kd)
        kd.est_timer = 1030

        def take_time(machine: Machine = machine) -> None:
            machine.now += 12

        # The drain waits for the service mutex until 1012.
        names = function(
            machine,
            kd,
            Others(LOCK_SERVICE, 1, take_time),
            Others("sleep 18", 1, ask_to_stop(task)),
        )
        assert names == [LOCK_SERVICE, UNLOCK_SERVICE, "sleep 18"]


def steps_until_sleep(lateness: int) -> tuple[int, str]:
    """A kthread that is late by that many jiffies: rows until it first sleeps, and the sleep.

    It is asked to stop in this sleep, and still goes on a row.
    """
    machine = small(MAINLINE, DEFAULT)
    machine.netns.est_chain_max = 2
    put_kd(machine)
    kd = put_kd(machine)
    task = start_task(machine, kd)
    kd.est_timer = jiffies(machine) - lateness
    body = estimation_kthread(machine, kd, task)
    sleep = next(body)
    rows = kd.est_row
    task.should_stop = True
    assert list(body) == []
    assert kd.est_row == rows + 1
    return rows, name_of(sleep)


def test_kthread_catches_up_at_most_8_ticks() -> None:
    # A tick is 4 jiffies. On time: one row now, the next in a tick.
    assert steps_until_sleep(0) == (1, "sleep 4")
    assert steps_until_sleep(1) == (1, "sleep 3")
    assert steps_until_sleep(4) == (2, "sleep 4")
    # Gaps -28, -24, ... 0: 8 rows; -29, -25, ... -1: 8 rows, then 3 jiffies are left.
    assert steps_until_sleep(28) == (8, "sleep 4")
    assert steps_until_sleep(29) == (8, "sleep 3")
    assert steps_until_sleep(31) == (8, "sleep 1")
    assert steps_until_sleep(32) == (9, "sleep 4")
    # Later than 8 ticks: the past is forgotten.
    assert steps_until_sleep(33) == (1, "sleep 4")
    assert steps_until_sleep(36) == (1, "sleep 4")
    assert steps_until_sleep(10**6) == (1, "sleep 4")


def test_kthread_sleeps_until_its_timer_but_at_most_a_tick() -> None:
    assert steps_until_sleep(-1) == (0, "sleep 1")
    assert steps_until_sleep(-4) == (0, "sleep 4")
    assert steps_until_sleep(-5) == (0, "sleep 4")
    assert steps_until_sleep(-1000) == (0, "sleep 4")


def test_timer_of_a_kthread_wraps_with_jiffies() -> None:
    for bits_of_word in (32, 64):
        span = 2**bits_of_word
        # now, est_timer -> the sleep, est_timer during it, est_timer after it
        for now, timer, sleep, during, after in (
            # Ahead, beyond the wrap.
            (span - 2, 1, "sleep 3", 1, 5),
            (span - 2, span - 1, "sleep 1", span - 1, 3),
            # More than a tick ahead: a tick before now is before the wrap.
            (2, 12, "sleep 4", span - 2, 2),
            (0, 5, "sleep 4", span - 4, 0),
        ):
            params = replace(DEFAULT, word_bits=bits_of_word, initial_jiffies=now)
            machine = small(MAINLINE, params)
            machine.netns.est_chain_max = 2
            put_kd(machine)
            kd = put_kd(machine)
            task = start_task(machine, kd)
            kd.est_timer = timer
            body = estimation_kthread(machine, kd, task)
            assert name_of(next(body)) == sleep
            assert kd.est_timer == during
            task.should_stop = True
            assert list(body) == []
            assert (kd.est_timer, kd.est_row) == (after, 1)


def test_late_timer_before_the_wrap_catches_up() -> None:
    machine = small(MAINLINE, replace(DEFAULT, initial_jiffies=3))
    machine.netns.est_chain_max = 2
    put_kd(machine)
    kd = put_kd(machine)
    task = start_task(machine, kd)
    # 8 jiffies late: rows at gaps -8, -4 and 0.
    kd.est_timer = 2**64 - 5
    body = estimation_kthread(machine, kd, task)
    assert name_of(next(body)) == "sleep 4"
    assert (kd.est_row, kd.est_timer) == (3, 7)


def test_row_without_estimators_is_not_looked_at() -> None:
    machine = small()
    machine.netns.est_chain_max = 2
    put_kd(machine)
    kd = put_kd(machine)
    place(machine, kd, 1, delay=1)
    task = start_task(machine, kd)
    names = function(machine, kd, Others("sleep 40", 3, ask_to_stop(task)))
    estimating = [RCU_LOCK, GIVE_WAY, RCU_UNLOCK]
    assert names == ["sleep 40", *estimating, "sleep 40", "sleep 40"]
    assert kd.est_row == 4


def estimated(machine: Machine) -> list[int]:
    """Ids of the estimators that were estimated, in order."""
    return [event.id for event in machine.events or () if isinstance(event, Estimated)]


@dataclass(slots=True)
class Row:
    """A row with estimators 1, 2 in chain 0 and 4, 5 in chain 2; chain 1 is empty."""

    machine: Machine
    kd: KthreadContext
    td: Tick
    task: Task


def row_of_two_chains(params: Params = SMALL) -> Row:
    machine = small(MAINLINE, params)
    machine.events = []
    kd = put_kd(machine, chain_max=2)
    places = [place(machine, kd, object_id) for object_id in range(1, 7)]
    for estimator in (places[2], places[3]):
        points(machine, stop_estimator(machine, estimator))
    td = kd.ticks[NEW]
    assert td is not None
    assert td.present == 0b101
    return Row(machine, kd, td, start_task(machine, kd))


def test_row_is_estimated_chain_by_chain_giving_way_after_each() -> None:
    row = row_of_two_chains()
    names = points(row.machine, estimate_tick(row.machine, row.kd, row.task, NEW))
    assert names == [RCU_LOCK, GIVE_WAY, GIVE_WAY, RCU_UNLOCK]
    # A chain grows at its head.
    assert estimated(row.machine) == [2, 1, 6, 5]


def test_kthread_asked_to_stop_estimates_no_further_chain() -> None:
    row = row_of_two_chains()
    names = points(
        row.machine,
        estimate_tick(row.machine, row.kd, row.task, NEW),
        Others(GIVE_WAY, 1, ask_to_stop(row.task)),
    )
    assert names == [RCU_LOCK, GIVE_WAY, RCU_UNLOCK]
    assert estimated(row.machine) == [2, 1]


def test_kthread_asked_to_stop_estimates_no_further_estimator_of_the_chain() -> None:
    row = row_of_two_chains(replace(SMALL, word_bits=32))
    for chain in row.td.chains:
        for est in nodes(chain):
            est.stats.cpustats = {0: [0] * (SYNCP + 1)}
    names = points(
        row.machine,
        estimate_tick(row.machine, row.kd, row.task, NEW),
        # While the first word of the first estimator's counters is read.
        Others("word 0", 1, ask_to_stop(row.task)),
    )
    assert names.count("word 0") == 1
    assert names[-2:] == [GIVE_WAY, RCU_UNLOCK]
    assert names.count(GIVE_WAY) == 1
    assert estimated(row.machine) == [2]


def test_kthread_goes_on_from_an_estimator_that_is_stopped_under_it() -> None:
    row = row_of_two_chains(replace(SMALL, word_bits=32))
    newest, *_ = nodes(row.td.chains[0])
    newest.stats.cpustats = {0: [0] * (SYNCP + 1)}

    def stop_it() -> None:
        for _ in stop_estimator(row.machine, newest):
            pass

    points(
        row.machine,
        estimate_tick(row.machine, row.kd, row.task, NEW),
        # While the first word of its counters is read.
        Others("word 0", 1, stop_it),
    )
    assert estimated(row.machine) == [2, 1, 6, 5]


def test_a_write_that_nobody_ends_is_a_violation_and_no_endless_wait() -> None:
    row = row_of_two_chains(replace(SMALL, word_bits=32))
    newest, *_ = nodes(row.td.chains[0])
    # The sequence count is odd while counters are written.
    newest.stats.cpustats = {3: [*[0] * SYNCP, 1]}
    with pytest.raises(ViolationError) as raised:
        points(row.machine, estimate_tick(row.machine, row.kd, row.task, NEW))
    assert isinstance(raised.value.violation, Deadlock)
    assert raised.value.violation in row.machine.violations
    (cycle,) = raised.value.violation.cycle
    assert cycle.startswith("ipvs-e:0: reads CPU 3 of ")
    assert estimated(row.machine) == []


def test_row_whose_tick_goes_while_giving_way_is_left() -> None:
    row = row_of_two_chains()

    def remove_tick() -> None:
        row.kd.ticks[NEW] = None

    names = points(
        row.machine,
        estimate_tick(row.machine, row.kd, row.task, NEW),
        Others(GIVE_WAY, 1, remove_tick),
    )
    assert names == [RCU_LOCK, GIVE_WAY, RCU_UNLOCK]
    assert estimated(row.machine) == [2, 1]


def test_estimating_goes_on_in_a_tick_that_replaced_the_first() -> None:
    row = row_of_two_chains()
    other = put_kd(row.machine, chain_max=1)
    for object_id in (11, 12, 13):
        place(row.machine, other, object_id)

    def replace_tick() -> None:
        row.kd.ticks[NEW] = other.ticks[NEW]

    points(
        row.machine,
        estimate_tick(row.machine, row.kd, row.task, NEW),
        Others(GIVE_WAY, 1, replace_tick),
    )
    # Chain 0 of the first tick, then chains 1 and 2 of the second.
    assert estimated(row.machine) == [2, 1, 12, 13]
