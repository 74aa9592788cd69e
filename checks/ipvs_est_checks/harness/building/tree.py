"""A Linux tree as the harness sees it, and why one is refused."""

import re
from dataclasses import dataclass, replace
from pathlib import Path

from ipvs_est_checks.terminal.bad_input import BadInputError

ESTIMATOR = "net/netfilter/ipvs/ip_vs_est.c"
CONTROL = "net/netfilter/ipvs/ip_vs_ctl.c"
CORE = "net/netfilter/ipvs/ip_vs_core.c"
HEADER = "include/net/ip_vs.h"
FILES = {name.rpartition("/")[2]: name for name in (ESTIMATOR, CONTROL, CORE, HEADER)}
"""Those that edits may change, by their last name."""
_FIRST = "IPVS_EST_NTICKS"
"""Came with the kthread estimator, in Linux 6.2."""


@dataclass(frozen=True, slots=True)
class Tree:
    """A tree that has the kthread estimator."""

    path: Path
    """Absolute, symbolic links resolved."""
    version: tuple[int, int, int]
    header: str
    """Text of `HEADER`."""
    control: str
    """Text of `CONTROL`."""
    edited: tuple[tuple[str, str], ...] = ()
    """Files that are compiled with another text than they have, and that text."""


def text_of(tree: Tree, name: str) -> str:
    """What a file of the tree holds. Raises BadInputError."""
    return dict(tree.edited).get(name) or _text(tree.path, name)


def with_texts(tree: Tree, texts: dict[str, str]) -> Tree:
    """The tree with other texts in these files; nothing is written."""
    return replace(tree, edited=tuple(sorted(texts.items())))


def version_text(tree: Tree) -> str:
    """Such as 7.3.4."""
    return ".".join(map(str, tree.version))


def read_tree(path: Path) -> Tree:
    """Read what decides how the tree is built. Raises BadInputError."""
    if not path.is_dir():
        raise BadInputError(f"{path}: no such directory")
    version = _version(path)
    header, control = _text(path, HEADER), _text(path, CONTROL)
    if _FIRST not in header:
        number = ".".join(map(str, version))
        raise BadInputError(
            f"{path}: Linux {number} has no kthread estimator, which came with 6.2:"
            f" {HEADER} has no {_FIRST}"
        )
    _text(path, ESTIMATOR)
    return Tree(path.resolve(), version, header, control)


def _version(path: Path) -> tuple[int, int, int]:
    try:
        makefile = (path / "Makefile").read_text(encoding="utf-8", errors="replace")
    except OSError:
        raise BadInputError(f"{path}: not a kernel tree: no Makefile") from None
    found = dict(re.findall(r"^(VERSION|PATCHLEVEL|SUBLEVEL)\s*=\s*(\d+)\s*$", makefile, re.M))
    try:
        return int(found["VERSION"]), int(found["PATCHLEVEL"]), int(found["SUBLEVEL"])
    except KeyError as error:
        name = error.args[0]
        raise BadInputError(f"{path}: not a kernel tree: its Makefile sets no {name}") from None


def _text(path: Path, name: str) -> str:
    try:
        return (path / name).read_text(encoding="utf-8", errors="surrogateescape")
    except OSError:
        raise BadInputError(f"{path}: not a whole kernel tree: no {name}") from None
