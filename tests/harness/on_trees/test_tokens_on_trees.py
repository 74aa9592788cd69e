"""Tokens of the model, followed on the code of a tree, and schedules of the code on the model."""

import re

import pytest

from command_line import here
from ipvs_est.language.revision import MAINLINE, STABLE
from ipvs_est_checks.explore.failures.token import token_from_text, token_text
from ipvs_est_checks.explore.scenarios.scenario import load
from ipvs_est_checks.harness.building.build import build
from ipvs_est_checks.harness.building.options import Variant, options_for
from ipvs_est_checks.harness.process import asking, running
from ipvs_est_checks.harness.steps.on_model import OnModel, schedule_on_model
from ipvs_est_checks.harness.steps.session import revision_of
from ipvs_est_checks.harness.steps.token import OnCode, token_on_code
from ipvs_est_checks.subjects.schedules import Fields, ScheduleOutcome, prepare, run_schedule
from kernels.kernel_trees import need_tree


def followed(series: tuple[int, int], name: str, *choices: int) -> OnCode:
    scenario = load(name)
    revision = STABLE if series < (7, 0) else MAINLINE
    token = token_from_text(token_text(scenario, revision, choices))
    return token_on_code(need_tree(series), scenario, token)


def test_the_schedule_of_f17_is_a_deadlock_of_both() -> None:
    found = followed((6, 12), "last-estimator-goes", -1, 2, 2, 0, 0, 0, 0)
    assert found.lines == (
        "the code goes the token's way: 8 common points, equal",
        "both fail: deadlock",
    )
    assert found.fails


def test_a_token_that_switches_where_the_code_does_not_stop_says_where() -> None:
    scenario = load("packets-around-enable")
    packets = [actor.name for actor in scenario.actors].index("PACKETS")
    other = 1 - packets
    found = followed((7, 3), "packets-around-enable", packets, other)
    assert found.lines == (
        "the two part at step 2 of the token: PACKETS is before Lock as CTL goes on;"
        " the code does not stop there",
    )
    assert found.fails


def of_code(
    series: tuple[int, int], name: str, word: str, *, fields: Fields
) -> tuple[ScheduleOutcome, OnModel]:
    scenario, tree = load(name), need_tree(series)
    program = build(tree, options_for(scenario.params, Variant.POINTS))
    with running(program) as started:
        prepare(asking(started), scenario)
        run = run_schedule(asking(started), word, scenario.jiffies, fields=fields)
    return run, schedule_on_model(tree, scenario, revision_of(tree), run, fields)


def test_the_deadlock_of_f17_on_the_code_is_one_of_the_model() -> None:
    run, found = of_code((6, 12), "last-estimator-goes", "4x3.0.3x6.4x2", fields=False)
    assert run.end == "deadlock"
    same, fails, token = found.lines
    assert same.startswith("the model goes the same way: ")
    assert fails == "both fail: deadlock"
    assert token == f"as a token of the model: {found.token}"
    # The model's token goes the same way on the code again.
    again = token_on_code(
        need_tree((6, 12)), load("last-estimator-goes"), token_from_text(found.token)
    )
    assert again.lines[1:] == ("both fail: deadlock",)


@pytest.mark.parametrize("fields", [False, True])
def test_the_model_goes_the_codes_way_from_whichever_points(fields: bool) -> None:
    run, found = of_code((7, 3), "two-sysctl-writers", "4x3.5", fields=fields)
    assert run.end == "done"
    assert found.lines[0].startswith("the model goes the same way: ")
    assert found.token


def test_a_schedule_that_the_model_cannot_follow_says_at_which_step() -> None:
    run, found = of_code((6, 12), "exit-in-first-drain", "4x3.0.3x3.4x6.3.4x3", fields=False)
    assert run.end == "done"
    assert found.token == ""
    text, common = found.lines
    assert re.fullmatch(
        r"the two part at step \d+ of the code's schedule: \S+ goes on from '.*',"
        r" and in the model it waits",
        text,
    )
    assert common.endswith(" common points before, equal")


def test_replay_on_a_tree_tells_the_models_way_too(capsys: pytest.CaptureFixture[str]) -> None:
    tree = need_tree((6, 12))
    words = ("--tree", tree.path, "last-estimator-goes", "--replay", "locks:4x3.0.3x6.4x2")
    shown = here(capsys, "explore", *words)
    assert shown.code == 1
    assert "\non the model, stable:\n  the model goes the same way: " in shown.out
    assert "\n  both fail: deadlock\n  as a token of the model: e3:" in shown.out
