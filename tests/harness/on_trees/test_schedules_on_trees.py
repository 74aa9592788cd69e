"""Races of the recorded findings, on the code of real trees."""

import re

import pytest

from ipvs_est_checks.explore.scenarios.scenario import load
from ipvs_est_checks.harness.building.build import build
from ipvs_est_checks.harness.building.options import Variant, options_for
from ipvs_est_checks.harness.building.tree import CONTROL, Tree, text_of, with_texts
from ipvs_est_checks.harness.process import asking, running
from ipvs_est_checks.subjects.schedules import (
    ScheduleOutcome,
    Searched,
    prepare,
    run_schedule,
    search,
)
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


def test_each_run_begins_where_the_first_one_did_whatever_has_run_before_it() -> None:
    scenario = load("restart-in-drain")
    program = build(need_tree(), options_for(scenario.params, Variant.POINTS))
    # Runs of all lengths, two of which are refused on the way.
    words = ["", "3x20", "3x40.4x9", "4x5.3x30", "0x7", "9999", "4x5.3x30", "3x", ""]

    def alone(word: str) -> ScheduleOutcome:
        with running(program) as started:
            prepare(asking(started), scenario)
            return run_schedule(asking(started), word, scenario.jiffies, fields=True)

    apart = [alone(word) for word in words]
    with running(program) as started:
        prepare(asking(started), scenario)
        for order in (words, words[::-1]):
            for word in order:
                run = run_schedule(asking(started), word, scenario.jiffies, fields=True)
                assert run == apart[words.index(word)]


def test_a_run_that_dies_leaves_nothing_to_the_next_one() -> None:
    scenario = load("restart-in-drain")
    tree = need_tree()
    function = "ipvs_proc_est_nice"
    text, count = re.subn(rf"({function}\([^;{{]*{{)", r"\1*(char *)8 = 0;", text_of(tree, CONTROL))
    assert count == 1
    crashing = with_texts(tree, {CONTROL: text})
    program = build(crashing, options_for(scenario.params, Variant.POINTS))
    with running(program) as started:
        prepare(asking(started), scenario)
        # The third ends at its first choice, before the write.
        runs = [
            run_schedule(asking(started), word, scenario.jiffies, fields=False)
            for word in ("", "", "9999", "")
        ]
    assert [run.end for run in runs] == ["crash", "crash", "bad choice", "crash"]
    assert runs[0] == runs[1] == runs[3]
    assert function in runs[0].violations[0]["where"]
