"""`ipvs-est replay`."""

import os
import sys
from collections.abc import Generator, Iterator, Sequence
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path

import click

from ipvs_est.language.header import find_revision
from ipvs_est.language.input_error import InputError
from ipvs_est.language.revision import Revision
from ipvs_est.replay import Passed
from ipvs_est_checks.cli import exit_codes
from ipvs_est_checks.cli.named_path import NamedPath
from ipvs_est_checks.cli.printable import printable
from ipvs_est_checks.cli.progress import draw, hide, is_terminal, progress_bar
from ipvs_est_checks.cli.report_option import (
    STDOUT,
    check_targets,
    json_option,
    junit_option,
    write_target,
)
from ipvs_est_checks.conformance.outcome import Outcome, Unusable, exit_code, totals_of
from ipvs_est_checks.conformance.pool import WorkerDiedError, outcomes, usable_cpus
from ipvs_est_checks.conformance.replay_text import closing_line, details, verdict, violation_lines
from ipvs_est_checks.conformance.trace_files import trace_files

_STDOUT = Path("-")
_COLOURS = {"PASS": "green", "FAIL": "red", "ERROR": "red"}


@dataclass(frozen=True, slots=True)
class _Lines:
    """Which lines are printed, and where."""

    quiet: bool
    verbose: bool
    on_stderr: bool
    """Because the JSON report goes to standard output."""


@click.command("replay")
@click.argument("paths", metavar="FILE|DIR ...", nargs=-1, required=True, type=NamedPath())
@click.option("--kernel", metavar="VERSION", help="Replay as this kernel, not as the recorded one.")
@click.option("--revision", metavar="NAME", help="The same, by the revision's name.")
@click.option(
    "--tree",
    "tree_path",
    metavar="TREE",
    type=NamedPath(),
    help="Replay on the code of this Linux tree, not on the model.",
)
@click.option(
    "-j",
    "--jobs",
    metavar="N",
    type=click.IntRange(min=0),
    default=1,
    show_default=True,
    help="Replay in N processes; 0: one for each usable CPU.",
)
@json_option("Report as JSON; - for standard output, the lines then go to standard error.")
@junit_option()
@click.option("-q", "--quiet", is_flag=True, help="Only failures and the closing line.")
@click.option("-v", "--verbose", is_flag=True, help="Also what went wrong in the modelled kernel.")
@click.pass_context
def replay_command(
    context: click.Context,
    paths: tuple[Path, ...],
    kernel: str | None,
    revision: str | None,
    tree_path: Path | None,
    jobs: int,
    json_file: str | None,
    junit_file: str | None,
    quiet: bool,
    verbose: bool,
) -> None:
    """Check that the model, or the code of a tree, answers what was recorded.

    A directory stands for its *.jsonl files. Each trace is followed to its first difference.
    """
    override = _override(kernel, revision)
    targets = {"--json": json_file, "--junit": junit_file}
    check_targets(targets, stdout=frozenset({"--json"}))
    lines = _Lines(quiet, verbose, on_stderr=json_file == STDOUT)
    files = trace_files(paths)
    found: list[Outcome] = []
    if tree_path is not None:
        if override is not None:
            raise click.UsageError("--tree excludes --kernel and --revision")
        replayed = _on_tree(files, tree_path)
    else:
        replayed = outcomes(files, override, jobs or usable_cpus())
    stopped = _replay(replayed, len(files), lines, found)
    totals = totals_of(found)
    click.echo(closing_line(totals), err=lines.on_stderr)
    why = ""
    if stopped is not None:
        why = f"{stopped.reason} after {len(found)} of {len(files)} traces"
        click.echo(why, err=True)
    _write_reports(found, why, json_file, junit_file)
    context.exit(exit_code(totals) if stopped is None else stopped.exit_code)


@dataclass(frozen=True, slots=True)
class _Stopped:
    """Not all files were replayed."""

    reason: str
    exit_code: int


def _on_tree(files: Sequence[Path | Unusable], path: Path) -> Generator[Outcome]:
    # Imported here: only who has a tree needs it.
    from ipvs_est_checks.harness.replay import outcomes_on_tree
    from ipvs_est_checks.harness.tree import read_tree

    return outcomes_on_tree(files, read_tree(path))


def _replay(
    outcomes: Generator[Outcome], files: int, lines: _Lines, found: list[Outcome]
) -> _Stopped | None:
    """Print the outcomes as they come; `found` has them, also if stopped."""
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
        return _Stopped("interrupted", exit_codes.INTERRUPTED)
    except WorkerDiedError as error:
        return _Stopped(f"{printable(str(error))}: stopped", exit_codes.INCOMPLETE)
    return None


def _printed(outcome: Outcome, lines: _Lines) -> Iterator[tuple[str, bool]]:
    """The lines of an outcome; whether they go to standard error."""
    if isinstance(outcome, Unusable):
        yield _coloured(outcome, on_stderr=True), True
        return
    if lines.quiet and isinstance(outcome, Passed):
        return
    yield _coloured(outcome, on_stderr=lines.on_stderr), lines.on_stderr
    if lines.verbose:
        for line in violation_lines(outcome.violations):
            yield line, lines.on_stderr


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


def _write_reports(
    found: Sequence[Outcome], stopped: str, json_file: str | None, junit_file: str | None
) -> None:
    if json_file is not None:
        from ipvs_est_checks.conformance.replay_json import json_report

        write_target("--json", json_file, json_report(found, stopped))
    if junit_file is not None:
        from ipvs_est_checks.conformance.replay_junit import junit_report

        write_target("--junit", junit_file, junit_report(found, stopped))
