"""`ipvs-est check`."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from functools import partial
from pathlib import Path
from time import perf_counter

import click

from ipvs_est import REVISIONS
from ipvs_est_checks.cli.options.amount import AmountType
from ipvs_est_checks.cli.options.jobs import jobs_option
from ipvs_est_checks.cli.options.named_path import NamedPath
from ipvs_est_checks.cli.options.report import (
    check_targets,
    json_option,
    junit_option,
    reports_at_end,
    write_target,
)
from ipvs_est_checks.cli.options.subject import seconds_option, started_keeper, tree_option
from ipvs_est_checks.engines.conformance import engine_conformance
from ipvs_est_checks.engines.defects import engine_defects
from ipvs_est_checks.engines.explorer import engine_explorer
from ipvs_est_checks.engines.findings import engine_findings
from ipvs_est_checks.engines.machines import engine_machines
from ipvs_est_checks.engines.mutants import engine_mutants
from ipvs_est_checks.engines.proofs import engine_proofs
from ipvs_est_checks.engines.several_subjects import engine_of_several
from ipvs_est_checks.engines.subject import SUBJECT, Asked, engines_of
from ipvs_est_checks.engines.tree.names import TREE
from ipvs_est_checks.harness.command import BUILD_SECONDS, harness_command
from ipvs_est_checks.known.registry import findings_of
from ipvs_est_checks.machines.profiles import fresh_seed
from ipvs_est_checks.machines.run import SENTENCES
from ipvs_est_checks.report.causes import cause_lines, causes
from ipvs_est_checks.report.check_files import json_report, json_reports, junit_report
from ipvs_est_checks.report.conclusion import conclusion, remarks, with_reasons
from ipvs_est_checks.report.matrix import matrix
from ipvs_est_checks.report.repeat import disagreement_lines, disagreements, seeds
from ipvs_est_checks.report.rows import Engine, Report, Request, Row
from ipvs_est_checks.report.saved import saved
from ipvs_est_checks.report.table import by_how, stage_line, table
from ipvs_est_checks.report.verdict import exit_code, worst
from ipvs_est_checks.subjects.keeper import stop
from ipvs_est_checks.terminal import exit_codes
from ipvs_est_checks.terminal.printable import printable
from ipvs_est_checks.terminal.progress import Bar, draw, hide, progress_bar
from ipvs_est_checks.terminal.suggest import check_names

ENGINES: tuple[Engine, ...] = (
    engine_findings,
    engine_conformance,
    engine_machines,
    engine_explorer,
    engine_defects,
    engine_mutants,
    engine_proofs,
)
"""In the order in which they run and are listed: first what takes a second or two."""

_WEIGHTS: Mapping[Engine, int] = {
    engine_machines: 30,
    engine_explorer: 20,
    engine_mutants: 8,
    engine_proofs: 6,
}
"""Guesses of how much longer each takes than the others, which have 1: for the share of the whole
that progress tells."""

_MOST_CAUSES = 8
"""Told without -v."""


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
    type=AmountType(0, min_open=True),
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
    help="Recorded traces, instead of those that the package holds.",
)
@jobs_option()
@json_option()
@junit_option()
@click.option(
    "--html",
    "html_file",
    metavar="FILE",
    help="Report as a page that stands alone: each verdict opens what it rests on.",
)
@click.option(
    "--save",
    "save_file",
    metavar="FILE",
    help="Write the first failure's history as a trace, for `replay` and `oracle`.",
)
@click.option(
    "--subject",
    "subjects",
    multiple=True,
    metavar="COMMAND",
    help="Check this program instead of the model, or unix:PATH, a socket: whatever answers the"
    " oracle's protocol. Several are checked at the same time.",
)
@tree_option("Check the code of this Linux tree: short for --subject 'ipvs-est harness TREE'.")
@click.option(
    "--base",
    metavar="TREE",
    type=NamedPath(),
    help="With --tree: what does the patch change against this tree? Fails for what is new.",
)
@click.option(
    "--bisect",
    is_flag=True,
    help="With --tree: exit code 0 good, 1 bad, 125 cannot be judged, for `git bisect run`.",
)
@click.option(
    "--history",
    metavar="FILE",
    type=NamedPath(),
    help="With --bisect: only this saved history.",
)
@click.option(
    "--compare",
    metavar="REVISION",
    type=click.Choice(list(REVISIONS)),
    help="The subject has to answer what this revision answers.",
)
@seconds_option()
@click.option(
    "-v",
    "--verbose",
    is_flag=True,
    help="Also a table of all checks, and which situations were reached.",
)
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
    html_file: str | None,
    save_file: str | None,
    subjects: tuple[str, ...],
    tree: Path | None,
    base: Path | None,
    bisect: bool,
    history: Path | None,
    compare: str | None,
    seconds: float,
    verbose: bool,
) -> None:
    """Check every property on every revision, and that each check is able to fail.

    Recorded findings, recorded traces, random histories under all properties, scenarios under
    many schedules, mutants, proofs (quick: of those that take little time). Told is first what is
    wrong, by its causes, the shortest history first; then the verdict; then what is known of each
    property on each revision. Exit code 0: everything is as recorded; a finding is a fact about
    a revision and no failure.
    """
    check_names("property", properties, SENTENCES, "see `ipvs-est list`")
    if traces is not None and not any(traces.glob("*.jsonl")):
        raise click.UsageError(f"--traces {printable(str(traces))}: holds no *.jsonl file")
    if minutes is not None and round_number is not None:
        raise click.UsageError("--minutes and --round exclude each other")
    if base is not None or bisect or history is not None:
        context.exit(_beside(tree, base, seed, frozenset(properties), history, bisect=bisect))
    targets = {"--json": json_file, "--junit": junit_file, "--html": html_file, "--save": save_file}
    check_targets(targets)
    request = Request(
        revisions=tuple(REVISIONS[revision] for revision in revisions or REVISIONS),
        profile=profile,
        properties=frozenset(properties) or None,
        seed=fresh_seed() if seed is None else seed,
        jobs=jobs,
        traces=traces,
        minutes=minutes,
        round=round_number,
    )
    # The command of a failure of random histories wants these alone.
    engines = ENGINES if round_number is None else (engine_machines,)
    keeper = None
    if tree is not None and subjects:
        raise click.UsageError("--subject and --tree exclude each other")
    if tree is not None and (compare is not None or round_number is not None):
        # As any subject that has to answer as a revision does.
        subjects, seconds = (harness_command(tree),), max(seconds, BUILD_SECONDS)
    beside = None if compare is None else REVISIONS[compare]
    if tree is not None and not subjects:
        engines = _engines_of_tree(tree)
        request = replace(request, subjects=(TREE,))
    elif len(subjects) == 1:
        keeper = started_keeper(subjects[0], seconds)
        engines = engines_of(Asked(keeper, beside))
        request = replace(request, subjects=(SUBJECT,))
    elif subjects:
        for subject in subjects:
            # What cannot be started is bad input, told before the work.
            stop(started_keeper(subject, seconds))
        named = {f"{SUBJECT}-{number}": subject for number, subject in enumerate(subjects, 1)}
        engines = (engine_of_several(named, seconds, beside),)
        request = replace(request, subjects=tuple(named))
        for name, item in named.items():
            click.echo(printable(f"{name}: {item}"))
    elif compare is not None:
        raise click.UsageError("--compare is for a --subject or a --tree")
    if keeper is not None:
        context.call_on_close(partial(stop, keeper))
    reports: list[Report] = []

    def so_far() -> list[Report]:
        return reports or [Report(request, (), False, 0.0)]

    with reports_at_end(
        ("--json", json_file, lambda: _json(so_far(), repeat)),
        ("--junit", junit_file, lambda: junit_report(so_far())),
        ("--html", html_file, lambda: _html(so_far()[-1])),
    ):
        click.echo(f"profile {request.profile}, seed {request.seed}")
        for number, each_seed in enumerate(seeds(request.seed, repeat), 1):
            label = "" if repeat == 1 else f"run {number}: "
            report = _run(replace(request, seed=each_seed), engines, label, reports)
            if repeat > 1:
                click.echo(f"run {number} of {repeat}, seed {each_seed}, {report.seconds:.1f} s:")
            _tell(report, verbose=verbose and number == 1)
            if not report.complete:
                break
        differing = disagreements(reports)
        for line in disagreement_lines(differing, reports):
            click.echo(line)
        if repeat > 1:
            complete = sum(report.complete for report in reports)
            click.echo(f"{complete} runs, {len(differing)} verdicts differ")
        if save_file is not None:
            _save(save_file, reports)
    if not reports[-1].complete:
        context.exit(exit_codes.INTERRUPTED)
    if differing:
        context.exit(exit_codes.FAIL)
    context.exit(exit_code(worst(row.verdict for report in reports for row in report.rows)))


def _engines_of_tree(path: Path) -> tuple[Engine, ...]:
    """What checks a tree; what it is, is said before anything is judged."""
    # Imported here: only who has a tree needs it.
    from ipvs_est_checks.cli.commands import check_tree
    from ipvs_est_checks.engines.tree.engines import engines_of_tree
    from ipvs_est_checks.harness.building.tree import read_tree

    tree = read_tree(path)
    return engines_of_tree(tree, check_tree.tell_nearest(tree).revision)


def _beside(
    tree: Path | None,
    base: Path | None,
    seed: int | None,
    properties: frozenset[str],
    history: Path | None,
    *,
    bisect: bool,
) -> int:
    """What a patch changes; equal seeds are equal histories, so there is one by default."""
    # Imported here: only who has a tree needs it.
    from ipvs_est_checks.cli.commands import check_tree

    if tree is None:
        raise click.UsageError("--base, --bisect and --history are for a --tree")
    if bisect:
        return check_tree.bisect(tree, base, seed or 0, properties, history)
    if base is None or history is not None:
        raise click.UsageError("--history is for --bisect")
    return check_tree.check_against(tree, base, seed or 0, properties or None)


def _tell(report: Report, *, verbose: bool) -> None:
    """What is wrong, the verdict, the matrix; then all that there is, if it is wanted."""
    revisions = report.request.names
    found = causes(report.rows)
    for number, cause in enumerate(found, 1):
        if number <= _MOST_CAUSES or verbose:
            click.echo("\n" + "\n".join(cause_lines(cause, number)))
    if len(found) > _MOST_CAUSES and not verbose:
        click.echo(f"\nand {len(found) - _MOST_CAUSES} more, with -v or in --json")
    click.echo()
    said = conclusion(report.rows, revisions, found, complete=report.complete)
    colour = "red" if found else "green" if report.complete else "yellow"
    click.echo(click.style(said, fg=colour, bold=True))
    for line in remarks(report.rows):
        click.echo(f"  {line}")
    click.echo()
    for line in matrix(report.rows, revisions, _coloured, findings_of):
        click.echo(line)
    if verbose:
        _tell_all(report, revisions)


def _coloured(text: str, fg: str) -> str:
    return click.style(text, fg=fg)


def _tell_all(report: Report, revisions: Sequence[str]) -> None:
    for lines in (table(report.rows, revisions), by_how(report.rows)):
        click.echo()
        for line in lines:
            click.echo(line)
    for row in report.rows:
        if row.notes:
            click.echo(f"\n{row.id} on {row.revision}:\n" + "\n".join(row.notes))


def _save(file: str, reports: Sequence[Report]) -> None:
    """The first cause that has a history."""
    for cause in (cause for report in reports for cause in causes(report.rows)):
        if cause.problem.header:
            write_target("--save", file, saved(cause.problem))
            click.echo(f"{file}: the history of {cause.problem.property}; ipvs-est replay {file}")
            return
    click.echo(f"{file} is not written: no failure has a history", err=True)


def _run(request: Request, engines: Sequence[Engine], label: str, reports: list[Report]) -> Report:
    """The report is added to `reports`, also if it cannot be completed."""
    started = perf_counter()
    rows: list[Row] = []
    complete = False

    def report() -> Report:
        found = with_reasons(rows, complete=complete)
        return Report(request, found, complete, perf_counter() - started)

    with progress_bar("check", 1) as bar:
        try:
            for engine, (before, share) in zip(engines, _stages(engines), strict=True):
                began, first = perf_counter(), len(rows)
                progress = partial(_show, bar, label, before, share)
                on_failure = partial(_tell_at_once, bar, label)
                for row in engine(replace(request, progress=progress, on_failure=on_failure)):
                    rows.append(row)
                hide(bar)
                if len(rows) > first:
                    click.echo(f"{label}{stage_line(rows[first:], perf_counter() - began)}")
            complete = True
        except KeyboardInterrupt:
            # What there is will be told.
            hide(bar)
        finally:
            reports.append(report())
    return reports[-1]


def _stages(engines: Sequence[Engine]) -> list[tuple[float, float]]:
    """Which share of the work is done when each begins, and which is its own."""
    weights = [_WEIGHTS.get(engine, 1) for engine in engines]
    whole = sum(weights)
    return [(sum(weights[:place]) / whole, own / whole) for place, own in enumerate(weights)]


def _show(
    bar: Bar, label: str, before: float, share: float, what: str, done: int, total: int
) -> None:
    draw(bar, before + (share * min(done / total, 1.0) if total else 0.0), label + what)


def _tell_at_once(bar: Bar, label: str, text: str) -> None:
    hide(bar)
    click.echo(printable(f"{label}FAIL {text}"))


def _html(report: Report) -> str:
    # Imported here: only who wants a page needs what draws it.
    from ipvs_est_checks.html.page import html_page

    with progress_bar("html", 1) as bar:
        return html_page(report, partial(_show, bar, "", 0.0, 1.0))


def _json(reports: Sequence[Report], repeat: int) -> str:
    return json_report(reports[0]) if repeat == 1 else json_reports(reports)
