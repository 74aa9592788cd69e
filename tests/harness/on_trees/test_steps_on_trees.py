"""Model and code step by step: equal as they are, parted by a planted mistake of the model."""

import pytest

from ipvs_est import REVISIONS
from ipvs_est_checks.explore.scenarios.scenario import load
from ipvs_est_checks.harness.steps.compare import Compared
from ipvs_est_checks.harness.steps.session import Session, compare_scenario
from ipvs_est_checks.text_edits import Edit, applied
from kernels.kernel_trees import need_tree

SCENARIOS = ("exit-in-drain", "restart-in-drain", "delete-while-kthreads-read")
PLANTED = {
    "a missing lock": (
        Edit("control.sysctl:set_nice", "    yield machine.lock_est\n", ""),
        "restart-in-drain",
        "lock est_mutex",
    ),
    "a swapped step": (
        Edit(
            "estimator.kthread:estimation_kthread",
            "        if kd.id == 0 and netns.est_temp_list.next is not None:\n"
            "            yield from drain_temp_list(machine, task)\n"
            "        if machine.interleaved:\n"
            "            yield reads_stop_request(task)\n"
            "        if task.should_stop:\n"
            "            return\n",
            "        if machine.interleaved:\n"
            "            yield reads_stop_request(task)\n"
            "        if task.should_stop:\n"
            "            return\n"
            "        if kd.id == 0 and netns.est_temp_list.next is not None:\n"
            "            yield from drain_temp_list(machine, task)\n",
        ),
        "restart-in-drain",
        "the model stands at",
    ),
    "a wrong value": (
        Edit("control.sysctl:set_nice", "netns.est_nice = value", "netns.est_nice = value + 1"),
        "restart-in-drain",
        "sysctls.nice is 2 in the model, 1 in the code",
    ),
}


def compared(series: tuple[int, int], name: str, schedules: int) -> tuple[list[str], Compared]:
    revision = REVISIONS["mainline" if series >= (7, 3) else "stable"]
    done = Compared()
    session = Session(need_tree(series), revision, 1, schedules, None)
    return compare_scenario(session, load(name), done, lambda: None), done


@pytest.mark.parametrize("series", [(7, 3), (6, 12)])
@pytest.mark.parametrize("name", SCENARIOS)
def test_the_code_goes_the_models_way_under_random_schedules(
    series: tuple[int, int], name: str
) -> None:
    lines, done = compared(series, name, 16)
    assert lines == []
    assert done.schedules == 16
    assert done.points > 16 * 10
    assert done.snapshots >= 16


@pytest.mark.parametrize("planted", PLANTED)
def test_a_planted_mistake_of_the_model_is_found_and_told(planted: str) -> None:
    edit, name, told = PLANTED[planted]
    with applied([edit]):
        lines, _ = compared((7, 3), name, 64)
    assert lines, "no schedule has shown it"
    assert told in lines[0]
    # The way there: each step with the place in the user's source.
    assert any("net/netfilter/ipvs/ip_vs_" in each for each in lines)
