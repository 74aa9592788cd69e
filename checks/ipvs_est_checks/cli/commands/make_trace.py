"""`ipvs-est make-trace`."""

import json
import sys
from pathlib import Path

import click

from ipvs_est.answers.trace import TraceError, lines_of, read_lines
from ipvs_est_checks.cli.options.named_path import NamedPath
from ipvs_est_checks.report.report_file import write_report_file
from ipvs_est_checks.terminal.bad_input import BadInputError


@click.command("make-trace")
@click.argument("history", metavar="FILE", type=NamedPath())
@click.option(
    "--tree",
    metavar="TREE",
    type=NamedPath(),
    required=True,
    help="The Linux tree whose code answers.",
)
@click.option(
    "-o",
    "--output",
    metavar="FILE",
    type=NamedPath(),
    help="The trace.  [default: standard output]",
)
def make_trace(history: Path, tree: Path, output: Path | None) -> None:
    """Record what a tree's code answers to a history, as a trace.

    FILE is a header and operations, one a line, such as `generate histories` makes; - is standard
    input. Answers that it has already are left out. The trace is of the tree's version, and ends
    where nothing defined follows.
    """
    # Imported here: only who has a tree needs it.
    from ipvs_est_checks.harness.building.tree import read_tree
    from ipvs_est_checks.harness.histories.recording import recorded

    try:
        if str(history) == "-":
            lines = lines_of("-", sys.stdin.buffer.read())
        else:
            lines = read_lines(history)
    except TraceError as error:
        raise BadInputError(str(error)) from None
    made = recorded(read_tree(tree), str(history), lines)
    text = "".join(f"{json.dumps(entry, separators=(',', ':'))}\n" for entry in made)
    if output is None:
        click.echo(text, nl=False)
    else:
        try:
            write_report_file(output, text)
        except OSError as error:
            raise BadInputError(f"--output: {output}: {error.strerror}") from None
