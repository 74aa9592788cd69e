"""`ipvs-est prove`."""

import sys
from collections.abc import Sequence
from contextlib import closing, suppress
from pathlib import Path
from time import perf_counter

import click

from ipvs_est_checks.cli.options.amount import AmountType
from ipvs_est_checks.cli.options.jobs import jobs_option
from ipvs_est_checks.cli.options.named_path import NamedPath
from ipvs_est_checks.cli.options.report import (
    check_targets,
    json_option,
    junit_option,
    reports_at_end,
)
from ipvs_est_checks.proving.report import (
    HEADINGS,
    Z3_VERSION,
    ProofReport,
    details,
    exit_code,
    json_report,
    junit_report,
    row,
    summary,
)
from ipvs_est_checks.proving.run import in_order, outcomes
from ipvs_est_checks.proving.second_solver import missing, versions
from ipvs_est_checks.proving.select import NoSuchTheoremError, select
from ipvs_est_checks.proving.smtlib import write_scripts
from ipvs_est_checks.report.columns import aligned
from ipvs_est_checks.terminal.progress import draw, is_terminal, progress_bar
from ipvs_est_spec.proof.framework.solve import RLIMIT, Options, ProofVerdict, TheoremOutcome
from ipvs_est_spec.proof.framework.theorem import Theorem

_COLOURS = {"PROVED": "green", "FINDING": "cyan", "FAIL": "red", "UNKNOWN": "yellow"}


@click.command("prove")
@click.argument("ids", metavar="[ID ...]", nargs=-1)
@click.option(
    "--seed",
    metavar="N",
    type=click.IntRange(0, 2**32 - 1),
    default=0,
    show_default=True,
    help="Of z3's random choices.",
)
@click.option(
    "--rlimit",
    metavar="N",
    type=click.IntRange(0, 2**32 - 1),
    default=RLIMIT,
    show_default=True,
    help="z3's measure of work, for each query; 0: no limit.",
)
@click.option(
    "--timeout",
    metavar="SECONDS",
    type=AmountType(min=0),
    default=0,
    show_default=True,
    help="For each theorem; 0: no limit.",
)
@jobs_option()
@click.option("--no-assumptions-check", is_flag=True, help="Do not try without each assumption.")
@click.option("--no-replay", is_flag=True, help="Do not try counterexamples in the model.")
@click.option(
    "--second-solver",
    "second",
    is_flag=True,
    help="Let bitwuzla and cvc5 decide, not z3; without an ID the most important theorems only.",
)
@json_option()
@junit_option()
@click.option(
    "--smtlib",
    "directory",
    metavar="DIR",
    type=NamedPath(file_okay=False),
    help="Only write each formula as SMT-LIB into that directory, for another solver.",
)
@click.option(
    "-v",
    "--verbose",
    is_flag=True,
    help="Also scope, assumptions and the twin's counterexample; the default with an ID.",
)
@click.pass_context
def prove(
    context: click.Context,
    ids: tuple[str, ...],
    seed: int,
    rlimit: int,
    timeout: float,
    jobs: int,
    no_assumptions_check: bool,
    no_replay: bool,
    second: bool,
    json_file: str | None,
    junit_file: str | None,
    directory: Path | None,
    verbose: bool,
) -> None:
    """Prove the theorems, or those that the IDs mean.

    An ID is that of a theorem, of a group, of a property that theorems are about, or a pattern
    with *; `ipvs-est list --theorems` lists them. Of each theorem: its premises can be satisfied,
    it holds, it does not hold without any one of its assumptions, and a mutated twin of it does
    not hold, whose counterexample shows in the model. Exit code 0: each stands as recorded; 3: z3
    gave up on one.
    """
    try:
        chosen = select(ids)
    except NoSuchTheoremError as error:
        raise click.UsageError(str(error)) from None
    if second:
        if lacking := missing():
            raise click.UsageError(
                f"--second-solver: not installed: {', '.join(lacking)}; pip install bitwuzla cvc5"
            )
        chosen = tuple(theorem for theorem in chosen if ids or theorem.second_solver)
    if directory is not None:
        written = _smtlib(directory, chosen)
        click.echo(f"{written} SMT-LIB scripts in {directory}")
        return
    check_targets({"--json": json_file, "--junit": junit_file})
    options = Options(seed, rlimit, not no_assumptions_check)
    solver = versions() if second else Z3_VERSION
    started = perf_counter()
    found: list[TheoremOutcome] = []
    complete = False

    def report() -> ProofReport:
        return ProofReport(options, solver, in_order(found), perf_counter() - started, complete)

    with reports_at_end(
        ("--json", json_file, lambda: json_report(report())),
        ("--junit", junit_file, lambda: junit_report(report())),
    ):
        with progress_bar("theorems", len(chosen)) as bar, suppress(KeyboardInterrupt):
            running = outcomes(
                chosen,
                options,
                jobs,
                timeout,
                second=second,
                replay=not no_replay,
                waiting=lambda theorem: draw(bar, len(found), theorem),
            )
            with closing(running):
                found.extend(running)
            complete = True
        _print(report(), verbose=verbose or bool(ids))
    context.exit(exit_code(report()))


def _smtlib(directory: Path, chosen: Sequence[Theorem]) -> int:
    try:
        return write_scripts(directory, chosen)
    except OSError as error:
        raise click.UsageError(f"--smtlib {directory}: {error.strerror}") from None


def _print(report: ProofReport, *, verbose: bool) -> None:
    rows = [row(outcome) for outcome in report.outcomes]
    if is_terminal(sys.stdout):
        _print_table(rows)
    else:
        for line in aligned([HEADINGS, *rows]):
            click.echo(line)
    for outcome in report.outcomes:
        if verbose or outcome.verdict in (ProofVerdict.FAIL, ProofVerdict.UNKNOWN):
            click.echo("\n" + "\n".join(details(outcome)))
    click.echo("\n" + summary(report))


def _print_table(rows: Sequence[tuple[str, ...]]) -> None:
    from rich.table import Table
    from rich.text import Text

    from ipvs_est_checks.terminal.console import output_console

    table = Table(box=None, pad_edge=False)
    for heading in HEADINGS:
        right = heading in ("seconds", "queries")
        table.add_column(
            heading, justify="right" if right else "left", no_wrap=heading != "sentence"
        )
    for cells in rows:
        styled = [Text(cell, style=_COLOURS.get(cell, "")) for cell in cells]
        table.add_row(*styled)
    output_console().print(table)
