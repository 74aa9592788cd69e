"""`ipvs-est findings`."""

from pathlib import Path

import click

from ipvs_est import REVISIONS, Revision
from ipvs_est_checks.cli.options.subject import (
    seconds_option,
    started_keeper,
    subject_option,
    tree_option,
)
from ipvs_est_checks.known import registry
from ipvs_est_checks.known.finding import Finding
from ipvs_est_checks.known.schedule_story import scheduled_story, search_finding
from ipvs_est_checks.known.story import story
from ipvs_est_checks.report.verdict import Verdict
from ipvs_est_checks.subjects.keeper import stop
from ipvs_est_checks.terminal import exit_codes
from ipvs_est_checks.terminal.printable import printable
from ipvs_est_checks.terminal.progress import draw, hide, progress_bar
from ipvs_est_checks.terminal.suggest import check_names

_ALL = registry.ALL
_BY_ID = {finding.id: finding for finding in sorted(_ALL, key=lambda finding: finding.id)}


@click.command()
@click.argument("ids", metavar="[ID ...]", nargs=-1)
@click.option(
    "--revision",
    type=click.Choice(list(REVISIONS)),
    help="Tell the findings on this revision.  [default: the last one that has the finding]",
)
@tree_option("Try the findings on the code of this Linux tree; default: all of them.")
@subject_option("Try the findings on this program, or unix:PATH; default: all of them.")
@seconds_option()
@click.option(
    "--repaired",
    is_flag=True,
    help="With --tree: try each finding on a copy of the code that has the finding's repair.",
)
@click.pass_context
def findings(
    context: click.Context,
    ids: tuple[str, ...],
    revision: str | None,
    tree: Path | None,
    subject: str | None,
    seconds: float,
    repaired: bool,
) -> None:
    """List the recorded findings, or tell each ID step by step.

    Most have a history without concurrency. One that needs a schedule is searched for in its
    scenario, a second or two, and told as a timeline with a column for each task. Exit code 1 if
    a finding does not show on a revision that is recorded to have it, or shows on another.
    """
    check_names("finding", ids, _BY_ID, "see `ipvs-est findings`")
    if tree is not None:
        if revision is not None:
            raise click.UsageError("--tree and --revision exclude each other")
        context.exit(_on_tree(tree, ids, repaired=repaired))
    if subject is not None:
        if revision is not None or tree is not None:
            raise click.UsageError("--subject excludes --tree and --revision")
        context.exit(_on_subject(subject, seconds, ids))
    if repaired:
        raise click.UsageError("--repaired is for a --tree")
    if not ids:
        for finding in _BY_ID.values():
            defect = f" ({finding.defect})" if finding.defect else ""
            click.echo(f"{finding.id}  {', '.join(finding.revisions):<20}  {finding.title}{defect}")
        return
    verdicts = []
    for id_ in ids:
        finding = _BY_ID[id_]
        chosen = REVISIONS[revision or finding.revisions[-1]]
        if finding.schedule is None:
            verdicts.append(_tell_history(finding, chosen))
        else:
            verdicts.append(_tell_schedule(finding, chosen))
    for code in (exit_codes.FAIL, exit_codes.INCOMPLETE):
        if code in verdicts:
            context.exit(code)


def _on_tree(path: Path, ids: tuple[str, ...], *, repaired: bool) -> int:
    """A line for each finding: whether it shows, and by what; incomplete if one was not tried.

    With its repair none may show.
    """
    # Imported here: only who has a tree needs it.
    from ipvs_est_checks.harness.building.tree import read_tree, version_text
    from ipvs_est_checks.harness.edits.repairs import tell_repaired
    from ipvs_est_checks.harness.findings import Shown, tell_findings

    tree = read_tree(path)
    with_repairs = ", each finding with its repair" if repaired else ""
    click.echo(f"linux {version_text(tree)} in {path}{with_repairs}")
    tell = tell_repaired if repaired else tell_findings
    counts = dict.fromkeys(Shown, 0)
    wanted = frozenset(ids or _BY_ID)
    with progress_bar("findings", len(wanted)) as bar:
        for shown in tell(tree, wanted):
            counts[shown.shown] += 1
            hide(bar)
            click.echo(f"{shown.id}  {shown.shown.value:<15}  {shown.title}")
            click.echo(f"{'':22}{shown.observation}")
            draw(bar, sum(counts.values()))
    click.echo(", ".join(f"{count} {shown.value}" for shown, count in counts.items()))
    if repaired and counts[Shown.SHOWS]:
        return exit_codes.FAIL
    return exit_codes.INCOMPLETE if counts[Shown.UNTRIED] else exit_codes.PASS


def _on_subject(name: str, seconds: float, ids: tuple[str, ...]) -> int:
    """A line for each finding: whether it shows; incomplete if one could not be tried."""
    # Imported here: only who has a subject needs it.
    from ipvs_est_checks.engines.subject_findings import findings_on_subject

    words = {True: "shows", False: "does not show", None: "cannot be tried"}
    counts = dict.fromkeys(words.values(), 0)
    wanted = frozenset(ids or _BY_ID)
    keeper = started_keeper(name, seconds)
    try:
        with progress_bar("findings", len(wanted)) as bar:
            for shown in findings_on_subject(keeper, wanted):
                word = words[shown.shows]
                counts[word] += 1
                hide(bar)
                click.echo(printable(f"{shown.finding.id}  {word:<15}  {shown.finding.title}"))
                click.echo(printable(f"{'':22}{shown.observation}"))
                draw(bar, sum(counts.values()))
    finally:
        stop(keeper)
    click.echo(", ".join(f"{count} {word}" for word, count in counts.items()))
    return exit_codes.INCOMPLETE if counts[words[None]] else exit_codes.PASS


def _tell_history(finding: Finding, revision: Revision) -> int:
    broken: set[str] = set()
    for line in story(finding, revision, broken):
        click.echo(line)
    shows = set(finding.properties) <= broken
    recorded = revision.name in finding.revisions
    return exit_codes.PASS if shows == recorded else exit_codes.FAIL


def _tell_schedule(finding: Finding, revision: Revision) -> int:
    with progress_bar(finding.id, 1) as bar:
        row = search_finding(
            finding,
            revision,
            lambda tally: draw(bar, 0, f"{finding.id}: {tally.figures.schedules} schedules"),
        )
    for line in scheduled_story(finding, row):
        click.echo(line)
    if row.verdict is Verdict.INCOMPLETE:
        return exit_codes.INCOMPLETE
    recorded = revision.name in finding.revisions
    return exit_codes.PASS if (row.verdict is Verdict.FAIL) == recorded else exit_codes.FAIL
