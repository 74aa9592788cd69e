"""`ipvs-est check`."""

import os
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from time import perf_counter

import click

from ipvs_est import REVISIONS
from ipvs_est_checks.cli import exit_codes
from ipvs_est_checks.cli.amount import Amount
from ipvs_est_checks.cli.named_path import NamedPath
from ipvs_est_checks.cli.printable import printable
from ipvs_est_checks.cli.progress import draw, hide, progress_bar
from ipvs_est_checks.cli.report_option import check_targets, json_option, junit_option, write_target
from ipvs_est_checks.engines.conformance import engine_conformance
from ipvs_est_checks.engines.defects import engine_defects
from ipvs_est_checks.engines.explorer import engine_explorer
from ipvs_est_checks.engines.findings import engine_findings
from ipvs_est_checks.engines.machines import engine_machines
from ipvs_est_checks.engines.mutants import engine_mutants
from ipvs_est_checks.engines.proofs import engine_proofs
from ipvs_est_checks.engines.repeat import disagreement_lines, disagreements, seeds
from ipvs_est_checks.machines.profiles import fresh_seed
from ipvs_est_checks.machines.run import SENTENCES
from ipvs_est_checks.report.check_files import json_report, json_reports, junit_report
from ipvs_est_checks.report.check_text import by_how, problem_lines, summary, table
from ipvs_est_checks.report.rows import Engine, Report, Request, Row, Verdict, run_engines, worst

ENGINES: tuple[Engine, ...] = (
    engine_conformance,
    engine_findings,
    engine_machines,
    engine_explorer,
    engine_defects,
    engine_mutants,
    engine_proofs,
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
    help="Check only this property; may be given several times. See `ipvs-est list`.",
)
@click.option(
    "--seed", metavar="N", type=click.IntRange(0, 2**32 - 1), help="Of all random choices."
)
@click.option(
    "--minutes",
    metavar="N",
    type=Amount(0, min_open=True),
    help="Sample random histories that long, instead of as many as the profile says.",
)
@click.option(
    "--round",
    "round_number",
    metavar="N",
    type=click.IntRange(0, 10**6),
    help="Only sample this round of random histories, as a failure's command says.",
)
@click.option(
    "--repeat",
    metavar="N",
    type=click.IntRange(1),
    default=1,
    help="Check N times, each time with another seed; fails if the verdicts differ.",
)
@click.option(
    "--traces",
    type=NamedPath(exists=True, file_okay=False),
    help="Recorded traces.  [default: tests/data/traces, if it is there]",
)
@click.option(
    "-j",
    "--jobs",
    metavar="N",
    type=click.IntRange(0),
    default=0,
    help="Processes; 0: one for each CPU.",
)
@json_option()
@junit_option()
@click.option("-v", "--verbose", is_flag=True, help="Also which situations were reached.")
@click.pass_context
def check(
    context: click.Context,
    revisions: tuple[str, ...],
    profile: str,
    properties: tuple[str, ...],
    seed: int | None,
    minutes: float | None,
    round_number: int | None,
    repeat: int,
    traces: Path | None,
    jobs: int,
    json_file: str | None,
    junit_file: str | None,
    verbose: bool,
) -> None:
    """Check every property on every revision, and that each check is able to fail.

    Recorded traces, recorded findings, random histories under all properties, mutants, proofs
    (quick: of those that take little time). Exit code 0: everything is as recorded; a finding
    is a fact about a revision and no failure.
    """
    for each in properties:
        if each not in SENTENCES:
            raise click.UsageError(f"--property {each}: there is no such property")
    if traces is not None and not any(traces.glob("*.jsonl")):
        raise click.UsageError(f"--traces {printable(str(traces))}: holds no *.jsonl file")
    if minutes is not None and round_number is not None:
        raise click.UsageError("--minutes and --round exclude each other")
    check_targets({"--json": json_file, "--junit": junit_file}, stdout=frozenset())
    request = Request(
        revisions=tuple(REVISIONS[each] for each in revisions or REVISIONS),
        profile=profile,
        properties=frozenset(properties) or None,
        seed=fresh_seed() if seed is None else seed,
        jobs=jobs or os.cpu_count() or 1,
        traces=traces or (_TRACES if _TRACES.is_dir() else None),
        minutes=minutes,
        round=round_number,
    )
    click.echo(f"profile {request.profile}, seed {request.seed}")
    reports: list[Report] = []
    for number, each_seed in enumerate(seeds(request.seed, repeat), 1):
        report = _run(replace(request, seed=each_seed), "" if repeat == 1 else f"run {number}: ")
        reports.append(report)
        _tell(report, verbose=verbose, with_table=number == 1)
        told = ("" if report.complete else "interrupted: ") + summary(report.rows)
        if repeat > 1:
            told = f"run {number} of {repeat}, seed {each_seed}, {report.seconds:.1f} s: {told}"
        click.echo(told)
        if not report.complete:
            break
    differing = disagreements(reports)
    for line in disagreement_lines(differing, reports):
        click.echo(line)
    if repeat > 1:
        complete = sum(each.complete for each in reports)
        click.echo(f"{complete} runs, {len(differing)} verdicts differ")
    _write(reports, repeat, json_file, junit_file)
    if not reports[-1].complete:
        context.exit(exit_codes.INTERRUPTED)
    if differing:
        context.exit(exit_codes.FAIL)
    context.exit(_EXIT[worst([row for each in reports for row in each.rows])])


def _tell(report: Report, *, verbose: bool, with_table: bool) -> None:
    """The table, if it is wanted, and whatever went wrong."""
    if with_table:
        for line in table(report.rows, [each.name for each in report.request.revisions]):
            click.echo(line)
    for row in report.rows:
        if verbose and row.notes:
            click.echo(f"\n{row.id} on {row.revision}:\n" + "\n".join(row.notes))
        if row.verdict in (Verdict.FAIL, Verdict.INCOMPLETE):
            for problem in row.problems:
                click.echo("\n" + "\n".join(problem_lines(problem)))
    if with_table and report.rows:
        click.echo()
        for line in by_how(report.rows):
            click.echo(line)


def _run(request: Request, label: str) -> Report:
    started = perf_counter()
    rows: list[Row] = []
    complete = True
    with progress_bar("check", 1) as bar:

        def progress(what: str, done: int, total: int) -> None:
            bar.total = total
            draw(bar, done, label + what)

        try:
            # The command of a failure of random histories wants these alone.
            engines = ENGINES if request.round is None else (engine_machines,)
            for row in run_engines(replace(request, progress=progress), engines):
                rows.append(row)
        except KeyboardInterrupt:
            complete = False
        hide(bar)
    return Report(request, tuple(rows), complete, perf_counter() - started)


def _write(
    reports: Sequence[Report], repeat: int, json_file: str | None, junit_file: str | None
) -> None:
    for option, name, text in (
        ("--json", json_file, json_report(reports[0]) if repeat == 1 else json_reports(reports)),
        ("--junit", junit_file, junit_report(reports)),
    ):
        if name is not None:
            write_target(option, name, text)
