"""Each access to a field that tasks share without a common lock is a point that says so.

Only an interleaved machine has these points; each list here is read off the semantics'
section, in the order in which the function reads and writes.
"""

from collections.abc import Callable, Generator

import pytest

from by_hand import (
    LOCK_EST,
    NEW,
    RCU_LOCK,
    RCU_UNLOCK,
    UNLOCK_EST,
    new_estimator,
    perform,
    place,
    points,
    put_kd,
    small,
    start_task,
    wait,
)
from ipvs_est import MAINLINE, STABLE, Revision, ViolationError
from ipvs_est.estimator.calc_limits import calc_limits
from ipvs_est.estimator.drain import drain_temp_list
from ipvs_est.estimator.enqueue import enqueue
from ipvs_est.estimator.estimate_tick import estimate_tick
from ipvs_est.estimator.kthread import estimation_kthread
from ipvs_est.estimator.start_stop import stop_estimator
from ipvs_est.language.violations import InvalidPointer
from ipvs_est.machine.hlist import linked, unhashed, unlink, unlink_init
from ipvs_est.machine.memory import HeapObject
from ipvs_est.machine.points import FieldAccess, Point, Sleep
from ipvs_est.machine.tasks import Task, reads_stop_request
from ipvs_est.state.machine import Machine
from ipvs_est.state.stats import Estimator, StatsObject

Access = tuple[HeapObject | None, str, bool]
"""Whose field (None: the netns's), which one, whether it is written."""

READ, WRITE = False, True


def interleaved(revision: Revision = MAINLINE) -> Machine:
    machine = small(revision)
    machine.interleaved = True
    machine.raise_violations = True
    return machine


def accesses(machine: Machine, body: Generator[Point, None, object], task: Task) -> list[Access]:
    """The accesses of `body` until it sleeps or returns."""
    found: list[Access] = []
    for point in body:
        if isinstance(point, Sleep):
            break
        perform(machine, task, point)
        if isinstance(point, FieldAccess):
            found.append((point.thing, point.field, point.write))
    return found


def test_a_row_is_estimated_access_by_access() -> None:
    machine = interleaved()
    kd = put_kd(machine)
    task = start_task(machine, kd)
    older, newer = place(machine, kd, 1).stats, place(machine, kd, 2).stats
    td = kd.ticks[NEW]
    one = [("cpustats", READ), ("kstats", WRITE), ("list", READ)]
    assert accesses(machine, estimate_tick(machine, kd, task, NEW), task) == [
        (kd, "ticks", READ),
        (td, "present", READ),
        (td, "chains", READ),
        *((newer, *pair) for pair in one),
        *((older, *pair) for pair in one),
        # After it has given way it looks for the next chain that has one.
        (td, "present", READ),
    ]


def test_the_drain_reads_where_a_kthread_above_0_is_when_it_enqueues_for_it() -> None:
    machine = interleaved()
    kds = [put_kd(machine) for _ in range(2)]
    task = start_task(machine, kds[0])
    wait(machine, 1)
    asked = (task, "should_stop", READ)
    machine.netns.est_add_ktid = 1
    drain = drain_temp_list(machine, task)
    assert accesses(machine, drain, task) == [asked, (kds[1], "est_row", READ), asked]
    # Its own row is nobody else's business.
    wait(machine, 2)
    machine.netns.est_add_ktid = 0
    assert accesses(machine, drain_temp_list(machine, task), task) == [asked, asked]


def test_a_kthread_reads_and_writes_what_others_see() -> None:
    machine = interleaved()
    machine.netns.est_chain_max = 200
    kds = [put_kd(machine) for _ in range(2)]
    tasks = [start_task(machine, kd) for kd in kds]
    asked = [(task, "should_stop", READ) for task in tasks]
    phase: Access = (None, "est_calc_phase", READ)
    waiting: Access = (None, "est_temp_list", READ)
    assert accesses(machine, estimation_kthread(machine, kds[0], tasks[0]), tasks[0]) == [
        phase,
        *(waiting, asked[0], (kds[0], "tick_len", READ)),
        *(waiting, asked[0]),
    ]
    # Kthread 0 reads the row of the others when it enqueues for them.
    assert accesses(machine, estimation_kthread(machine, kds[1], tasks[1]), tasks[1]) == [
        *(asked[1], (kds[1], "tick_len", READ), (kds[1], "est_row", WRITE)),
        asked[1],
    ]


