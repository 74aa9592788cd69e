"""`ipvs-est simulate`."""

import re
from fractions import Fraction

import click

from ipvs_est.language.cpulist import CpulistError, parse_cpulist
from ipvs_est.language.params import MAX_POSSIBLE_CPUS
from ipvs_est.language.revision import MAINLINE, REVISIONS
from ipvs_est_checks.cli.options.report import check_targets, json_option, reports_at_end
from ipvs_est_checks.comparison.picture import simulation_svg
from ipvs_est_checks.comparison.simulate import (
    MAX_ESTIMATORS,
    ScenarioError,
    SimulatedLoad,
    json_report,
)
from ipvs_est_checks.comparison.simulate import simulate as run_simulation
from ipvs_est_checks.comparison.text import print_report
from ipvs_est_checks.terminal.bad_input import BadInputError
from ipvs_est_checks.terminal.console import output_console
from ipvs_est_checks.terminal.printable import printable
from ipvs_est_checks.terminal.progress import draw, progress_bar

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
        complaint = f"{value!r} is not a number with at most 3 digits after the point."
        raise click.BadParameter(complaint, ctx, param)
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
@json_option()
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
        scenario = SimulatedLoad(
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
    check_targets(targets)

    with progress_bar("simulate", 100) as bar:

        def say(stage: str, share: float) -> None:
            draw(bar, int(100 * share), stage)

        simulation = run_simulation(scenario, say)

    with reports_at_end(
        ("--svg", svg_file, lambda: simulation_svg(simulation)),
        ("--json", json_file, lambda: json_report(simulation)),
    ):
        print_report(simulation, output_console())
