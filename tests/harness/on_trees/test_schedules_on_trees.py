"""Races of the recorded findings, on the code of real trees."""

import pytest

from ipvs_est_checks.explore.scenarios.scenario import load
from ipvs_est_checks.harness.building.build import build
from ipvs_est_checks.harness.building.options import Variant, options_for
from ipvs_est_checks.harness.building.tree import Tree
from ipvs_est_checks.harness.process import asking, running
from ipvs_est_checks.subjects.schedules import Searched, prepare, run_schedule, search
from kernels.kernel_trees import need_tree


def searched(tree: Tree, name: str, preemptions: int, *, fields: bool) -> Searched:
    scenario = load(name)
    with running(build(tree, options_for(scenario.params, Variant.POINTS))) as program:
        prepare(asking(program), scenario)
        return search(
            asking(program), scenario, preemptions=preemptions, fields=fields, most=20_000
        )


def test_f17_is_a_deadlock_of_6_12_in_which_each_waits_for_the_other() -> None:
    found = searched(need_tree((6, 12)), "last-estimator-goes", 2, fields=False)
    (failure,) = found.failures
    assert failure.cause == (
        "deadlock: CTL: waits for the exit of ipvs-e:0;"
        " ipvs-e:0: waits for __ip_vs_mutex, held by CTL"
    )


def test_f17_does_not_show_on_7_3_within_two_preemptions_at_mutexes_and_waits() -> None:
    found = searched(need_tree((7, 3)), "last-estimator-goes", 2, fields=False)
    assert found.exhausted
    assert found.failures == ()


def test_f16_on_7_3_starts_a_kthread_after_exit_has_cleared_enable() -> None:
    found = searched(need_tree((7, 3)), "exit-and-sysctl", 1, fields=True)
    (failure,) = found.failures
    assert failure.cause == "task-started-while-disabled: ipvs-e:0 in wake_up_process"


@pytest.mark.parametrize("version", [(7, 3), (6, 12)])
def test_f28_a_write_without_a_number_stores_an_old_nice_over_a_newer_one(
    version: tuple[int, int],
) -> None:
    scenario = load("sysctl-writes-without-a-number")
    built = build(need_tree(version), options_for(scenario.params, Variant.POINTS))
    with running(built) as program:
        prepare(asking(program), scenario)
        # SYSCTL1 has looked at est_nice and is to take est_mutex: SYSCTL2 goes on to its end.
        raced = run_schedule(asking(program), "4x8.5", 200, fields=True)
        alone = run_schedule(asking(program), "5", 200, fields=True)
    writers = [
        [step.name for step in run.steps if step.place == "write sysctl_est_nice"]
        for run in (raced, alone)
    ]
    assert writers == [["SYSCTL2", "SYSCTL1"], ["SYSCTL2"]]


def test_a_run_that_is_told_again_is_the_same() -> None:
    tree = need_tree()
    first = searched(tree, "exit-of-an-idle-netns", 1, fields=False)
    assert first == searched(tree, "exit-of-an-idle-netns", 1, fields=False)
