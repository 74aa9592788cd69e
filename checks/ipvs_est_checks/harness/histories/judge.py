"""Which properties a tree's code breaks in one history."""

import shlex
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path

from ipvs_est import Params, Revision
from ipvs_est.language.operations import Operation
from ipvs_est_checks.harness.building.build import OnUnit, build
from ipvs_est_checks.harness.building.options import Variant, options_for
from ipvs_est_checks.harness.building.tree import Tree
from ipvs_est_checks.history.monitor import NewOracle
from ipvs_est_checks.machines.netns.history import failures_of
from ipvs_est_checks.subjects.keeper import Keeper, running, stop
from ipvs_est_checks.subjects.subject import SECONDS, SubjectRun, begin


def broken_on_tree(
    tree: Tree,
    params: Params,
    revision: Revision,
    operations: Iterable[Operation],
    variant: Variant = Variant.PLAIN,
    properties: frozenset[str] | None = None,
) -> dict[str, str]:
    """By property, what fails; the model that is beside it is of that revision."""
    with oracles(tree, variant) as new_oracle:
        return failures_of(params, revision, operations, new_oracle, properties)


@contextmanager
def oracles(
    tree: Tree, variant: Variant = Variant.PLAIN, on_unit: OnUnit | None = None
) -> Iterator[NewOracle]:
    """What makes machines of the tree's code, each with its program; used as `Oracle` is."""
    keepers: dict[Path, Keeper] = {}

    def new_oracle(params: Params, revision: Revision) -> SubjectRun:
        program = build(tree, options_for(params, variant), on_unit)
        keeper = keepers.setdefault(program, Keeper(shlex.quote(str(program)), SECONDS))
        return begin(running(keeper), params, revision)

    try:
        yield new_oracle
    finally:
        for one_keeper in keepers.values():
            stop(one_keeper)
