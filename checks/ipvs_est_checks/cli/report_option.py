"""Options that name a report's file: tried before the work, written after it, one line an error."""

import os
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TypeVar

import click

from ipvs_est_checks.cli.bad_input import BadInputError
from ipvs_est_checks.cli.printable import printable
from ipvs_est_checks.report.report_file import check_report_file, write_report_file

F = TypeVar("F", bound=Callable[..., object])

STDOUT = "-"
"""Where an option allows it: standard output."""


def json_option(text: str = "Report as JSON.") -> Callable[[F], F]:
    """`--json FILE`, as `json_file`."""
    return click.option("--json", "json_file", metavar="FILE", help=text)


def junit_option() -> Callable[[F], F]:
    """`--junit FILE`, as `junit_file`."""
    return click.option("--junit", "junit_file", metavar="FILE", help="Report as JUnit XML.")


def check_targets(targets: Mapping[str, str | None], *, stdout: frozenset[str]) -> None:
    """Find out now, not after the work, that a report cannot be written.

    By option: the file, None = not asked for; `stdout`: the options for which - is standard
    output. Raises BadInputError.
    """
    seen: dict[str, str] = {}
    for option, file in targets.items():
        if file is None or (file == STDOUT and option in stdout):
            continue
        if file == STDOUT:
            raise BadInputError(f"{option}: goes to a file only")
        if not file:
            raise BadInputError(f"{option}: names no file")
        other = seen.setdefault(os.path.realpath(file), option)
        if other != option:
            raise BadInputError(f"{other} and {option} name the same file")
        _one_line(option, file, lambda path: check_report_file(path))


def write_target(option: str, file: str, text: str) -> None:
    """Write a report, to standard output if `file` is -. Raises BadInputError."""
    if file == STDOUT:
        click.echo(text, nl=False)
    else:
        _one_line(option, file, lambda path: write_report_file(path, text))


def _one_line(option: str, file: str, action: Callable[[Path], None]) -> None:
    try:
        action(Path(file))
    except OSError as error:
        reason = error.strerror or type(error).__name__
        raise BadInputError(f"{option} {printable(file)}: {reason}") from None
