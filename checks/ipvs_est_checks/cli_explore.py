"""`ipvs-est explore`."""

from pathlib import Path
from time import perf_counter

import click

from ipvs_est import REVISIONS
from ipvs_est.input_error import InputError
from ipvs_est_checks import exit_codes
from ipvs_est_checks.explore.dfs import Bounds, Outcome, explore_dfs
from ipvs_est_checks.explore.random_walk import explore_random
from ipvs_est_checks.explore.scenario import Scenario, library, load
from ipvs_est_checks.explore.timeline import timeline
from ipvs_est_checks.explore.token import replay_token, token_from_text, token_text
from ipvs_est_checks.machines.profiles import fresh_seed


@click.command()
@click.argument("scenarios", nargs=-1, metavar="[SCENARIO]...")
@click.option(
    "--revision", "revisions", multiple=True, type=click.Choice(list(REVISIONS)), help="Only that."
)
@click.option("--scheduler", type=click.Choice(["dfs", "random"]), default="dfs", show_default=True)
@click.option(
    "--preemptions", type=click.IntRange(0, 20), default=2, show_default=True, help="Bound of dfs."
)
@click.option(
    "--depth", type=click.IntRange(1), default=5_000, show_default=True, help="Steps in a schedule."
)
@click.option(
    "--iterations",
    type=click.IntRange(1),
    default=100_000,
    show_default=True,
    help="Schedules of one scenario on one revision.",
)
@click.option("--seed", type=click.IntRange(0), help="Of the random scheduler.")
@click.option("--replay", "token", help="Tell the schedule of a token instead.")
def explore(
    scenarios: tuple[str, ...],
    revisions: tuple[str, ...],
    scheduler: str,
    preemptions: int,
    depth: int,
    iterations: int,
    seed: int | None,
    token: str | None,
) -> None:
    """Run SCENARIO, of the library or in a file, under many schedules; default: all of the library.

    Reports the first memory error or deadlock of each, with a token that replays it. Exit code
    1 if there is one, 3 if schedules within the bounds are left over.
    """
    if token is not None:
        _replay(token)
        return
    bounds = Bounds(preemptions, depth, iterations)
    if scheduler == "random":
        seed = fresh_seed() if seed is None else seed
        click.echo(f"seed {seed}")
    code = exit_codes.PASS
    for scenario in [_load(name) for name in scenarios or library()]:
        for name in revisions or REVISIONS:
            started = perf_counter()
            if seed is None:
                outcome = explore_dfs(scenario, REVISIONS[name], bounds)
            else:
                outcome = explore_random(scenario, REVISIONS[name], bounds, seed)
            _tell(scenario, name, outcome, perf_counter() - started)
            if outcome.found is not None:
                code = exit_codes.FAIL
            elif not outcome.figures.exhausted and code == exit_codes.PASS:
                code = exit_codes.INCOMPLETE
    click.get_current_context().exit(code)


def _load(name: str) -> Scenario:
    try:
        return load(name)
    except InputError as error:
        raise click.UsageError(f"{name}: {error.field}: {error.message}") from None
    except (OSError, UnicodeDecodeError) as error:
        known = ", ".join(library())
        reason = error.strerror if isinstance(error, OSError) else "not UTF-8"
        raise click.UsageError(
            f"{name}: {reason}; the library has {known}"
            if not Path(name).exists()
            else f"{name}: {reason}"
        ) from None


def _tell(scenario: Scenario, revision: str, outcome: Outcome, seconds: float) -> None:
    figures, found = outcome.figures, outcome.found
    verdict = "FAIL" if found else "PASS" if figures.exhausted else "INCOMPLETE"
    click.echo(
        f"{scenario.name} on {revision}: {verdict}; {figures.schedules} schedules,"
        f" {figures.states} states, {figures.steps} steps, longest {figures.longest},"
        f" {figures.pruned} pruned, {seconds:.1f} s"
    )
    if found is not None:
        click.echo(f"  {scenario.about}")
        for line in timeline(scenario, REVISIONS[revision], found.choices, found.violation):
            click.echo(line)
        token = token_text(scenario.name, REVISIONS[revision], found.choices)
        click.echo(f"  again: ipvs-est explore --replay {token}")


def _replay(text: str) -> None:
    try:
        token = token_from_text(text)
        scenario = _load(token.scenario)
        _, violation = replay_token(scenario, token)
    except InputError as error:
        raise click.UsageError(f"--replay: {error.message}") from None
    for line in timeline(scenario, token.revision, token.choices, violation):
        click.echo(line)
    code = exit_codes.PASS if violation is None else exit_codes.FAIL
    click.get_current_context().exit(code)
