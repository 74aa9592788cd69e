"""`ipvs-est check`."""

import os
from pathlib import Path
from time import perf_counter

import click

from ipvs_est import REVISIONS
from ipvs_est_checks import exit_codes
from ipvs_est_checks.check import Engine, Report, Request, Row, Verdict, run_engines, worst
from ipvs_est_checks.check_reports import json_report, junit_report
from ipvs_est_checks.check_text import problem_lines, summary, table
from ipvs_est_checks.engine_conformance import engine_conformance
from ipvs_est_checks.engine_findings import engine_findings
from ipvs_est_checks.engine_machines import engine_machines
from ipvs_est_checks.engine_mutants import engine_mutants
from ipvs_est_checks.machines.profiles import fresh_seed
from ipvs_est_checks.progress import draw, hide, progress_bar
from ipvs_est_checks.report_file import check_report_file, write_report_file
from ipvs_est_spec.catalogue import PROPERTIES

ENGINES: tuple[Engine, ...] = (
    engine_conformance,
    engine_findings,
    engine_machines,
    engine_mutants,
)
"""In the order in which they run and are listed."""

_TRACES = Path("tests/data/traces")
_EXIT = {
    Verdict.PASS: exit_codes.PASS,
    Verdict.FAIL: exit_codes.FAIL,
    Verdict.INCOMPLETE: exit_codes.INCOMPLETE,
}


@click.command()
@click.option(
    "--revision",
    "revisions",
    multiple=True,
    type=click.Choice(list(REVISIONS)),
    help="Check this revision; may be given several times.  [default: all]",
)
@click.option(
    "--profile",
    type=click.Choice(["quick", "ci", "deep"]),
    default="quick",
    show_default=True,
    help="How much is sampled.",
)
@click.option(
    "--property",
    "properties",
    multiple=True,
    metavar="ID",
    help="Report only this property; may be given several times. See `ipvs-est list`.",
)
@click.option("--seed", type=click.IntRange(0, 2**32 - 1), help="Of all random choices.")
@click.option(
    "--traces",
    type=click.Path(exists=True, file_okay=False, path_type=Path),
    help="Recorded traces.  [default: tests/data/traces, if it is there]",
)
@click.option(
    "-j", "--jobs", type=click.IntRange(0), default=0, help="Processes; 0: one for each CPU."
)
@click.option("--json", "json_file", metavar="FILE", help="Report as JSON.")
@click.option("--junit", "junit_file", metavar="FILE", help="Report as JUnit XML.")
@click.option("-v", "--verbose", is_flag=True, help="Also which situations were reached.")
@click.pass_context
def check(
    context: click.Context,
    revisions: tuple[str, ...],
    profile: str,
    properties: tuple[str, ...],
    seed: int | None,
    traces: Path | None,
    jobs: int,
    json_file: str | None,
    junit_file: str | None,
    verbose: bool,
) -> None:
    """Check every property on every revision, and that each check is able to fail.

    Recorded traces, recorded findings, random histories under all properties, mutants. Exit
    code 0: everything is as recorded; a finding is a fact about a revision and no failure.
    """
    known = {each.id for each in PROPERTIES}
    for each in properties:
        if each not in known:
            raise click.UsageError(f"--property {each}: there is no such property")
    for option, name in (("--json", json_file), ("--junit", junit_file)):
        if name is not None:
            _check_target(option, name)
    request = Request(
        revisions=tuple(REVISIONS[each] for each in revisions or REVISIONS),
        profile=profile,
        properties=frozenset(properties) or None,
        seed=fresh_seed() if seed is None else seed,
        jobs=jobs or os.cpu_count() or 1,
        traces=traces or (_TRACES if _TRACES.is_dir() else None),
    )
    click.echo(f"profile {request.profile}, seed {request.seed}")
    report = _run(request)
    names = [each.name for each in request.revisions]
    for line in table(report.rows, names):
        click.echo(line)
    for row in report.rows:
        if verbose and row.notes:
            click.echo(f"\n{row.id} on {row.revision}:\n" + "\n".join(row.notes))
        if row.verdict in (Verdict.FAIL, Verdict.INCOMPLETE):
            for problem in row.problems:
                click.echo("\n" + "\n".join(problem_lines(problem)))
    click.echo(("" if report.complete else "interrupted: ") + summary(report.rows))
    _write(report, json_file, junit_file)
    context.exit(_EXIT[worst(report.rows)] if report.complete else exit_codes.INTERRUPTED)


def _run(request: Request) -> Report:
    started = perf_counter()
    rows: list[Row] = []
    complete = True
    with progress_bar("check", len(ENGINES) * len(request.revisions)) as bar:
        try:
            for row in run_engines(request, ENGINES):
                rows.append(row)
                draw(bar, min(len({(each.how, each.revision) for each in rows}), bar.total))
        except KeyboardInterrupt:
            complete = False
        hide(bar)
    return Report(request, tuple(rows), complete, perf_counter() - started)


def _check_target(option: str, name: str) -> None:
    try:
        check_report_file(Path(name))
    except OSError as error:
        raise click.UsageError(f"{option} {name}: {error.strerror}") from None


def _write(report: Report, json_file: str | None, junit_file: str | None) -> None:
    for option, name, text in (
        ("--json", json_file, json_report),
        ("--junit", junit_file, junit_report),
    ):
        if name is None:
            continue
        try:
            write_report_file(Path(name), text(report))
        except OSError as error:
            raise click.UsageError(f"{option} {name}: {error.strerror}") from None
