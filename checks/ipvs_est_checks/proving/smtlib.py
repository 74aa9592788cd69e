"""Writing theorems as SMT-LIB files, one for each obligation and each twin."""

import re
from collections.abc import Iterator, Sequence
from pathlib import Path

from ipvs_est_checks.report.report_file import write_report_file
from ipvs_est_spec.proof.framework.smtlib import smtlib_text
from ipvs_est_spec.proof.framework.theorem import Theorem


def scripts(theorem: Theorem) -> Iterator[tuple[str, str]]:
    """Name of a file and its text; a script's `:status` is the answer that a solver must give."""
    for number, obligation in enumerate(theorem.obligations(), 1):
        expected = "sat" if theorem.refuted_by else "unsat"
        yield (
            _file_name(theorem.id, str(number), obligation.name),
            smtlib_text(obligation, expected),
        )
    twin = theorem.twin.obligation()
    name = _file_name(theorem.id, "twin", "")
    yield name, smtlib_text(twin, "sat")


def write_scripts(directory: Path, theorems: Sequence[Theorem]) -> int:
    """Write all scripts into the directory, which is made if need be; their number.

    Raises OSError.
    """
    directory.mkdir(parents=True, exist_ok=True)
    count = 0
    for theorem in theorems:
        for name, text in scripts(theorem):
            write_report_file(directory / name, text)
            count += 1
    return count


def _file_name(*parts: str) -> str:
    return ".".join(re.sub(r"[^\w.-]+", "-", part) for part in parts if part) + ".smt2"
