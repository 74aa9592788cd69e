"""Section 7: stopping an estimator: rules, each with an answer worked out from the text."""

from itertools import product

from by_hand import (
    ALL,
    LOCK_EST,
    UNLOCK_EST,
    life,
    place,
    points,
    put_kd,
    small,
    start_task,
    temp_list,
    wait,
)
from ipvs_est import MAINLINE
from ipvs_est.estimator.contexts import trim_array
from ipvs_est.estimator.start_stop import stop_estimator
from ipvs_est.machine.memory import Life
from ipvs_est.machine.rcu import end_grace_period
from ipvs_est.state.stats import StatsObject


def test_stopping_an_unlinked_estimator_does_nothing() -> None:
    for revision in ALL:
        machine = small(revision)
        kd = put_kd(machine)
        machine.netns.est_add_ktid = 3
        assert points(machine, stop_estimator(machine, StatsObject(id=1).est)) == []
        assert machine.netns.est_kt_arr == [kd]
        assert kd.needed
        assert machine.netns.est_add_ktid == 3


def test_emptied_tick_is_freed_after_a_grace_period() -> None:
    machine = small()
    kd = put_kd(machine)
    place(machine, kd, 1)
    est = place(machine, kd, 2, delay=1)
    td = kd.ticks[1]
    assert td is not None
    assert points(machine, stop_estimator(machine, est)) == []
    assert kd.ticks[1] is None
    assert life(td) is Life.WAITING
    end_grace_period(machine.rcu)
    assert life(td) is Life.FREED


def test_emptied_context_is_freed_under_est_mutex() -> None:
    for revision in ALL:
        machine = small(revision)
        place(machine, put_kd(machine), 1)
        kd = put_kd(machine)
        est = place(machine, kd, 2)
        task = start_task(machine, kd)
        names = points(machine, stop_estimator(machine, est))
        assert names == [LOCK_EST, "stop ipvs-e:1", "join ipvs-e:1", UNLOCK_EST]
        assert kd.life is Life.FREED
        assert task.life is Life.FREED
        assert machine.netns.est_kt_count == 1


def test_freed_context_leaves_est_add_ktid_of_another_slot() -> None:
    for revision, add_ktid in product(ALL, (0, 2)):
        machine = small(revision)
        kds = [put_kd(machine) for _ in range(3)]
        places = [place(machine, kd, kd.id + 1) for kd in kds]
        # A new choice would give the other one: the lowest slot with space.
        kds[0].est_max_count = 1 if add_ktid == 0 else 2
        machine.netns.est_add_ktid = add_ktid
        points(machine, stop_estimator(machine, places[1]))
        assert machine.netns.est_kt_arr == [kds[0], None, kds[2]]
        assert machine.netns.est_add_ktid == add_ktid


def test_est_add_ktid_stays_on_a_hole_below_the_context_that_got_room() -> None:
    for revision in ALL:
        machine = small(revision)
        kds = [put_kd(machine) for _ in range(3)]
        places = [place(machine, kd, kd.id + 1) for kd in (kds[0], kds[2], kds[2])]
        machine.netns.est_kt_arr[1] = None
        machine.netns.est_add_ktid = 1
        assert points(machine, stop_estimator(machine, places[1])) == []
        assert machine.netns.est_add_ktid == 1


def test_est_add_ktid_of_a_freed_context_is_chosen_anew() -> None:
    # Is there space in kd 0, in kd 2 -> the new est_add_ktid
    for revision, (first, last, chosen) in product(
        ALL, [(1, 1, 0), (0, 1, 2), (0, 0, 1), (1, 0, 0)]
    ):
        machine = small(revision)
        kds = [put_kd(machine) for _ in range(3)]
        places = [place(machine, kd, kd.id + 1) for kd in kds]
        kds[0].est_max_count = 1 + first
        kds[2].est_max_count = 1 + last
        machine.netns.est_add_ktid = 1
        points(machine, stop_estimator(machine, places[1]))
        assert machine.netns.est_add_ktid == chosen


def test_trailing_empty_slots_go_but_slot_0_stays() -> None:
    machine = small()
    kd = put_kd(machine)
    for before, after in (
        ([kd], [kd]),
        ([kd, None], [kd]),
        ([kd, None, None, None], [kd]),
        ([kd, None, kd], [kd, None, kd]),
        ([None, None, kd, None], [None, None, kd]),
        ([None, None], [None]),
        ([None], [None]),
    ):
        machine.netns.est_kt_arr[:] = before
        trim_array(machine)
        assert machine.netns.est_kt_arr == after


def test_kd_0_without_estimators_goes_with_the_last_other_context() -> None:
    for revision in ALL:
        machine = small(revision)
        kd = put_kd(machine)
        est = place(machine, put_kd(machine), 1)
        machine.netns.est_add_ktid = 1
        names = points(machine, stop_estimator(machine, est))
        freeing = [LOCK_EST, UNLOCK_EST]
        if revision is MAINLINE:
            assert names == [*freeing, LOCK_EST, "queue 0", UNLOCK_EST]
            assert machine.netns.est_kt_arr == [kd]
            assert not kd.needed
            assert machine.netns.est_genid == 1
        else:
            assert names == [*freeing, LOCK_EST, UNLOCK_EST]
            assert machine.netns.est_kt_arr == []
            assert kd.life is Life.FREED
        assert machine.netns.est_add_ktid == 0


def test_kd_0_without_estimators_stays_beside_other_contexts() -> None:
    for revision in ALL:
        machine = small(revision)
        kd = put_kd(machine)
        est = place(machine, kd, 1)
        place(machine, put_kd(machine), 2)
        assert points(machine, stop_estimator(machine, est)) == []
        assert machine.netns.est_kt_count == 2
        assert kd.needed
        assert kd.life is Life.LIVE


def test_kd_0_stays_while_an_estimator_waits() -> None:
    for revision in ALL:
        machine = small(revision)
        kd = put_kd(machine)
        est = place(machine, kd, 1)
        wait(machine, 2)
        assert points(machine, stop_estimator(machine, est)) == []
        assert machine.netns.est_kt_arr == [kd]
        assert kd.needed


def test_without_any_slot_a_stopped_estimator_only_leaves_the_temp_list() -> None:
    for revision in ALL:
        machine = small(revision)
        est = wait(machine, 1)
        assert points(machine, stop_estimator(machine, est)) == []
        assert temp_list(machine) == []


def test_last_estimator_resets_est_add_ktid() -> None:
    for revision in ALL:
        machine = small(revision)
        est = place(machine, put_kd(machine), 1)
        # kd 0 was full with this one.
        machine.netns.est_add_ktid = 1
        points(machine, stop_estimator(machine, est))
        assert machine.netns.est_add_ktid == 0


def test_last_estimator_releases_kd_0_under_est_mutex() -> None:
    stopping = ["stop ipvs-e:0", "join ipvs-e:0"]
    for revision in ALL:
        machine = small(revision)
        kd = put_kd(machine)
        est = place(machine, kd, 1)
        start_task(machine, kd)
        does = ["queue 0"] if revision is MAINLINE else stopping
        assert points(machine, stop_estimator(machine, est)) == [LOCK_EST, *does, UNLOCK_EST]