def test_the_limits_test_looks_at_enable_after_every_fourth_test() -> None:
    machine = interleaved()
    kd = put_kd(machine)
    kd.calc_stats = StatsObject(owner="calc")
    task = start_task(machine, kd)
    four = ["sleep 2", *[RCU_LOCK, RCU_UNLOCK] * 4, "field enable"]
    names = points(machine, calc_limits(machine, task), task=task)
    assert names == [LOCK_EST, UNLOCK_EST, *four * 3]


def test_stopping_writes_the_list() -> None:
    machine = interleaved()
    kd = put_kd(machine)
    place(machine, kd, 1)
    est = place(machine, kd, 2)
    task = Task(name="control")
    found = accesses(machine, stop_estimator(machine, est), task)
    assert found == [(est.stats, "list", WRITE)]


@pytest.mark.parametrize("take_off", [unlink, unlink_init])
def test_an_estimator_that_another_took_off_meanwhile_is_unlinked_through_a_bad_pointer(
    take_off: Callable[[Estimator], None],
) -> None:
    machine = interleaved()
    machine.raise_violations = False
    est = wait(machine, 1)
    body = stop_estimator(machine, est)
    assert next(body) == FieldAccess(est.stats, "list", write=True)
    take_off(est)
    with pytest.raises(ViolationError) as found:
        next(body)
    assert found.value.violation == InvalidPointer("pprev", "ip_vs_stop_estimator")


def test_the_drain_writes_through_the_poison_of_a_stop_after_it_has_read_the_head() -> None:
    """Netns exit stops the total meanwhile, on stable without the service mutex."""
    machine = interleaved(STABLE)
    kd = put_kd(machine)
    task = start_task(machine, kd)
    total = wait(machine, 1)
    machine.netns.total = total.stats
    body = drain_temp_list(machine, task)
    taking = FieldAccess(total.stats, "list", write=True)
    assert list(iter(body.__next__, taking)) == [machine.lock_service, reads_stop_request(task)]
    unlink(total)
    with pytest.raises(ViolationError) as found:
        next(body)
    assert found.value.violation == InvalidPointer("pprev", "ip_vs_est_drain_temp_list")


def test_a_second_stop_writes_through_the_poison_of_the_first() -> None:
    machine = small()
    est = wait(machine, 1)
    points(machine, stop_estimator(machine, est))
    with pytest.raises(ViolationError) as found:
        points(machine, stop_estimator(machine, est))
    assert found.value.violation == InvalidPointer("pprev", "ip_vs_stop_estimator")


def test_a_node_is_unhashed_until_it_is_on_a_list_and_after_it_was_made_so() -> None:
    machine = small()
    assert unhashed(new_estimator(machine, 1))
    est = wait(machine, 2)
    assert (unhashed(est), linked(est)) == (False, True)
    unlink(est)
    assert (unhashed(est), linked(est)) == (False, False)
    est = wait(machine, 3)
    unlink_init(est)
    assert (unhashed(est), linked(est)) == (True, False)


def test_exit_without_the_service_mutex_stops_the_estimator_where_it_was_when_that_began() -> None:
    """It copies the place before it looks at the list, and then others may come."""
    machine = interleaved()
    kd = put_kd(machine)
    est = wait(machine, 1)
    other = wait(machine, 2)
    body = stop_estimator(machine, est, locked=False)
    assert next(body) == FieldAccess(est.stats, "ktid", write=False)
    assert next(body) == FieldAccess(est.stats, "list", write=False)
    unlink_init(est)
    enqueue(machine, kd, est)
    assert next(body) == FieldAccess(est.stats, "list", write=True)
    assert list(body) == []
    # It was on the temp list when the stop began: taken off the chain, it still counts there.
    assert not linked(est)
    assert (kd.est_count, sum(kd.tick_len)) == (1, 1)
    assert linked(other)


def test_whether_a_task_is_asked_to_stop_is_read_from_the_task() -> None:
    task = Task(name="ipvs-e:0")
    point = reads_stop_request(task)
    assert (point.thing, point.field, point.write) == (task, "should_stop", READ)
