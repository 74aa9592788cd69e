"""`ipvs-est compare-steps`."""

from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

import click

from ipvs_est import REVISIONS
from ipvs_est.language.revision import Revision
from ipvs_est_checks.cli.options.named_path import NamedPath
from ipvs_est_checks.explore.scenarios.scenario import Scenario, library, scenario_text
from ipvs_est_checks.generate.scenarios import make_scenarios
from ipvs_est_checks.machines.profiles import fresh_seed
from ipvs_est_checks.terminal import exit_codes
from ipvs_est_checks.terminal.bad_input import BadInputError
from ipvs_est_checks.terminal.progress import Bar, draw, hide, progress_bar

if TYPE_CHECKING:
    from ipvs_est_checks.harness.steps.compare import Compared


@click.command("compare-steps")
@click.argument("scenarios", nargs=-1, metavar="[SCENARIO]...")
@click.option(
    "--tree", metavar="TREE", type=NamedPath(), required=True, help="The Linux tree with the code."
)
@click.option(
    "--revision",
    type=click.Choice(list(REVISIONS)),
    help="Of the model.  [default: mainline from 7.3 on, else stable]",
)
@click.option(
    "--schedules",
    metavar="N",
    type=click.IntRange(1),
    default=100,
    show_default=True,
    help="Random schedules of each scenario.",
)
@click.option(
    "--generated",
    metavar="N",
    type=click.IntRange(0),
    default=0,
    show_default=True,
    help="Compare that many scenarios that Hypothesis makes as well.",
)
@click.option("--seed", metavar="N", type=click.IntRange(0, 2**32 - 1), help="Default: a new one.")
@click.option(
    "--schedule",
    "only",
    metavar="K",
    type=click.IntRange(0),
    help="Compare schedule K of the seed alone, with a snapshot at each common point.",
)
@click.pass_context
def compare_steps(
    context: click.Context,
    scenarios: tuple[str, ...],
    tree: Path,
    revision: str | None,
    schedules: int,
    generated: int,
    seed: int | None,
    only: int | None,
) -> None:
    """Run the model and the code of a tree side by side, and tell where they first part.

    SCENARIO is of the library or a file; default: all of the library. Under random schedules
    either side goes on to the next point that both have; there it is compared who can go on, at
    which point the task stands, how many RCU callbacks wait, and, in one schedule of sixteen at
    each point, in the others at the end, the snapshot. Exit code 1 if they part.
    """
    # Imported here: only who has a tree needs it.
    from ipvs_est_checks.cli.commands.explore import load_scenario
    from ipvs_est_checks.harness.building.tree import read_tree, version_text
    from ipvs_est_checks.harness.steps.compare import Compared
    from ipvs_est_checks.harness.steps.session import (
        Session,
        compare_scenario,
        compared_line,
    )

    read = read_tree(tree)
    chosen: Revision = REVISIONS[revision or ("mainline" if read.version >= (7, 3) else "stable")]
    number = fresh_seed() if seed is None else seed
    click.echo(f"linux {version_text(read)} in {tree}, model {chosen.name}, seed {number}")
    session = Session(read, chosen, number, schedules, only)
    wanted: list[Scenario] = [
        load_scenario(each, (chosen.name,)) for each in scenarios or library()
    ]
    wanted += make_scenarios(number, generated)
    total = Compared()
    parted = left = 0
    with progress_bar("compare", len(wanted) * (1 if only is not None else schedules)) as bar:
        for scenario in wanted:
            done = Compared()
            try:
                lines = compare_scenario(
                    session,
                    scenario,
                    done,
                    partial(_draw, bar, total, done, scenario.name),
                )
            except BadInputError as error:
                hide(bar)
                click.echo(f"not compared {scenario.name}: {error}")
                left += 1
                continue
            total.add(done)
            hide(bar)
            click.echo(f"{'DIFFER' if lines else 'equal '} {scenario.name}: {compared_line(done)}")
            for line in lines:
                click.echo(f"  {line}")
            if lines:
                parted += 1
                files = [each for each in scenarios if Path(each).stem == scenario.name]
                named = files[0] if files else scenario.name
                if named not in scenarios and named not in library():
                    # The name of the file is a part of the seed.
                    click.echo(f"  {named}.json: {scenario_text(scenario)}")
                    named = f"{named}.json"
                click.echo(
                    f"  again: ipvs-est compare-steps --tree {tree} {named}"
                    f" --revision {chosen.name} --seed {number}"
                    f" --schedule {done.schedules - 1 if only is None else only}"
                )
    click.echo(f"in all: {compared_line(total)}; {parted} scenarios differ, {left} not compared")
    context.exit(exit_codes.FAIL if parted else exit_codes.PASS)


def _draw(bar: Bar, total: "Compared", done: "Compared", name: str) -> None:
    draw(bar, total.schedules + done.schedules, name)
