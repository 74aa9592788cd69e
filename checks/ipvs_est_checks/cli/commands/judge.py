"""`ipvs-est judge`."""

from pathlib import Path

import click

from ipvs_est.language.input_error import InputError
from ipvs_est_checks.cli.options.named_path import NamedPath
from ipvs_est_checks.live.recording.judged import TOLERANCE, judge_live_log
from ipvs_est_checks.live.recording.live_log import parse_live_log
from ipvs_est_checks.live.recording.text import live_log_lines
from ipvs_est_checks.report.verdict import exit_code, worst
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
    help="Jiffies by which a wake-up may be late.",
)
@click.option("-v", "--verbose", is_flag=True, help="Also what is not judged, and why.")
@click.pass_context
def judge_command(context: click.Context, path: Path, tolerance: int, verbose: bool) -> None:
    """Judge a live log, as `record` writes it, by the properties of records.

    For each property how many cases there were; one without cases is not judged.
    """
    try:
        log = parse_live_log(path.read_text(encoding="utf-8").splitlines())
    except OSError as error:
        raise BadInputError(f"{printable(str(path))}: {error.strerror}") from None
    except UnicodeDecodeError:
        raise BadInputError(f"{printable(str(path))}: is no UTF-8") from None
    except InputError as error:
        what = f"{printable(str(path))}: {error.field}: {error.message}"
        raise BadInputError(printable(what)) from None
    judged = list(judge_live_log(log, tolerance))
    for line in live_log_lines(log, judged, tolerance, verbose=verbose):
        click.echo(printable(line))
    context.exit(exit_code(worst(each.verdict for each in judged)))
