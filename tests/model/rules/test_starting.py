"""Section 4: starting an estimator: rules, each with an answer worked out from the text."""

from by_hand import ALL, LOCK_EST, UNLOCK_EST, put_kd, run, small, temp_list
from ipvs_est import MAINLINE, STABLE, V7
from ipvs_est.estimator.start_stop import start_estimator
from ipvs_est.state.stats import StatsObject


def test_starting_an_estimator_computes_the_thread_limit_before_mainline_only() -> None:
    for revision, threads in ((V7, 4), (STABLE, 4), (MAINLINE, 0)):
        machine = small(revision)
        put_kd(machine)
        machine.netns.est_max_threads = 0
        assert run(machine, start_estimator(machine, StatsObject(id=1).est)) == ([], 0)
        assert machine.netns.est_max_threads == threads


def test_starting_an_estimator_computes_no_thread_limit_while_disabled() -> None:
    for revision in ALL:
        machine = small(revision)
        put_kd(machine)
        machine.netns.est_max_threads = 0
        machine.netns.enable = False
        assert run(machine, start_estimator(machine, StatsObject(id=1).est)) == ([], 0)
        assert machine.netns.est_max_threads == 0


def test_starting_an_estimator_keeps_a_computed_thread_limit() -> None:
    for revision in ALL:
        machine = small(revision)
        put_kd(machine)
        machine.netns.est_max_threads = 7
        assert run(machine, start_estimator(machine, StatsObject(id=1).est)) == ([], 0)
        assert machine.netns.est_max_threads == 7


def test_mainline_marks_an_idle_kd_0_as_needed() -> None:
    for revision, expected in (
        (V7, []),
        (STABLE, []),
        (MAINLINE, [LOCK_EST, "queue 0", UNLOCK_EST]),
    ):
        machine = small(revision)
        kd = put_kd(machine)
        kd.needed = False
        assert run(machine, start_estimator(machine, StatsObject(id=1).est)) == (expected, 0)
        assert kd.needed is (revision is MAINLINE)
        assert machine.netns.est_genid == (revision is MAINLINE)
        assert temp_list(machine) == [1]
