"""Linux trees that tests of the harness run against, and why they could not run.

IPVS_EST_TREES names them, separated by colons; else they are the folders of .trees, where
.ci/get-trees puts them.
"""

import os
import shutil
from functools import cache
from pathlib import Path

import pytest

from ipvs_est_checks.harness.building.tree import Tree, read_tree

CHECKOUT = Path(__file__).resolve().parents[3]
VARIABLE = "IPVS_EST_TREES"


@cache
def trees() -> tuple[Tree, ...]:
    """All trees that there are."""
    named = os.environ.get(VARIABLE)
    if named is not None:
        paths = [Path(word) for word in named.split(":") if word]
    else:
        paths = sorted((CHECKOUT / ".trees").glob("linux-source-*"))
    return tuple(read_tree(path) for path in paths)


def need_compiler() -> None:
    """Skip the test, with its reason, where there is no C compiler."""
    if shutil.which(os.environ.get("CC") or "cc") is None:
        pytest.skip("no C compiler: the harness was not built")


def need_tree(*series: tuple[int, int]) -> Tree:
    """The first tree of these series, of any if none is named; skip the test without one."""
    need_compiler()
    for tree in trees():
        if not series or tree.version[:2] in series:
            return tree
    wanted = " or ".join(f"{major}.{minor}" for major, minor in series) or "of any version"
    pytest.skip(f"no Linux tree {wanted}: {VARIABLE} names none, and .ci/get-trees got none")
