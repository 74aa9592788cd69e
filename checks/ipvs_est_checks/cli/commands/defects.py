"""`ipvs-est defects`."""

from contextlib import suppress

import click
from click.core import ParameterSource

from ipvs_est import V7
from ipvs_est_checks.cli.options.jobs import jobs_option
from ipvs_est_checks.cli.options.report import (
    check_targets,
    json_option,
    junit_option,
    reports_at_end,
)
from ipvs_est_checks.defects.generated import PREEMPTIONS as GENERATED_PREEMPTIONS
from ipvs_est_checks.defects.generated import SCHEDULES, SeenDefects, lines, rows_of, search_defects
from ipvs_est_checks.defects.report import details, json_report, junit_report, summary, table
from ipvs_est_checks.defects.run import PREEMPTIONS, RowResult, judge_all
from ipvs_est_checks.defects.table import ROWS, DefectRow
from ipvs_est_checks.explore.engine.outcome import Bounds
from ipvs_est_checks.machines.profiles import fresh_seed
from ipvs_est_checks.report.verdict import Verdict, exit_code, worst
from ipvs_est_checks.terminal import exit_codes
from ipvs_est_checks.terminal.progress import draw, progress_bar
from ipvs_est_checks.terminal.suggest import check_names


@click.command()
@click.argument("ids", metavar="[ID ...]", nargs=-1)
@click.option(
    "--preemptions",
    metavar="N",
    type=click.IntRange(0, 20),
    help=f"Bound of the searches.  [default: {PREEMPTIONS}, or what a row has of its own]",
)
@jobs_option()
@click.option(
    "--generated",
    metavar="N",
    type=click.IntRange(min=1),
    help="Search N scenarios that Hypothesis makes on v7 instead, which has all defects, to 3"
    " preemptions.",
)
@click.option("--seed", metavar="N", type=click.IntRange(0, 2**32 - 1), help="Of --generated.")
@json_option()
@junit_option()
@click.option("-v", "--verbose", is_flag=True, help="Also how each shows, with its token.")
@click.pass_context
def defects(
    context: click.Context,
    ids: tuple[str, ...],
    preemptions: int | None,
    jobs: int,
    generated: int | None,
    seed: int | None,
    json_file: str | None,
    junit_file: str | None,
    verbose: bool,
) -> None:
    """Look for each known defect on every revision, and for what must not be reported.

    Scenarios of the library are searched to a bound on preemptions. Each defect has to be found
    on the revisions that have it and on no other; negative controls have to be silent. `told` is
    the number of switches between tasks in the history that the catalogue tells. Exit code 0:
    all as listed; 1: not; 3: schedules are left over, or not all showed in generated scenarios.
    """
    known = [row.id for row in ROWS]
    check_names("defect", ids, known, f"known are {', '.join(known)}")
    check_targets({"--json": json_file, "--junit": junit_file})
    if generated is not None:
        for given in ("preemptions", "jobs", "json_file", "junit_file", "verbose"):
            if context.get_parameter_source(given) is not ParameterSource.DEFAULT:
                excluded = f"--{given.removesuffix('_file')}"
                raise click.UsageError(f"{excluded} and --generated exclude each other")
        rows = [row for row in rows_of(ROWS, V7) if not ids or row.id in ids]
        context.exit(_generated(rows, generated, fresh_seed() if seed is None else seed))
    if seed is not None:
        raise click.UsageError("--seed is for --generated")
    chosen = [row for row in ROWS if not ids or row.id in ids]
    results: list[RowResult] = []
    bounds = None if preemptions is None else Bounds(preemptions)
    complete = False
    with reports_at_end(
        ("--json", json_file, lambda: json_report(results, complete=complete)),
        ("--junit", junit_file, lambda: junit_report(results, complete=complete)),
    ):
        with progress_bar("defects", len(chosen)) as bar, suppress(KeyboardInterrupt):

            def waiting(id_: str) -> None:
                draw(bar, len(results), id_)

            for result in judge_all(chosen, bounds, jobs, waiting):
                results.append(result)
                draw(bar, len(results))
            complete = True
        for line in table(results):
            click.echo(line)
        for result in results:
            if verbose or result.verdict is not Verdict.PASS:
                click.echo("\n" + "\n".join(details(result)))
        click.echo(("" if complete else "interrupted: ") + summary(results))
    if not complete:
        context.exit(exit_codes.INTERRUPTED)
    context.exit(exit_code(worst(result.verdict for result in results)))


def _generated(rows: list[DefectRow], examples: int, number: int) -> int:
    """Exit code: whether each of the rows has shown."""
    if not rows:
        raise click.UsageError("no such row is a defect of v7")
    click.echo(f"v7, seed {number}")
    seen = SeenDefects()
    code = exit_codes.PASS
    bounds = Bounds(GENERATED_PREEMPTIONS, schedules=SCHEDULES)
    with progress_bar("generated scenarios", examples) as bar:
        try:
            search_defects(rows, V7, bounds, examples, number, seen, lambda done: draw(bar, done))
        except KeyboardInterrupt:
            code = exit_codes.INTERRUPTED
    for line in lines(rows, seen):
        click.echo(line)
    return code or (exit_codes.PASS if len(seen.first) == len(rows) else exit_codes.INCOMPLETE)
