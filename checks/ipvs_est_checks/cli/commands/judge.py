"""`ipvs-est judge`."""

from collections.abc import Sequence
from itertools import groupby
from pathlib import Path

import click

from ipvs_est.language.input_error import InputError
from ipvs_est_checks.cli.options.named_path import NamedPath
from ipvs_est_checks.cli.options.report import check_targets, json_option, write_target
from ipvs_est_checks.judging.evidence import Evidence, EvidenceError, evidence_of
from ipvs_est_checks.judging.verdicts import REPORT_VERSION, FileVerdict, verdicts
from ipvs_est_checks.live.recording.beside_model import beside_model
from ipvs_est_checks.live.recording.judged import TOLERANCE, judge_live_log
from ipvs_est_checks.live.recording.live_log import is_live_log, parse_live_log
from ipvs_est_checks.live.recording.text import beside_model_lines, live_log_lines
from ipvs_est_checks.report.json_text import json_text
from ipvs_est_checks.report.verdict import Verdict, counted, exit_code, worst
from ipvs_est_checks.terminal.bad_input import BadInputError
from ipvs_est_checks.terminal.printable import printable


@click.command("judge")
@click.argument("path", metavar="FILE", type=NamedPath(dir_okay=False))
@click.option(
    "--tolerance",
    metavar="J",
    type=click.IntRange(0, 1000),
    default=TOLERANCE,
    show_default=True,
    help="Of a live log: jiffies by which a wake-up may be late.",
)
@click.option(
    "--unlocked",
    is_flag=True,
    help="Take for granted that nobody holds a mutex of which the file tells nothing.",
)
@json_option()
@click.option(
    "-v",
    "--verbose",
    is_flag=True,
    help="Also what holds; of a live log also what is not judged, and why.",
)
@click.pass_context
def judge_command(
    context: click.Context,
    path: Path,
    tolerance: int,
    unlocked: bool,
    json_file: str | None,
    verbose: bool,
) -> None:
    """Judge what FILE tells, from whatever source, by the properties.

    FILE is a live log, as `record` writes it; a trace with dumps or snapshots; a snapshot;
    answers of an oracle that is watched, from `configured` on; or events, one a line behind a line
    with the params. Members of a snapshot may be absent: absent is not zero. Told is what does
    not hold and where, then what cannot be judged and why, which is never a pass. Exit code 3:
    nothing could be judged.
    """
    check_targets({"--json": json_file})
    text = _text(path)
    if is_live_log(text.partition("\n")[0]):
        if json_file is not None:
            raise click.UsageError("--json: a live log has no such report")
        context.exit(_live(path, text, tolerance, verbose=verbose))
    try:
        evidence = evidence_of(text)
    except EvidenceError as error:
        raise BadInputError(printable(f"{path}: {error}")) from None
    found = verdicts(evidence, unlocked=unlocked)
    for line in _lines(evidence, found, verbose=verbose):
        click.echo(printable(line))
    if json_file is not None:
        write_target("--json", json_file, _json(path, evidence, found))
    context.exit(exit_code(worst(file_verdict.verdict for file_verdict in found)))


def _text(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8")
    except OSError as error:
        raise BadInputError(f"{printable(str(path))}: {error.strerror}") from None
    except UnicodeDecodeError:
        raise BadInputError(f"{printable(str(path))}: is no UTF-8") from None


def _live(path: Path, text: str, tolerance: int, *, verbose: bool) -> int:
    """By the properties of records alone, of which some tolerate a late wake-up."""
    try:
        log = parse_live_log(text.splitlines())
    except InputError as error:
        what = f"{printable(str(path))}: {error.field}: {error.message}"
        raise BadInputError(printable(what)) from None
    judged = list(judge_live_log(log, tolerance))
    for line in live_log_lines(log, judged, tolerance, verbose=verbose):
        click.echo(printable(line))
    beside = beside_model(log, tolerance)
    for line in beside_model_lines(beside, verbose=verbose):
        click.echo(printable(line))
    verdict = worst(judged_record.verdict for judged_record in judged)
    return exit_code(Verdict.FAIL if beside.different else verdict)


def _lines(evidence: Evidence, found: Sequence[FileVerdict], *, verbose: bool) -> list[str]:
    lines = [
        f"{len(evidence.states)} states, {len(evidence.events)} events,"
        f" {len(evidence.violations)} violations"
    ]
    for file_verdict in found:
        if file_verdict.verdict is Verdict.FAIL:
            lines += [
                f"FAIL {file_verdict.property.id}: {file_verdict.property.sentence}",
                f"  {file_verdict.detail}",
            ]
        elif file_verdict.verdict is Verdict.PASS and verbose:
            lines.append(f"PASS {file_verdict.property.id} ({file_verdict.checks})")
    left = [file_verdict for file_verdict in found if file_verdict.verdict is Verdict.NOT_JUDGED]
    left.sort(key=lambda file_verdict: file_verdict.detail)
    for reason, some in groupby(left, key=lambda file_verdict: file_verdict.detail):
        lines.append(
            f"not judged: {', '.join(file_verdict.property.id for file_verdict in some)}: {reason}"
        )
    lines.append(f"properties: {counted(file_verdict.verdict for file_verdict in found)}")
    return lines


def _json(file: Path, evidence: Evidence, found: Sequence[FileVerdict]) -> str:
    report = {
        "file": str(file),
        "states": len(evidence.states),
        "events": len(evidence.events),
        "violations": len(evidence.violations),
        "properties": [
            {
                "id": file_verdict.property.id,
                "sentence": file_verdict.property.sentence,
                "verdict": file_verdict.verdict.value,
                "checks": file_verdict.checks,
                "detail": file_verdict.detail,
            }
            for file_verdict in found
        ],
    }
    return json_text("ipvs-est judge", REPORT_VERSION, report)
