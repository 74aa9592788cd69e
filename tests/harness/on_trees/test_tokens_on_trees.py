"""Tokens of schedules of the model, followed on the code of a tree."""

from ipvs_est.language.revision import MAINLINE, STABLE
from ipvs_est_checks.explore.failures.token import token_from_text, token_text
from ipvs_est_checks.explore.scenarios.scenario import load
from ipvs_est_checks.harness.steps.token import OnCode, token_on_code
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
    packets = [each.name for each in scenario.actors].index("PACKETS")
    other = 1 - packets
    found = followed((7, 3), "packets-around-enable", packets, other)
    assert found.lines == (
        "the two part at step 2 of the token: PACKETS is before Lock as CTL goes on;"
        " the code does not stop there",
    )
    assert found.fails
