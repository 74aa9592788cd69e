"""`ipvs-est mutants`."""

import sys
from collections.abc import Sequence

import click

from ipvs_est_checks.cli import exit_codes
from ipvs_est_checks.cli.progress import draw, is_terminal, progress_bar
from ipvs_est_checks.cli.report_option import STDOUT, check_targets, json_option, write_target
from ipvs_est_checks.conformance.pool import usable_cpus
from ipvs_est_checks.mutants.all import BY_ID, MUTANTS
from ipvs_est_checks.mutants.kill_matrix import SEED, Matrix, Outcome, outcomes, run_control
from ipvs_est_checks.mutants.report import HEADINGS, exit_code, json_report, notes, row
from ipvs_est_checks.report.columns import aligned

_COLOURS = {"KILLED": "green", "FAIL": "red", "OUT OF REACH": "yellow"}


@click.command("mutants")
@click.argument("ids", metavar="[ID ...]", nargs=-1)
@click.option(
    "--seed",
    metavar="N",
    type=click.IntRange(min=0),
    default=SEED,
    show_default=True,
    help="Of the random histories.",
)
@json_option("Report as JSON; - for standard output, instead of the table.")
@click.option(
    "-j",
    "--jobs",
    metavar="N",
    type=click.IntRange(min=0),
    default=1,
    show_default=True,
    help="Run in N processes; 0: one for each usable CPU.",
)
@click.pass_context
def mutants(
    context: click.Context, ids: tuple[str, ...], seed: int, json_file: str | None, jobs: int
) -> None:
    """Check that the properties find planted mistakes.

    Each mutant is a small change of the model. It has to break the property named for it, in a
    history in which the unchanged model does not. Without an ID all mutants are run, and each
    property has to be broken by one.
    """
    unknown = [each for each in ids if each not in BY_ID]
    if unknown:
        raise click.UsageError(f"no such mutant: {', '.join(unknown)}")
    chosen = [each for each in MUTANTS if not ids or each.id in ids]
    check_targets({"--json": json_file}, stdout=frozenset({"--json"}))
    found: list[Outcome] = []
    try:
        with progress_bar("mutants", len(chosen) + 1) as bar:
            control = run_control(seed)
            for outcome in outcomes(chosen, seed, jobs or usable_cpus()):
                found.append(outcome)
                draw(bar, len(found) + 1)
    except KeyboardInterrupt:
        click.echo(f"interrupted after {len(found)} of {len(chosen)} mutants", err=True)
        context.exit(exit_codes.INTERRUPTED)
    matrix = Matrix(seed, tuple(found), control)
    if json_file != STDOUT:
        _print(matrix)
    if json_file is not None:
        write_target("--json", json_file, json_report(matrix))
    context.exit(exit_code(matrix))


def _print(matrix: Matrix) -> None:
    rows = [row(each) for each in matrix.outcomes]
    if is_terminal(sys.stdout):
        _print_table(rows)
    else:
        for line in aligned([HEADINGS, *rows], {len(HEADINGS) - 1}):
            click.echo(line)
    for line in notes(matrix):
        click.echo(line)


def _print_table(rows: Sequence[tuple[str, ...]]) -> None:
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    table = Table(box=None, pad_edge=False)
    for heading in HEADINGS:
        right = heading in ("tried", "steps", "seconds")
        table.add_column(heading, justify="right" if right else "left", no_wrap=True)
    for cells in rows:
        styled = [Text(cell, style=_COLOURS.get(cell, "")) for cell in cells]
        table.add_row(*styled)
    Console().print(table)
