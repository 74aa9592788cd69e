"""`ipvs-est mutants --tree`: mistakes in the C of a tree, and what finds them."""

from contextlib import suppress
from pathlib import Path

import click

from ipvs_est_checks.cli.commands.check_tree import tell_nearest
from ipvs_est_checks.engines.tree.planted import Planted, PlantedOutcome, look_for, outcome_rows
from ipvs_est_checks.harness.building.tree import read_tree
from ipvs_est_checks.harness.edits.mutants import MUTANTS
from ipvs_est_checks.report.columns import aligned
from ipvs_est_checks.terminal import exit_codes
from ipvs_est_checks.terminal.progress import draw, hide, progress_bar
from ipvs_est_checks.terminal.suggest import check_names
from ipvs_est_checks.workers import Pool, results_of


def mutants_on_tree(path: Path, ids: tuple[str, ...], seed: int, jobs: int) -> int:
    """Tell of each by which check and property it is found; FAIL if one is not."""
    known = {mutant.id: mutant for mutant in MUTANTS}
    check_names("mutant", ids, known, "`ipvs-est mutants --tree TREE` runs all of them")
    tree = read_tree(path)
    revision = tell_nearest(tree).revision
    work = [Planted(tree, revision, known[identity], seed) for identity in ids or known]
    outcomes: list[PlantedOutcome] = []
    with progress_bar("mutants", len(work)) as bar, suppress(KeyboardInterrupt):
        with Pool(min(jobs, len(work))) as pool:
            for planted, outcome in results_of(pool, look_for, work, _id):
                outcomes.append(outcome)
                draw(bar, len(outcomes), planted.mutant.id)
        hide(bar)
    for line in aligned(list(outcome_rows(outcomes))):
        click.echo(line)
    found = sum(bool(outcome.found_by) for outcome in outcomes)
    click.echo(f"{found} of {len(outcomes)} are found by the property that each is to break")
    if len(outcomes) < len(work):
        click.echo(f"interrupted after {len(outcomes)} of {len(work)} mutants", err=True)
        return exit_codes.INTERRUPTED
    return exit_codes.PASS if found == len(outcomes) else exit_codes.FAIL


def _id(planted: Planted) -> str:
    return planted.mutant.id
