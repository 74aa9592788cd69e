"""`ipvs-est mutants`."""

import sys
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path

import click

from ipvs_est_checks.cli.options.jobs import jobs_option
from ipvs_est_checks.cli.options.report import check_targets, json_option, reports_at_end
from ipvs_est_checks.cli.options.subject import tree_option
from ipvs_est_checks.known.by_repair import known_by_repair
from ipvs_est_checks.mutants.kill_matrix import (
    EMPTY_CONTROL,
    SEED,
    Matrix,
    MutantOutcome,
    outcomes,
    run_control,
)
from ipvs_est_checks.mutants.registry import BY_ID, MUTANTS
from ipvs_est_checks.mutants.report import HEADINGS, exit_code, json_report, notes, row
from ipvs_est_checks.report.columns import aligned
from ipvs_est_checks.terminal.progress import draw, is_terminal, progress_bar
from ipvs_est_checks.terminal.suggest import check_names

_COLOURS = {"KILLED": "green", "FAIL": "red", "EQUIVALENT": "green"}


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
@json_option()
@jobs_option()
@tree_option("Plant mistakes into the C of this tree instead: does `check --tree` find them?")
@click.pass_context
def mutants(
    context: click.Context,
    ids: tuple[str, ...],
    seed: int,
    json_file: str | None,
    jobs: int,
    tree: Path | None,
) -> None:
    """Check that the properties find planted mistakes.

    Each mutant is a small change of the model. It has to break the property named for it, in a
    history in which the unchanged model does not. Without an ID all mutants are run, and each
    property has to be broken by one.
    """
    if tree is not None:
        if json_file is not None:
            raise click.UsageError("--json: there is no such report of a --tree")
        context.exit(_on_tree(tree, ids, seed, jobs))
    check_names("mutant", ids, BY_ID, "`ipvs-est mutants` runs all of them")
    chosen = [mutant for mutant in MUTANTS if not ids or mutant.id in ids]
    check_targets({"--json": json_file})
    found: list[MutantOutcome] = []
    control = EMPTY_CONTROL
    complete = False

    def matrix() -> Matrix:
        return Matrix(seed, tuple(found), control, complete)

    with reports_at_end(("--json", json_file, lambda: json_report(matrix()))):
        with progress_bar("mutants", len(chosen) + 1) as bar, suppress(KeyboardInterrupt):

            def waiting(id_: str) -> None:
                draw(bar, len(found) + 1, id_)

            control = run_control(seed, known_by_repair, chosen)
            for outcome in outcomes(chosen, seed, jobs, waiting=waiting):
                found.append(outcome)
                draw(bar, len(found) + 1)
            complete = True
        _print(matrix())
        if not complete:
            click.echo(f"interrupted after {len(found)} of {len(chosen)} mutants", err=True)
    context.exit(exit_code(matrix()))


def _on_tree(path: Path, ids: tuple[str, ...], seed: int, jobs: int) -> int:
    # Imported here: only who has a tree needs it.
    from ipvs_est_checks.cli.commands.mutants_tree import mutants_on_tree

    return mutants_on_tree(path, ids, seed, jobs)


def _print(matrix: Matrix) -> None:
    rows = [row(outcome) for outcome in matrix.outcomes]
    if is_terminal(sys.stdout):
        _print_table(rows)
    else:
        for line in aligned([HEADINGS, *rows], {len(HEADINGS) - 1}):
            click.echo(line)
    for line in notes(matrix):
        click.echo(line)


def _print_table(rows: Sequence[tuple[str, ...]]) -> None:
    from rich.table import Table
    from rich.text import Text

    from ipvs_est_checks.terminal.console import output_console

    table = Table(box=None, pad_edge=False)
    for heading in HEADINGS:
        right = heading in ("tried", "steps", "seconds")
        table.add_column(heading, justify="right" if right else "left", no_wrap=True)
    for cells in rows:
        styled = [Text(cell, style=_COLOURS.get(cell, "")) for cell in cells]
        table.add_row(*styled)
    output_console().print(table)
