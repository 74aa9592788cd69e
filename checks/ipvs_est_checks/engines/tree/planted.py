"""Mistakes planted into a tree's C: by which of its checks `check --tree` finds each.

The checks are those of its default profile, in their order, until one is broken that the mistake
is expected to break; what was known of the tree before is no failure there.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from ipvs_est import Revision
from ipvs_est_checks.engines.tree.asked import judged_trees
from ipvs_est_checks.engines.tree.by_hand import engine_by_hand
from ipvs_est_checks.engines.tree.names import TREE
from ipvs_est_checks.engines.tree.sampled import engine_sampled
from ipvs_est_checks.engines.tree.schedules import engine_schedules, property_of
from ipvs_est_checks.harness.building.tree import Tree
from ipvs_est_checks.harness.edits.code_edit import edited
from ipvs_est_checks.harness.edits.mutants import TreeMutant
from ipvs_est_checks.report.rows import Engine, Request, Row
from ipvs_est_checks.report.verdict import Verdict
from ipvs_est_checks.terminal.bad_input import BadInputError


@dataclass(frozen=True, slots=True)
class Planted:
    """A mistake to be looked for."""

    tree: Tree
    """Without it."""
    revision: Revision
    """The nearest one."""
    mutant: TreeMutant
    seed: int


@dataclass(frozen=True, slots=True)
class PlantedOutcome:
    """What came of one."""

    mutant: TreeMutant
    expected: str
    """The property."""
    found_by: str
    """The checks that name that property; '' if none does."""
    others: tuple[str, ...]
    """Other properties that were found broken by then."""
    refused: str = ""
    """Why it could not be planted."""


def look_for(planted: Planted) -> PlantedOutcome:
    """Plant it into a copy, and check that until the expected property is broken."""
    mutant = planted.mutant
    expected = property_of(mutant.property) if mutant.scenario else mutant.property
    broken: dict[str, None] = {}
    try:
        changed = edited(planted.tree, mutant.id, mutant.edits)
        for engine in _engines(changed, planted.revision):
            for row in _failing(engine, planted.seed):
                broken |= dict.fromkeys(problem.property for problem in row.problems)
                if expected in broken:
                    others = tuple(name for name in broken if name != expected)
                    return PlantedOutcome(mutant, expected, row.how, others)
    except BadInputError as error:
        return PlantedOutcome(mutant, expected, "", tuple(broken), error.message)
    return PlantedOutcome(mutant, expected, "", tuple(broken))


def _engines(tree: Tree, revision: Revision) -> Iterator[Engine]:
    # Nobody reads the histories, so they need not be short.
    as_it_is, *copy = judged_trees(tree, revision)
    yield engine_by_hand((as_it_is,), attempts=0)
    if copy:
        yield engine_by_hand(tuple(copy), attempts=0)
    yield engine_schedules(tree, revision)
    yield engine_sampled((as_it_is, *copy))


def _failing(engine: Engine, seed: int) -> Iterator[Row]:
    request = Request((), "quick", None, seed, 1, None, subjects=(TREE,))
    for row in engine(request):
        if row.verdict is Verdict.FAIL:
            yield row


def outcome_rows(outcomes: Sequence[PlantedOutcome]) -> Iterator[tuple[str, ...]]:
    """A table, with its headings."""
    yield ("mutant", "property", "found by", "also broken")
    for outcome in outcomes:
        others = ", ".join(outcome.others) or "-"
        yield (
            outcome.mutant.id,
            outcome.expected,
            outcome.found_by or outcome.refused or "NOT FOUND",
            others,
        )
