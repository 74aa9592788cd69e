"""Recorded findings on the code of real trees: those that it has show, the others do not."""

import pytest

from ipvs_est_checks.harness.findings import FindingOnTree, Shown, tell_findings
from kernels.kernel_trees import need_tree

ON_7_3 = {
    "F01": Shown.SHOWS,
    "F02": Shown.SHOWS,
    "F04": Shown.NOT,
    "F05": Shown.SHOWS,
    "F06": Shown.SHOWS,
    "F11": Shown.SHOWS,
    "F17": Shown.NOT,
    "F18": Shown.NOT,
    "F20": Shown.SHOWS,
    "F21": Shown.SHOWS,
    "F28": Shown.SHOWS,
}
ON_6_12 = {
    "F04": Shown.SHOWS,
    "F05": Shown.SHOWS,
    "F08": Shown.SHOWS,
    "F17": Shown.SHOWS,
    "F18": Shown.SHOWS,
    "F20": Shown.SHOWS,
    "F22": Shown.NOT,
    "F23": Shown.SHOWS,
    "F27": Shown.SHOWS,
    "F28": Shown.SHOWS,
}


def findings_shown(series: tuple[int, int], ids: frozenset[str]) -> dict[str, FindingOnTree]:
    return {finding.id: finding for finding in tell_findings(need_tree(series), ids)}


@pytest.mark.parametrize(
    ("series", "expected"), [((7, 3), ON_7_3), ((6, 12), ON_6_12)], ids=["7.3", "6.12"]
)
def test_a_tree_shows_the_findings_that_its_revision_has(
    series: tuple[int, int], expected: dict[str, Shown]
) -> None:
    found = findings_shown(series, frozenset(expected))
    assert {id_: finding_on_tree.shown for id_, finding_on_tree in found.items()} == expected
    for finding_on_tree in found.values():
        assert finding_on_tree.observation
        assert "\n" not in finding_on_tree.observation


def test_f01_is_a_report_of_the_sanitiser_with_its_place_in_the_source() -> None:
    observation = findings_shown((7, 3), frozenset({"F01"}))["F01"].observation
    assert observation.startswith("sanitiser: heap-buffer-overflow in ip_vs_enqueue_estimator")
    assert "net/netfilter/ipvs/ip_vs_est.c:" in observation


def test_f04_is_a_use_of_the_freed_context() -> None:
    observation = findings_shown((6, 12), frozenset({"F04"}))["F04"].observation
    assert observation.startswith("use-after-free: ip_vs_est_kt_data.est_row")


def test_f18_is_a_state_at_a_point_of_a_schedule_and_says_how_to_see_it_again() -> None:
    observation = findings_shown((6, 12), frozenset({"F18"}))["F18"].observation
    assert observation.startswith("limits.max-threads does not hold: While enable is set")
    assert (
        "limit-shrinks-in-drain --property limits.max-threads --replay est_max_thr" in observation
    )


def test_f20_says_that_no_kernel_has_its_geometry() -> None:
    observation = findings_shown((7, 3), frozenset({"F20"}))["F20"].observation
    assert observation.endswith("(in a geometry that no kernel has)")


def test_f28_is_told_of_each_of_the_two_sysctls() -> None:
    observation = findings_shown((7, 3), frozenset({"F28"}))["F28"].observation
    nice, run_estimation = observation.split("; ")
    assert nice.startswith("nice: limits.sysctl-kept does not hold: number written last 0, value 1")
    assert run_estimation.startswith("run_estimation: limits.sysctl-kept does not hold:")


def test_f19_is_a_write_through_the_poisoned_node() -> None:
    observation = findings_shown((6, 12), frozenset({"F19"}))["F19"].observation
    assert observation.startswith("invalid-pointer: Segmentation fault at address")
    assert " in ip_vs_est_drain_temp_list (net/netfilter/ipvs/ip_vs_est.c:" in observation
