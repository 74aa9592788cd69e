"""Repairs of recorded findings as edits of a tree's C: the findings are gone, nothing else is."""

from ipvs_est import REPAIRED
from ipvs_est_checks.harness.edits.code_edit import edited
from ipvs_est_checks.harness.edits.repairs import NONE, REPAIRS, repaired, tell_repaired
from ipvs_est_checks.harness.findings import Shown
from ipvs_est_checks.harness.histories.directed import HISTORIES, MACHINE
from ipvs_est_checks.harness.histories.judge import oracles
from ipvs_est_checks.known.registry import ALL
from ipvs_est_checks.machines.netns.history import failures_of
from kernels.kernel_trees import need_tree

GONE = ("F01", "F02", "F03", "F05", "F11", "F12", "F13", "F15", "F21", "F22", "F25")


def test_every_finding_of_the_last_kernel_has_a_repair_or_says_why_not() -> None:
    for finding in ALL:
        if "mainline" in finding.revisions:
            fits = all(repair in REPAIRS for repair in finding.repairs)
            assert fits or finding.id in NONE, finding.id


def test_each_finding_of_7_3_is_gone_with_its_repair() -> None:
    tree = need_tree((7, 3))
    answer = {
        finding_on_tree.id: finding_on_tree.shown
        for finding_on_tree in tell_repaired(tree, frozenset(GONE))
    }
    assert answer == dict.fromkeys(GONE, Shown.NOT)


def test_with_all_repairs_the_code_keeps_the_properties_where_the_repaired_model_does() -> None:
    tree = repaired(need_tree((7, 3)))
    with oracles(tree) as new_oracle:
        for name in ("limits-come-anew", "threads-are-limited", "memory-runs-out"):
            assert failures_of(MACHINE, REPAIRED, HISTORIES[name], new_oracle) == {}, name


def test_every_repair_fits_7_3_alone() -> None:
    tree = need_tree((7, 3))
    for field, edits in REPAIRS.items():
        assert edited(tree, field, edits).edited
