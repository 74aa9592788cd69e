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
    "F21": Shown.SHOWS,
}
ON_6_12 = {
    "F04": Shown.SHOWS,
    "F05": Shown.SHOWS,
    "F08": Shown.SHOWS,
    "F17": Shown.SHOWS,
    "F22": Shown.NOT,
    "F23": Shown.SHOWS,
}


def told(series: tuple[int, int], ids: frozenset[str]) -> dict[str, FindingOnTree]:
    return {each.id: each for each in tell_findings(need_tree(series), ids)}


@pytest.mark.parametrize(
    ("series", "expected"), [((7, 3), ON_7_3), ((6, 12), ON_6_12)], ids=["7.3", "6.12"]
)
def test_a_tree_shows_the_findings_that_its_revision_has(
    series: tuple[int, int], expected: dict[str, Shown]
) -> None:
    found = told(series, frozenset(expected))
    assert {id_: each.shown for id_, each in found.items()} == expected
    for each in found.values():
        assert each.observation
        assert "\n" not in each.observation


def test_f01_is_a_report_of_the_sanitiser_with_its_place_in_the_source() -> None:
    observation = told((7, 3), frozenset({"F01"}))["F01"].observation
    assert observation.startswith("sanitiser: heap-buffer-overflow in ip_vs_enqueue_estimator")
    assert "net/netfilter/ipvs/ip_vs_est.c:" in observation


def test_f04_is_a_use_of_the_freed_context() -> None:
    observation = told((6, 12), frozenset({"F04"}))["F04"].observation
    assert observation.startswith("use-after-free: ip_vs_est_kt_data.est_row")
