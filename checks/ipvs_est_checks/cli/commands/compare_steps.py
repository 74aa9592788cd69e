"""`ipvs-est compare-steps`."""

from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

import click

from ipvs_est import REVISIONS
from ipvs_est_checks.cli.options.jobs import jobs_option
from ipvs_est_checks.cli.options.named_path import NamedPath
from ipvs_est_checks.explore.scenarios.scenario import Scenario, library, scenario_text
from ipvs_est_checks.generate.scenarios import make_scenarios
from ipvs_est_checks.machines.profiles import fresh_seed
from ipvs_est_checks.terminal import exit_codes
from ipvs_est_checks.terminal.progress import Bar, draw, hide, progress_bar

if TYPE_CHECKING:
    from ipvs_est_checks.harness.steps.many import ComparedOutcome
    from ipvs_est_checks.harness.steps.session import StepsSession


@dataclass(slots=True)
class _Page:
    """What the user sees: lines in the order of the scenarios, and the progress."""

    session: "StepsSession"
    scenarios: Sequence[Scenario]
    named: tuple[str, ...]
    """Scenarios as they stand on the command line."""
    bar: Bar
    outcomes: "dict[int, ComparedOutcome]" = field(default_factory=dict)
    """By index; of those that are being compared, so far."""
    printed: int = 0
    """Scenarios."""
    complete: bool = False


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
@jobs_option()
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
    jobs: int,
) -> None:
    """Run the model and the code of a tree side by side, and tell where they first part.

    SCENARIO is of the library or a file; default: all of the library. Under random schedules
    either side goes on to the next point that both have; there it is compared who can go on, at
    which point the task stands, how many RCU callbacks wait, and, in one schedule of sixteen at
    each point, in the others at the end, the snapshot. Exit code 1 if they part. An interrupted
    run tells how much it has compared.
    """
    # Imported here: only who has a tree needs it.
    from ipvs_est_checks.cli.commands.explore import load_scenario
    from ipvs_est_checks.harness.building.tree import read_tree, version_text
    from ipvs_est_checks.harness.steps.many import compare_all
    from ipvs_est_checks.harness.steps.session import StepsSession, revision_of

    read = read_tree(tree)
    chosen = revision_of(read) if revision is None else REVISIONS[revision]
    number = fresh_seed() if seed is None else seed
    click.echo(f"linux {version_text(read)} in {tree}, model {chosen.name}, seed {number}")
    session = StepsSession(read, chosen, number, schedules, only)
    wanted: list[Scenario] = [
        load_scenario(scenario, (chosen.name,)) for scenario in scenarios or library()
    ]
    wanted += make_scenarios(number, generated)
    with progress_bar("compare", len(wanted) * (1 if only is not None else schedules)) as bar:
        board = _Page(session, wanted, scenarios, bar)
        with suppress(KeyboardInterrupt):
            compare_all(session, wanted, jobs, lambda index, outcome: _note(board, index, outcome))
            board.complete = True
    context.exit(_summary(board))


def _note(board: _Page, index: int, outcome: "ComparedOutcome") -> None:
    """Tell of each scenario in its turn."""
    board.outcomes[index] = outcome
    while (shown := board.outcomes.get(board.printed)) is not None and _is_over(shown):
        hide(board.bar)
        _tell(board, board.scenarios[board.printed], shown)
        board.printed += 1
    done = sum(outcome.done.schedules for outcome in board.outcomes.values())
    draw(board.bar, done, board.scenarios[index].name)


def _is_over(outcome: "ComparedOutcome") -> bool:
    return outcome.ended or bool(outcome.why_not)


def _tell(board: _Page, scenario: Scenario, outcome: "ComparedOutcome") -> None:
    from ipvs_est_checks.harness.steps.session import compared_line

    if outcome.why_not:
        click.echo(f"not compared {scenario.name}: {outcome.why_not}")
        return
    verdict = "DIFFER" if outcome.parting else "equal "
    click.echo(f"{verdict} {scenario.name}: {compared_line(outcome.done)}")
    for line in outcome.parting:
        click.echo(f"  {line}")
    if outcome.parting:
        _tell_how_again(board, scenario, outcome)


def _tell_how_again(board: _Page, scenario: Scenario, outcome: "ComparedOutcome") -> None:
    session = board.session
    files = [name for name in board.named if Path(name).stem == scenario.name]
    named = files[0] if files else scenario.name
    if named not in board.named and named not in library():
        # The name of the file is a part of the seed.
        click.echo(f"  {named}.json: {scenario_text(scenario)}")
        named = f"{named}.json"
    only = outcome.done.schedules - 1 if session.only is None else session.only
    click.echo(
        f"  again: ipvs-est compare-steps --tree {session.tree.path} {named}"
        f" --revision {session.revision.name} --seed {session.seed} --schedule {only}"
    )


def _summary(board: _Page) -> int:
    """Tell what was compared in all; the exit code."""
    from ipvs_est_checks.harness.steps.compare import Compared
    from ipvs_est_checks.harness.steps.session import compared_line

    total = Compared()
    for compared_outcome in board.outcomes.values():
        total.add(compared_outcome.done)
    outcomes = board.outcomes.values()
    for index in range(board.printed, len(board.scenarios)):
        outcome = board.outcomes.get(index)
        if outcome is not None and _is_over(outcome):
            _tell(board, board.scenarios[index], outcome)
    parted = sum(bool(outcome.parting) for outcome in outcomes)
    left = sum(bool(outcome.why_not) for outcome in outcomes)
    click.echo(
        f"{'' if board.complete else 'interrupted: '}in all: {compared_line(total)};"
        f" {parted} scenarios differ, {left} not compared"
    )
    if not board.complete:
        return exit_codes.INTERRUPTED
    return exit_codes.FAIL if parted else exit_codes.PASS
