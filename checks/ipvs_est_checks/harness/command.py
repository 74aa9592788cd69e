"""A tree as the name of a subject: the command that answers for it."""

import shlex
import sys
from pathlib import Path

from ipvs_est_checks.harness.building.tree import read_tree

BUILD_SECONDS = 300.0
"""How long an answer may take: that to a configuration waits for the build of its machine."""


def harness_command(tree: Path) -> str:
    """The command. Raises BadInputError if the tree is refused, before anything is started."""
    read_tree(tree)
    words = [sys.executable, "-m", "ipvs_est_checks.command", "harness", str(tree)]
    return shlex.join(words)
