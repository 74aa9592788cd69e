"""Engine: the histories by hand on a tree's code, under all properties."""

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from functools import partial
from time import perf_counter

from ipvs_est_checks.engines.tree.asked import (
    JudgedTree,
    TreeFailure,
    build_all,
    property_rows,
    told_once,
)
from ipvs_est_checks.harness.building.options import Variant
from ipvs_est_checks.harness.histories.directed import HISTORIES, MACHINE
from ipvs_est_checks.harness.histories.judge import oracles
from ipvs_est_checks.machines.netns.known_cause import (
    JudgedFailure,
    judged_history,
    shorten_unexplained,
)
from ipvs_est_checks.report.rows import Engine, Request, Row
from ipvs_est_checks.workers import Pool, results_of

HOW = "histories by hand"
_ATTEMPTS = 150


@dataclass(frozen=True, slots=True)
class ByHand:
    """One history to be judged."""

    judged: JudgedTree
    history: str
    """Its name."""
    properties: frozenset[str] | None = None


def engine_by_hand(trees: tuple[JudgedTree, ...], attempts: int = _ATTEMPTS) -> Engine:
    """A row for each property; each failure that nothing known explains with a short history, for
    which so many are tried."""

    def engine(request: Request) -> Iterator[Row]:
        started = perf_counter()
        build_all(trees, (MACHINE,), Variant.PLAIN, request)
        work = [ByHand(tree, name, request.properties) for tree in trees for name in HISTORIES]
        checks: Counter[str] = Counter()
        failures: list[TreeFailure] = []
        with Pool(min(request.jobs, len(work))) as pool:
            for task, (found, counted) in results_of(pool, judged_by_hand, work, _name):
                request.progress(f"history {task.history}", len(failures), 2 * len(work))
                checks += counted
                for judged_failure in found:
                    failures.append(TreeFailure(MACHINE, judged_failure, task.judged))
            failures = told_once(failures, request)
            new = [failure for failure in failures if not failure.failure.findings]
            known = [failure for failure in failures if failure.failure.findings]
            shorten = partial(shortened, attempts=attempts)
            shorter = [
                tree_failure for _, tree_failure in results_of(pool, shorten, new, _property)
            ]
        seconds = perf_counter() - started
        yield from property_rows(request, HOW, checks, [*shorter, *known], seconds)

    return engine


def judged_by_hand(task: ByHand) -> tuple[list[JudgedFailure], Counter[str]]:
    """What fails in it, with what explains it, and how often each property was judged."""
    judged = task.judged
    with oracles(judged.tree) as new_oracle:
        return judged_history(
            MACHINE, judged.revision, HISTORIES[task.history], new_oracle, task.properties
        )


def shortened(found: TreeFailure, attempts: int) -> TreeFailure:
    """The same with a shorter history, found on the tree's code."""
    if not attempts:
        return found
    judged = found.judged
    with oracles(judged.tree) as new_oracle:
        failure = shorten_unexplained(
            found.params, judged.revision, found.failure, attempts, new_oracle
        )
    return TreeFailure(found.params, failure, judged)


def _name(task: ByHand) -> str:
    return task.history


def _property(found: TreeFailure) -> str:
    return found.failure.property
