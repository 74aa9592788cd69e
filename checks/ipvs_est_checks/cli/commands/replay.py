"""`ipvs-est replay`."""

import os
import sys
from collections.abc import Generator, Iterator, Sequence
from contextlib import closing
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import click

from ipvs_est.language.header import find_revision
from ipvs_est.language.input_error import InputError
from ipvs_est.language.revision import Revision
from ipvs_est.replay import Passed
from ipvs_est_checks.cli.options.jobs import jobs_option
from ipvs_est_checks.cli.options.named_path import NamedPath
from ipvs_est_checks.cli.options.report import (
    check_targets,
    json_option,
    junit_option,
    reports_at_end,
)
from ipvs_est_checks.cli.options.subject import (
    seconds_option,
    started_keeper,
    subject_option,
    tree_option,
)
from ipvs_est_checks.conformance.outcome import (
    NotAsked,
    Outcome,
    Piped,
    Unusable,
    exit_code,
    totals_of,
)
from ipvs_est_checks.conformance.outcomes import outcomes
from ipvs_est_checks.conformance.replay_text import closing_line, details, verdict, violation_lines
from ipvs_est_checks.conformance.trace_files import trace_files
from ipvs_est_checks.subjects.keeper import stop
from ipvs_est_checks.subjects.replayed import outcomes_on_subject
from ipvs_est_checks.terminal import exit_codes
from ipvs_est_checks.terminal.printable import printable
from ipvs_est_checks.terminal.progress import draw, hide, is_terminal, progress_bar
from ipvs_est_checks.workers import Lost

_STDOUT = Path("-")
_COLOURS = {"PASS": "green", "FAIL": "red", "ERROR": "red", "LOST": "yellow"}


@dataclass(frozen=True, slots=True)
class _Lines:
    """Which lines are printed."""

    quiet: bool
    verbose: bool


@click.command("replay")
@click.argument("paths", metavar="FILE|DIR ...", nargs=-1, required=True, type=NamedPath())
@click.option("--kernel", metavar="VERSION", help="Replay as this kernel, not as the recorded one.")
@click.option("--revision", metavar="NAME", help="The same, by the revision's name.")
@tree_option("Replay on the code of this Linux tree, not on the model.")
@subject_option("Replay on this program, or unix:PATH, a socket, not on the model.")
@seconds_option()
@jobs_option()
@json_option()
@junit_option()
@click.option("-q", "--quiet", is_flag=True, help="Only failures and the closing line.")
@click.option("-v", "--verbose", is_flag=True, help="Also what went wrong in the modelled kernel.")
@click.pass_context
def replay_command(
    context: click.Context,
    paths: tuple[Path, ...],
    kernel: str | None,
    revision: str | None,
    tree: Path | None,
    subject: str | None,
    seconds: float,
    jobs: int,
    json_file: str | None,
    junit_file: str | None,
    quiet: bool,
    verbose: bool,
) -> None:
    """Check that the model, the code of a tree, or a subject answers what was recorded.

    A directory stands for its *.jsonl files, - for standard input. Each trace is followed to its
    first difference.
    """
    override = _override(kernel, revision)
    check_targets({"--json": json_file, "--junit": junit_file})
    files = trace_files(paths)
    found: list[Outcome] = []
    if subject is not None:
        if tree is not None:
            raise click.UsageError("--subject and --tree exclude each other")
        keeper = started_keeper(subject, seconds)
        context.call_on_close(partial(stop, keeper))
        replayed = outcomes_on_subject(files, keeper, override)
    elif tree is None:
        replayed = outcomes(files, override, jobs)
    elif override is not None:
        raise click.UsageError("--tree excludes --kernel and --revision")
    else:
        replayed = _on_tree(files, tree)
    complete = False

    def why() -> str:
        return "" if complete else f"interrupted after {len(found)} of {len(files)} traces"

    with reports_at_end(
        ("--json", json_file, lambda: _json(found, why())),
        ("--junit", junit_file, lambda: _junit(found, why())),
    ):
        complete = _replay(replayed, len(files), _Lines(quiet, verbose), found)
        totals = totals_of(found)
        click.echo(closing_line(totals))
        if not complete:
            click.echo(why(), err=True)
    context.exit(exit_code(totals) if complete else exit_codes.INTERRUPTED)


def _on_tree(files: Sequence[Path | Piped | Unusable], path: Path) -> Generator[Outcome]:
    # Imported here: only who has a tree needs it.
    from ipvs_est_checks.harness.building.tree import read_tree
    from ipvs_est_checks.harness.histories.replay import outcomes_on_tree

    on_disk = [file for file in files if not isinstance(file, Piped)]
    if len(on_disk) < len(files):
        raise click.UsageError("--tree takes traces from files, not from standard input")
    return outcomes_on_tree(on_disk, read_tree(path))


def _replay(outcomes: Generator[Outcome], files: int, lines: _Lines, found: list[Outcome]) -> bool:
    """Print the outcomes as they come; `found` has them, also if stopped. Whether that is all."""
    try:
        with progress_bar("replay", files) as bar, closing(outcomes) as replayed:
            for outcome in replayed:
                found.append(outcome)
                printed = list(_printed(outcome, lines))
                if printed:
                    hide(bar)
                for text, on_stderr in printed:
                    click.echo(text, err=on_stderr, color=True)
                draw(bar, len(found))
    except KeyboardInterrupt:
        return False
    return True


def _printed(outcome: Outcome, lines: _Lines) -> Iterator[tuple[str, bool]]:
    """The lines of an outcome; whether they go to standard error."""
    if isinstance(outcome, Unusable | Lost):
        yield _coloured(outcome, on_stderr=True), True
        return
    if lines.quiet and isinstance(outcome, Passed | NotAsked):
        return
    yield _coloured(outcome, on_stderr=False), False
    if lines.verbose and not isinstance(outcome, NotAsked):
        for line in violation_lines(outcome.violations):
            yield line, False


def _coloured(outcome: Outcome, *, on_stderr: bool) -> str:
    word = verdict(outcome)
    wanted = not os.environ.get("NO_COLOR") and os.environ.get("TERM") != "dumb"
    if wanted and is_terminal(sys.stderr if on_stderr else sys.stdout):
        word = click.style(word, fg=_COLOURS[word])
    return f"{word} {details(outcome)}"


def _override(kernel: str | None, revision: str | None) -> Revision | None:
    if kernel is not None and revision is not None:
        raise click.UsageError("--kernel and --revision exclude each other")
    try:
        if kernel is not None:
            return find_revision(kernel, "--kernel")
        if revision is not None:
            return find_revision(revision, "--revision")
    except InputError as error:
        raise click.UsageError(printable(str(error))) from None
    return None


def _json(found: Sequence[Outcome], stopped: str) -> str:
    from ipvs_est_checks.conformance.replay_json import json_report

    return json_report(found, stopped)


def _junit(found: Sequence[Outcome], stopped: str) -> str:
    from ipvs_est_checks.conformance.replay_junit import junit_report

    return junit_report(found, stopped)
