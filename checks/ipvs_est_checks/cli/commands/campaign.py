"""`ipvs-est campaign`."""

from concurrent.futures import Executor
from contextlib import suppress
from functools import partial
from math import inf
from pathlib import Path
from time import monotonic

import click

from ipvs_est import REPAIRED, REVISIONS
from ipvs_est.language.input_error import InputError
from ipvs_est_checks.campaign.handout import DASK, dask_executor, process_executor
from ipvs_est_checks.campaign.report import json_report, lines
from ipvs_est_checks.campaign.session import (
    GENERATING,
    CampaignRequest,
    CampaignSession,
    Mode,
    hold,
)
from ipvs_est_checks.cli.options.amount import AmountType
from ipvs_est_checks.cli.options.jobs import jobs_option
from ipvs_est_checks.cli.options.named_path import NamedPath
from ipvs_est_checks.cli.options.report import check_targets, json_option, reports_at_end
from ipvs_est_checks.machines.profiles import fresh_seed
from ipvs_est_checks.report.verdict import exit_code
from ipvs_est_checks.terminal import exit_codes
from ipvs_est_checks.terminal.bad_input import BadInputError
from ipvs_est_checks.terminal.printable import printable
from ipvs_est_checks.terminal.progress import draw, hide, progress_bar

_MINUTES = 10.0


@click.command()
@click.option(
    "--mode",
    type=click.Choice([mode.value for mode in Mode]),
    default=Mode.BATCH.value,
    show_default=True,
    help="code-change: run the corpus, then new cases, keep what fails; batch: keep also what comes"
    " to something new; prune: take out what adds nothing; coverage: tell what it comes to.",
)
@click.option(
    "--corpus",
    "directory",
    metavar="DIR",
    type=NamedPath(file_okay=False),
    required=True,
    help="Directory of the cases; made if it is not there.",
)
@click.option(
    "--minutes",
    metavar="N",
    type=AmountType(0, min_open=True),
    help=f"Begin nothing after so long.  [default: {_MINUTES:g} for new cases, unless --cases is"
    " given]",
)
@click.option(
    "--cases", metavar="N", type=click.IntRange(1), help="Make about so many new cases, no more."
)
@click.option("--seed", metavar="N", type=click.IntRange(0, 2**32 - 1), help="Of new cases.")
@click.option(
    "--revision",
    type=click.Choice(list(REVISIONS)),
    default=REPAIRED.name,
    show_default=True,
    help="On which they are run.",
)
@jobs_option()
@click.option(
    "--dask",
    metavar="ADDRESS",
    help="Work on the machines of this Dask scheduler instead, such as tcp://host:8786; needs the"
    " extra dask.",
)
@json_option()
@click.pass_context
def campaign(
    context: click.Context,
    mode: str,
    directory: Path,
    minutes: float | None,
    cases: int | None,
    seed: int | None,
    revision: str,
    jobs: int,
    dask: str | None,
    json_file: str | None,
) -> None:
    """Make histories and scenarios for a long time, and keep those that are worth it.

    The corpus is a directory of small files, named by their content: copy files, or let git merge
    them, to join two. What fails is kept in DIR/failing and run first. Every session that makes
    cases has a canary, a mistake that is planted in the model: if it is not found, the verdict is
    INCOMPLETE. With --cases, equal seeds and corpora give equal sessions, whatever -j is.
    """
    check_targets({"--json": json_file})
    chosen = Mode(mode)
    if chosen in GENERATING:
        seed = fresh_seed() if seed is None else seed
        click.echo(f"seed {seed}")
        minutes = _MINUTES if minutes is None and cases is None else minutes
    until = inf if minutes is None else monotonic() + 60 * minutes
    ended = False
    session = CampaignSession(
        CampaignRequest(chosen, directory, REVISIONS[revision], seed or 0, cases, until)
    )
    with (
        progress_bar("campaign", 0) as bar,
        reports_at_end(("--json", json_file, lambda: json_report(session))),
    ):
        try:
            with suppress(KeyboardInterrupt):
                hold(session, partial(_executor, jobs, dask), lambda text: draw(bar, 0, text))
                ended = True
        except InputError as error:
            raise BadInputError(f"{printable(error.field)}: {error.message}") from None
        except OSError as error:
            name = printable(str(error.filename or directory))
            raise BadInputError(f"{name}: {error.strerror or error}") from None
        hide(bar)
        for line in lines(session):
            click.echo(line)
    context.exit(exit_code(session.verdict) if ended else exit_codes.INTERRUPTED)


def _executor(jobs: int, dask: str | None) -> Executor:
    if dask is None:
        return process_executor(jobs)
    try:
        return dask_executor(dask)
    except ImportError as error:
        raise BadInputError(
            f"--dask: {error.name} is not installed: pip install {DASK}, or the extra dask"
        ) from None
    except OSError as error:
        raise BadInputError(f"--dask {printable(dask)}: {error}") from None
