"""`ipvs-est inspect`."""

import time
from contextlib import AbstractContextManager
from pathlib import Path

import click

from ipvs_est_checks.cli.options.amount import AmountType
from ipvs_est_checks.cli.options.named_path import NamedPath
from ipvs_est_checks.cli.options.report import (
    check_targets,
    json_option,
    junit_option,
    reports_at_end,
)
from ipvs_est_checks.live.consistent import Target, dump_target, live_target, qemu_target
from ipvs_est_checks.live.inspect_files import json_report, junit_report
from ipvs_est_checks.live.inspection import Inspected, inspect, verdict_of
from ipvs_est_checks.live.memory.unreadable import UnreadableError
from ipvs_est_checks.live.page import page
from ipvs_est_checks.report.verdict import exit_code
from ipvs_est_checks.terminal.bad_input import BadInputError
from ipvs_est_checks.terminal.printable import printable
from ipvs_est_checks.terminal.progress import draw, progress_bar

_STEP = 0.1


@click.command("inspect")
@click.option(
    "--dump",
    metavar="FILE",
    type=NamedPath(dir_okay=False),
    help="A dump of the whole machine instead of the running kernel.",
)
@click.option(
    "--qemu",
    metavar="SOCKET",
    type=NamedPath(dir_okay=False),
    help="A qemu guest, by its QMP socket; it is stopped while it is read.",
)
@click.option(
    "--wait",
    "seconds",
    metavar="S",
    type=AmountType(0),
    default=5.0,
    show_default=True,
    help="Seconds between two looks at what runs; less than 4 leaves some properties open.",
)
@click.option("--netns", metavar="N", type=click.IntRange(1), help="Only the netns of that inode.")
@click.option(
    "--no-probes", is_flag=True, help="Count no function calls in the running kernel: less sure."
)
@click.option(
    "--quiet",
    is_flag=True,
    help="Of a dump: take for granted that nothing was configured in the 4 seconds before it.",
)
@json_option()
@junit_option()
@click.option("-v", "--verbose", is_flag=True, help="List all estimators.")
@click.pass_context
def inspect_command(
    context: click.Context,
    dump: Path | None,
    qemu: Path | None,
    seconds: float,
    netns: int | None,
    no_probes: bool,
    quiet: bool,
    json_file: str | None,
    junit_file: str | None,
    verbose: bool,
) -> None:
    """Judge the estimator of a kernel: the one that runs here, a dump, or a qemu guest.

    For each netns with services a page: its kthreads, limits and estimators, and each property of
    states with its verdict; of one that fails what breaks it, the finding that explains it, what
    it means for rates, and what to do. Only reads; a running kernel has five functions counted
    meanwhile. Needs root, and types in the kernel (BTF).

    Exit code 3: nothing fails, but something could not be told.
    """
    if dump is not None and qemu is not None:
        raise click.UsageError("--dump and --qemu exclude each other")
    if quiet and dump is None:
        raise click.UsageError("--quiet is for a --dump")
    check_targets({"--json": json_file, "--junit": junit_file})
    found: list[Inspected] = []
    targets: list[Target] = []
    with (
        reports_at_end(
            ("--json", json_file, lambda: json_report(targets[0] if targets else None, found)),
            ("--junit", junit_file, lambda: junit_report(found)),
        ),
        progress_bar("inspect", 1) as bar,
    ):

        def wait(pause: float) -> None:
            end = time.monotonic() + pause
            while (left := end - time.monotonic()) > 0:
                draw(bar, 1 - left / pause, "waiting for two looks to be apart")
                time.sleep(min(left, _STEP))

        try:
            with _target(dump, qemu, probes=not no_probes) as target:
                targets.append(target)
                some, left_out = inspect(target, wait, seconds, netns=netns, assume_quiet=quiet)
                found += some
        except UnreadableError as error:
            what = "" if dump is None and qemu is None else f"{dump or qemu}: "
            raise BadInputError(printable(f"{what}{error}")) from None
        kernel = target.reader.kernel
        click.echo(printable(f"kernel {kernel.release}, looked at as {target.reader.revision}"))
        for inspected in found:
            click.echo()
            for line in page(inspected, lambda text, fg: click.style(text, fg=fg), verbose=verbose):
                click.echo(printable(line) if line.isprintable() else line)
        if left_out:
            click.echo(f"\n{left_out} more netns without services")
    context.exit(exit_code(verdict_of(found)))


def _target(
    dump: Path | None, qemu: Path | None, *, probes: bool
) -> AbstractContextManager[Target]:
    if dump is not None:
        return dump_target(dump)
    if qemu is not None:
        return qemu_target(qemu)
    return live_target(probes=probes)
