"""Section 10: the drain: rules, each with an answer worked out from the text."""

from itertools import product

from by_hand import (
    ALL,
    GIVE_WAY,
    LOCK_SERVICE,
    UNLOCK_SERVICE,
    Others,
    ask_to_stop,
    points,
    put_kd,
    small,
    start_task,
    temp_list,
    wait,
)
from ipvs_est.estimator.drain import drain_temp_list
from ipvs_est.machine.hlist import nodes
from ipvs_est.machine.memory import fail_allocations
from ipvs_est.state.stats import TEMP_LIST_KTID


def test_drain_enqueues_16_in_one_hold_of_the_service_mutex() -> None:
    for revision, (count, batches) in product(ALL, [(15, 0), (16, 1), (17, 1), (33, 2), (48, 3)]):
        machine = small(revision)
        kd = put_kd(machine)
        task = start_task(machine, kd)
        for object_id in range(1, count + 1):
            wait(machine, object_id)
        full = [LOCK_SERVICE, UNLOCK_SERVICE, GIVE_WAY]
        names = points(machine, drain_temp_list(machine, task))
        assert names == [*(full * batches), LOCK_SERVICE, UNLOCK_SERVICE]
        assert kd.est_count == count


def test_drain_asked_to_stop_between_two_batches_leaves_the_rest() -> None:
    machine = small()
    kd = put_kd(machine)
    task = start_task(machine, kd)
    for object_id in range(1, 41):
        wait(machine, object_id)
    names = points(machine, drain_temp_list(machine, task), Others(GIVE_WAY, 2, ask_to_stop(task)))
    assert names == [LOCK_SERVICE, UNLOCK_SERVICE, GIVE_WAY] * 2 + [LOCK_SERVICE, UNLOCK_SERVICE]
    # The newest waits at the head and goes first.
    assert temp_list(machine) == [8, 7, 6, 5, 4, 3, 2, 1]


def test_drain_without_memory_for_a_tick_puts_the_estimator_back() -> None:
    machine = small()
    kd = put_kd(machine)
    task = start_task(machine, kd)
    for object_id in (1, 2, 3):
        wait(machine, object_id)
    fail_allocations(machine.memory, 1, 1)
    names = points(machine, drain_temp_list(machine, task))
    assert names == [LOCK_SERVICE, UNLOCK_SERVICE]
    assert temp_list(machine) == [3, 2, 1]
    assert [est.ktid for est in nodes(machine.netns.est_temp_list)] == [TEMP_LIST_KTID] * 3
    assert kd.est_count == 0
