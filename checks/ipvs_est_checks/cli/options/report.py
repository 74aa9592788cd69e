"""Options that name a report's file: tried before the work, written after it, one line an error."""

import os
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, nullcontext, redirect_stdout
from pathlib import Path
from typing import TypeVar

import click

from ipvs_est_checks.report.report_file import check_report_file, write_report_file
from ipvs_est_checks.terminal.bad_input import BadInputError
from ipvs_est_checks.terminal.printable import printable

F = TypeVar("F", bound=Callable[..., object])

STDOUT = "-"
"""Standard output as a report's file; what the command says then goes to standard error."""
_TO_STDOUT = ("--json", "--junit")
_REST = "to FILE; -: to standard output, and all else to standard error."


def json_option() -> Callable[[F], F]:
    """`--json FILE`, as `json_file`."""
    return click.option("--json", "json_file", metavar="FILE", help=f"Report as JSON {_REST}")


def junit_option() -> Callable[[F], F]:
    """`--junit FILE`, as `junit_file`."""
    return click.option(
        "--junit", "junit_file", metavar="FILE", help=f"Report as JUnit XML {_REST}"
    )


@contextmanager
def reports_at_end(*reports: tuple[str, str | None, Callable[[], str]]) -> Iterator[None]:
    """Write these reports when the work is over: option, file (None = not asked for), text.

    Also when a signal ends the work, or nobody reads the output any more: then the text is about
    what was found so far. Raises BadInputError.
    """
    wanted = [(option, file, text) for option, file, text in reports if file is not None]
    # Files first: standard output may be what is broken.
    wanted.sort(key=lambda triple: triple[1] == STDOUT)
    with_output = any(file == STDOUT for _, file, _ in wanted)
    try:
        with redirect_stdout(sys.stderr) if with_output else nullcontext():
            yield
    except (OSError, KeyboardInterrupt, click.exceptions.Exit):
        _write(wanted)
        raise
    _write(wanted)


def check_targets(targets: Mapping[str, str | None]) -> None:
    """Find out now, not after the work, that a report cannot be written.

    By option: the file, None = not asked for. Raises BadInputError.
    """
    seen: dict[str, str] = {}
    for option, file in targets.items():
        if file is None:
            continue
        if not file:
            raise BadInputError(f"{option}: names no file")
        if file == STDOUT and option not in _TO_STDOUT:
            raise BadInputError(f"{option}: goes to a file only")
        name = file if file == STDOUT else os.path.realpath(file)
        other = seen.setdefault(name, option)
        if other != option:
            raise BadInputError(f"{other} and {option} name the same file")
        if file != STDOUT:
            _one_line(option, file, check_report_file)


def _write(reports: Sequence[tuple[str, str, Callable[[], str]]]) -> None:
    for option, file, text in reports:
        write_target(option, file, text())


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
