"""`ipvs-est record`."""

import time

import click

from ipvs_est_checks.cli.options.amount import AmountType
from ipvs_est_checks.cli.options.report import check_targets, write_target
from ipvs_est_checks.live.memory.unreadable import UnreadableError
from ipvs_est_checks.live.recording.record import record
from ipvs_est_checks.terminal import exit_codes
from ipvs_est_checks.terminal.bad_input import BadInputError
from ipvs_est_checks.terminal.printable import printable
from ipvs_est_checks.terminal.progress import draw, progress_bar

_STEP = 0.1


@click.command("record")
@click.option(
    "--seconds",
    metavar="S",
    type=AmountType(0, min_open=True),
    default=30.0,
    show_default=True,
    help="How long; ctrl-C ends it earlier, and what there is is written.",
)
@click.option("-o", "--output", metavar="FILE", required=True, help="The live log.")
@click.option("--netns", metavar="N", type=click.IntRange(1), help="The netns of that inode.")
@click.pass_context
def record_command(context: click.Context, seconds: float, output: str, netns: int | None) -> None:
    """Record what the running kernel's estimator does, for `judge`.

    Estimations, starts and stops of estimators and kthreads, by probes in a tracefs instance
    that goes away at the end, and a snapshot before and after. Needs root.
    """
    check_targets({"--output": output})
    interrupted = False
    with progress_bar("record", 1) as bar:

        def wait() -> float:
            nonlocal interrupted
            began = time.monotonic()
            try:
                while (passed := time.monotonic() - began) < seconds:
                    draw(bar, passed / seconds)
                    time.sleep(min(_STEP, seconds - passed))
            except KeyboardInterrupt:
                interrupted = True
            return time.monotonic() - began

        try:
            log, text = record(wait, netns)
        except UnreadableError as error:
            raise BadInputError(printable(str(error))) from None
    write_target("--output", output, text)
    click.echo(f"{output}: {len(log.events)} events in {log.ms / 1000:.1f} s, {log.lost} lost")
    context.exit(exit_codes.INTERRUPTED if interrupted else exit_codes.PASS)
