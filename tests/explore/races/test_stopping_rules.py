"""What the stop of an estimator leaves: whether kd 0 is needed, where the next one goes."""

import pytest

from by_hand import place, put_kd, run, small, start_task, temp_list
from ipvs_est import MAINLINE, REPAIRED, Revision
from ipvs_est.estimator.calc_phase import calc_phase
from ipvs_est.estimator.start_stop import stop_estimator
from ipvs_est.state.stats import StatsObject


@pytest.mark.parametrize(("revision", "needed"), [(MAINLINE, False), (REPAIRED, True)])
def test_relinking_the_last_estimator_of_all_leaves_kd_0_needed_when_repaired(
    revision: Revision, needed: bool
) -> None:
    # F22: kd 0 is empty, so that nothing is estimated while kd 1's only one is relinked.
    machine = small(revision)
    kds = [put_kd(machine) for _ in range(2)]
    kds[0].calc_stats = StatsObject(owner="calc")
    task = start_task(machine, kds[0])
    place(machine, kds[1], 1)
    run(machine, calc_phase(machine, task), task=task)
    assert temp_list(machine) == [1]
    assert machine.netns.est_kt_arr == kds[:1]
    assert kds[0].needed is needed


@pytest.mark.parametrize("revision", [MAINLINE, REPAIRED])
def test_kd_0_is_not_needed_when_the_last_estimator_is_stopped(revision: Revision) -> None:
    machine = small(revision)
    kd = put_kd(machine)
    run(machine, stop_estimator(machine, place(machine, kd, 1)))
    assert not kd.needed


@pytest.mark.parametrize(("revision", "goes_to"), [(MAINLINE, 1), (REPAIRED, 2)])
def test_the_next_estimator_goes_to_a_context_with_room_before_a_hole_when_repaired(
    revision: Revision, goes_to: int
) -> None:
    # F11: kd 0 is full, slot 1 is a hole that est_add_ktid names, kd 2 gets room.
    machine = small(revision)
    netns = machine.netns
    kds = [put_kd(machine) for _ in range(3)]
    netns.est_kt_arr[1] = None
    kds[0].est_count = kds[0].est_max_count
    netns.est_add_ktid = 1
    place(machine, kds[2], 1)
    run(machine, stop_estimator(machine, place(machine, kds[2], 2)))
    assert netns.est_add_ktid == goes_to


@pytest.mark.parametrize("revision", [MAINLINE, REPAIRED])
def test_the_next_estimator_goes_to_the_lower_context_it_would_go_to_before(
    revision: Revision,
) -> None:
    machine = small(revision)
    netns = machine.netns
    kds = [put_kd(machine) for _ in range(2)]
    # kd 0 counts as full: choosing again would not choose it.
    kds[0].est_count = kds[0].est_max_count
    netns.est_add_ktid = 0
    place(machine, kds[1], 1)
    run(machine, stop_estimator(machine, place(machine, kds[1], 2)))
    assert netns.est_add_ktid == 0
