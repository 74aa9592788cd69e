"""All engines of a tree, what takes seconds first."""

from collections.abc import Iterator

from ipvs_est import Revision
from ipvs_est_checks.engines.tree.asked import judged_trees
from ipvs_est_checks.engines.tree.by_hand import HOW as BY_HAND
from ipvs_est_checks.engines.tree.by_hand import engine_by_hand
from ipvs_est_checks.engines.tree.findings import HOW as FINDINGS
from ipvs_est_checks.engines.tree.findings import engine_findings_on_tree
from ipvs_est_checks.engines.tree.names import TREE
from ipvs_est_checks.engines.tree.recorded import HOW as RECORDED
from ipvs_est_checks.engines.tree.recorded import engine_recorded
from ipvs_est_checks.engines.tree.sampled import HOW as SAMPLED
from ipvs_est_checks.engines.tree.sampled import engine_sampled
from ipvs_est_checks.engines.tree.schedules import HOW as SCHEDULES
from ipvs_est_checks.engines.tree.schedules import engine_schedules
from ipvs_est_checks.harness.building.tree import Tree
from ipvs_est_checks.report.rows import Engine, Request, Row
from ipvs_est_checks.report.verdict import Verdict
from ipvs_est_checks.workers import LostWorkError


def engines_of_tree(tree: Tree, revision: Revision) -> tuple[Engine, ...]:
    """In the order in which they run. `revision`: the nearest one."""
    trees = judged_trees(tree, revision)
    return (
        _or_lost(engine_by_hand(trees), BY_HAND),
        _or_lost(engine_findings_on_tree(tree, revision), FINDINGS),
        _or_lost(engine_sampled(trees), SAMPLED),
        _or_lost(engine_schedules(tree, revision), SCHEDULES),
        _or_lost(engine_recorded(tree, revision), RECORDED),
    )


def _or_lost(engine: Engine, how: str) -> Engine:
    """The engine; where a process of it has died, an incomplete row instead of the rest."""

    def rows(request: Request) -> Iterator[Row]:
        try:
            yield from engine(request)
        except LostWorkError as error:
            sentence = "All work is done to its end."
            verdict = Verdict.INCOMPLETE
            yield Row("tree.lost", sentence, TREE, verdict, how, 0, 0.0, remark=str(error))

    return rows
