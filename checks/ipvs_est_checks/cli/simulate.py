"""`ipvs-est simulate`."""

import json
import re
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from fractions import Fraction
from time import monotonic

import click
from rich.console import Console
from rich.progress import Progress as ProgressBar
from rich.progress import TaskID

from ipvs_est.language.cpulist import CpulistError, parse_cpulist
from ipvs_est.language.params import MAX_POSSIBLE_CPUS
from ipvs_est.language.revision import MAINLINE, REVISIONS
from ipvs_est_checks.cli.bad_input import BadInputError
from ipvs_est_checks.cli.printable import printable
from ipvs_est_checks.cli.progress import is_terminal
from ipvs_est_checks.cli.report_option import STDOUT, check_targets, json_option, write_target
from ipvs_est_checks.comparison.picture import simulation_svg
from ipvs_est_checks.comparison.simulate import (
    MAX_ESTIMATORS,
    Progress,
    Scenario,
    ScenarioError,
    to_json,
)
from ipvs_est_checks.comparison.simulate import simulate as run_simulation
from ipvs_est_checks.comparison.text import print_report

SECONDS_BEFORE_PROGRESS = 1.0

_OPTION_OF_FIELD = {
    "cost_ps": "--cost",
    "cache_factor": "--cache-factor",
    "arrival_seconds": "--over",
}
PS_PER_NS = 1000


_DECIMAL = re.compile(r"[0-9]{1,18}(\.[0-9]{1,3})?")


def _decimal(ctx: click.Context, param: click.Parameter, value: str) -> Fraction:
    """A number with at most three digits after the point, exactly."""
    if not _DECIMAL.fullmatch(value):
        told = f"{value!r} is not a number with at most 3 digits after the point."
        raise click.BadParameter(told, ctx, param)
    return Fraction(value)


class OneLineCommand(click.Command):
    """A command that puts a usage error into one line, without the usage."""

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        try:
            return super().parse_args(ctx, args)
        except click.UsageError as error:
            raise BadInputError(printable(error.format_message())) from None


@click.command(cls=OneLineCommand)
@click.option(
    "--estimators",
    metavar="N",
    type=click.IntRange(1, MAX_ESTIMATORS),
    default=50_000,
    show_default=True,
    help="Estimators of services and destinations; the total's comes on top.",
)
@click.option(
    "--cpus",
    metavar="N",
    type=click.IntRange(1, MAX_POSSIBLE_CPUS),
    default=64,
    show_default=True,
    help="Possible CPUs.",
)
@click.option(
    "--cost",
    callback=_decimal,
    default="50",
    show_default=True,
    metavar="NS",
    help="Nanoseconds to estimate one estimator, for each possible CPU, with a warm cache;"
    " fractions down to 0.001.",
)
@click.option(
    "--cache-factor",
    callback=_decimal,
    default="4",
    show_default=True,
    metavar="X",
    help="How many times as much an estimation costs with a cold cache. The limits test takes it"
    " for 4; 5 to 6.7 were seen on machines of 64 and 128 CPUs.",
)
@click.option(
    "--over",
    metavar="SECONDS",
    type=int,
    default=0,
    show_default=True,
    help="Add the estimators evenly over that time; 0 adds all at once.",
)
@click.option(
    "--hz", metavar="N", type=int, default=250, show_default=True, help="Jiffies per second."
)
@click.option("--preempt-rcu/--no-preempt-rcu", help="Preemptible RCU: one chain in each tick.")
@click.option(
    "--revision",
    type=click.Choice(list(REVISIONS)),
    default=MAINLINE.name,
    show_default=True,
    help="Revision of the kthreads.",
)
@click.option(
    "--cpulist", metavar="TEXT", help="CPUs for kthreads, as est_cpulist.  [default: all]"
)
@click.option("--svg", "svg_file", metavar="FILE", help="Draw both designs into this file.")
@json_option("Write all numbers as JSON; - for standard output, instead of the report.")
def simulate(
    estimators: int,
    cpus: int,
    cost: Fraction,
    cache_factor: Fraction,
    over: int,
    hz: int,
    preempt_rcu: bool,
    revision: str,
    cpulist: str | None,
    svg_file: str | None,
    json_file: str | None,
) -> None:
    """Compare the kthreads with the one timer that they replaced.

    Both designs estimate the same load in virtual time: how long they keep a CPU without
    a chance to reschedule, how their work spreads over the 2 seconds and the CPUs, and whether
    the kthreads keep their goals.
    """
    try:
        scenario = Scenario(
            estimators=estimators,
            cpus=cpus,
            cost_ps=int(cost * PS_PER_NS),
            cache_factor=cache_factor,
            arrival_seconds=over,
            hz=hz,
            preempt_rcu=preempt_rcu,
            revision=REVISIONS[revision],
            cpulist=None if cpulist is None else parse_cpulist(cpulist, cpus),
        )
    except CpulistError as error:
        raise BadInputError(f"--cpulist: {error} ({error.errno_name})") from None
    except ScenarioError as error:
        option = _OPTION_OF_FIELD.get(error.field, f"--{error.field}")
        raise BadInputError(f"{option}: {error.message}") from None
    targets = {"--svg": svg_file, "--json": json_file}
    check_targets(targets, stdout=frozenset({"--json"}))

    with _progress() as progress:
        simulation = run_simulation(scenario, progress)

    if svg_file is not None:
        write_target("--svg", svg_file, simulation_svg(simulation))
    if json_file is not None:
        text = json.dumps(to_json(simulation), indent=1) + "\n"
        write_target("--json", json_file, text)
        if json_file == STDOUT:
            return
    # Not what rich guesses: an environment variable must not put escapes into a pipe.
    print_report(simulation, Console(force_terminal=is_terminal(sys.stdout)))


@contextmanager
def _progress() -> Iterator[Progress | None]:
    """Progress on standard error: only on a terminal, and only if it takes a while."""
    if not is_terminal(sys.stderr):
        yield None
        return
    bar = ProgressBar(console=Console(stderr=True), transient=True)
    begin = monotonic()
    task: TaskID | None = None

    def say(stage: str, share: float) -> None:
        nonlocal task
        if task is None:
            if monotonic() - begin < SECONDS_BEFORE_PROGRESS:
                return
            bar.start()
            task = bar.add_task(stage, total=1.0)
        bar.update(task, description=stage, completed=share)

    try:
        yield say
    finally:
        if task is not None:
            bar.stop()
