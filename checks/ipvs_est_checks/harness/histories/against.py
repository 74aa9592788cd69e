"""What a patch changes: the same histories on two trees, told apart by the properties broken."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from ipvs_est import MAINLINE, Params, Revision
from ipvs_est.language.operations import OPERATIONS, Operation
from ipvs_est.oracle import Oracle
from ipvs_est_checks.generate.histories import Wish, make_histories
from ipvs_est_checks.harness.building.options import Variant
from ipvs_est_checks.harness.building.tree import Tree
from ipvs_est_checks.harness.front import NOT_TAKEN
from ipvs_est_checks.harness.histories.answers import answers_of_tree
from ipvs_est_checks.harness.histories.directed import HISTORIES, MACHINE
from ipvs_est_checks.harness.histories.judge import oracles
from ipvs_est_checks.harness.histories.nearest import FirstDifference, Histories, partings_of
from ipvs_est_checks.machines.netns.history import failures_of
from ipvs_est_checks.machines.shorten import shorten
from ipvs_est_checks.machines.system import SystemUnderTest

_RULES = 12
_ATTEMPTS = 60
OnHistory = Callable[[str], None]
"""Told which history is judged."""


@dataclass(frozen=True, slots=True)
class BrokenOnTree:
    """A property that a tree breaks."""

    property: str
    detail: str
    history: str
    """The first in which it did."""
    operations: tuple[Operation, ...]


@dataclass(frozen=True, slots=True)
class PatchChange:
    """The tree beside its base."""

    new: tuple[BrokenOnTree, ...]
    """Broken by the tree and not by the base, with short histories."""
    mended: tuple[BrokenOnTree, ...]
    """Broken by the base alone."""
    both: tuple[str, ...]
    """Properties that both break."""
    partings: tuple[FirstDifference, ...]
    """Histories that the two answer differently; the base's answers are the first's."""


def histories_of(seed: int, count: int) -> dict[str, tuple[Operation, ...]]:
    """Those by hand and as many random ones; equal seeds give equal histories."""
    taken = frozenset(operation.op for operation in OPERATIONS) - NOT_TAKEN
    system = SystemUnderTest(Oracle, operations=taken)
    wish = Wish(MAINLINE, seed, count, _RULES, params=MACHINE, system=system)
    made = make_histories(wish)
    return HISTORIES | {f"random-{at}": one_made.operations for at, one_made in enumerate(made)}


def broken_by(
    tree: Tree,
    params: Params,
    revision: Revision,
    histories: Histories,
    properties: frozenset[str] | None = None,
    on_history: OnHistory | None = None,
) -> dict[str, BrokenOnTree]:
    """By property, what the tree breaks; `properties`: None = all."""
    found: dict[str, BrokenOnTree] = {}
    with oracles(tree) as new_oracle:
        for name, operations in histories.items():
            if on_history is not None:
                on_history(name)
            broken = failures_of(params, revision, operations, new_oracle, properties)
            for id_, detail in broken.items():
                found.setdefault(id_, BrokenOnTree(id_, detail, name, operations))
    return found


def shortened(tree: Tree, params: Params, revision: Revision, broken: BrokenOnTree) -> BrokenOnTree:
    """The same with a shorter history, found on the tree's code."""
    with oracles(tree, Variant.PLAIN) as new_oracle:
        shorter = shorten(
            params, revision, broken.operations, broken.property, _ATTEMPTS, new_oracle
        )
    if not shorter.sentence:
        return broken
    return BrokenOnTree(broken.property, shorter.sentence, broken.history, shorter.operations)


def change_of(
    tree: Tree,
    base: Tree,
    revision: Revision,
    histories: Histories,
    properties: frozenset[str] | None = None,
    on_history: OnHistory | None = None,
) -> PatchChange:
    """What the tree does otherwise than its base, on `MACHINE`.

    The model beside both is of that revision.
    """
    before = broken_by(base, MACHINE, revision, histories, properties, on_history)
    after = broken_by(tree, MACHINE, revision, histories, properties, on_history)
    new = [
        shortened(tree, MACHINE, revision, broken_on_tree)
        for broken_on_tree in _without(after, before)
    ]
    answers = [
        {
            name: answers_of_tree(one_tree, MACHINE, operations)
            for name, operations in histories.items()
        }
        for one_tree in (base, tree)
    ]
    return PatchChange(
        tuple(new),
        tuple(_without(before, after)),
        tuple(id_ for id_ in after if id_ in before),
        partings_of(histories, answers[0], answers[1]),
    )


def _without(
    some: Mapping[str, BrokenOnTree], others: Mapping[str, BrokenOnTree]
) -> list[BrokenOnTree]:
    return [broken_on_tree for id_, broken_on_tree in some.items() if id_ not in others]
