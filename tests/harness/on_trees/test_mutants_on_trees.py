"""Mistakes planted into a tree's C: each is found by what one would expect."""

import pytest

from ipvs_est_checks.harness.edits.code_edit import CodeEdit, edited
from ipvs_est_checks.harness.edits.mutants import MUTANTS, TreeMutant, found
from ipvs_est_checks.terminal.bad_input import BadInputError
from kernels.kernel_trees import need_tree


@pytest.mark.parametrize("mutant", MUTANTS, ids=[mutant.id for mutant in MUTANTS])
def test_a_planted_mistake_is_found(mutant: TreeMutant) -> None:
    assert found(need_tree((7, 3)), mutant)


def test_an_edit_that_does_not_fit_a_tree_is_refused_with_its_name_and_place() -> None:
    tree = need_tree()
    wrong = CodeEdit("ip_vs_est.c", "ip_vs_zero_estimator", "no_such_thing", "")
    with pytest.raises(BadInputError, match=r"edit x does not fit .*ip_vs_zero_estimator: `no_su"):
        edited(tree, "x", [wrong])
