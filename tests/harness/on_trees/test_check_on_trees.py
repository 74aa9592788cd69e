"""`check --tree`: what a tree is known to have is no failure, and hides no other cause."""

from dataclasses import replace

import pytest

from ipvs_est import MAINLINE, REVISIONS, Revision
from ipvs_est_checks.engines.tree.asked import judged_trees
from ipvs_est_checks.engines.tree.by_hand import engine_by_hand
from ipvs_est_checks.engines.tree.findings import engine_findings_on_tree
from ipvs_est_checks.engines.tree.names import TREE
from ipvs_est_checks.engines.tree.schedules import Search, searched
from ipvs_est_checks.harness.building.tree import Tree
from ipvs_est_checks.harness.edits.code_edit import edited
from ipvs_est_checks.harness.edits.mutants import MUTANTS
from ipvs_est_checks.report.rows import Request, Row
from ipvs_est_checks.report.verdict import Verdict
from kernels.kernel_trees import need_tree

REQUEST = Request((), "quick", None, 1, 1, None, subjects=(TREE,))


def by_hand(tree: Tree, revision: Revision) -> dict[str, Row]:
    engine = engine_by_hand(judged_trees(tree, revision))
    return {row.id: row for row in engine(REQUEST)}


@pytest.mark.parametrize(("series", "name"), [((7, 3), "mainline"), ((6, 12), "stable")])
def test_a_tree_as_released_has_known_findings_alone(series: tuple[int, int], name: str) -> None:
    rows = by_hand(need_tree(series), REVISIONS[name])
    assert [row.id for row in rows.values() if row.verdict is Verdict.FAIL] == []
    assert rows["bitmaps.full"].verdict is Verdict.FINDING
    assert rows["bitmaps.full"].findings == ("F02",)


def test_a_finding_hides_no_second_cause_of_its_property() -> None:
    (mutant,) = (mutant for mutant in MUTANTS if mutant.id == "full-never-cleared")
    lines: list[str] = []
    tree = edited(need_tree((7, 3)), mutant.id, mutant.edits)
    engine = engine_by_hand(judged_trees(tree, MAINLINE))
    rows = {row.id: row for row in engine(replace(REQUEST, on_failure=lines.append))}
    row = rows["bitmaps.full"]
    assert row.verdict is Verdict.FAIL
    assert any(line.startswith("bitmaps.full: ") for line in lines)
    (problem,) = row.problems
    assert len(problem.operations) < 12
    assert len(problem.words) == len(problem.operations)


def test_a_finding_that_the_nearest_revision_has_not_is_a_failure() -> None:
    tree = need_tree((6, 12))
    request = replace(REQUEST, properties=frozenset({"limits.threads"}))
    verdicts = {
        name: {row.id: row.verdict for row in engine_findings_on_tree(tree, revision)(request)}
        for name, revision in (("stable", REVISIONS["stable"]), ("mainline", MAINLINE))
    }
    assert verdicts["stable"]["F26"] is Verdict.FINDING
    assert verdicts["mainline"]["F26"] is Verdict.FAIL


def test_readers_of_a_netns_that_goes_are_waited_for() -> None:
    task = Search(need_tree(), MAINLINE, "exit-under-packets", fields=True, preemptions=1, most=200)
    found = searched(task)
    assert [failure.failure.cause for failure in found.failures] == []
    assert found.schedules == 200
