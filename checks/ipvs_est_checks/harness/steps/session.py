"""Scenarios compared on one tree: programs by their options, what is left out, what is told."""

from collections.abc import Callable
from dataclasses import dataclass

from ipvs_est.language.revision import MAINLINE, STABLE, Revision
from ipvs_est.language.violations import ViolationError, describe
from ipvs_est_checks.explore.engine.world import start
from ipvs_est_checks.explore.scenarios.scenario import Scenario
from ipvs_est_checks.harness.building.build import build
from ipvs_est_checks.harness.building.options import Variant, options_for
from ipvs_est_checks.harness.building.tree import Tree
from ipvs_est_checks.harness.process import asking, asking_all, running
from ipvs_est_checks.harness.steps.code_side import in_order_of_table, why_not, with_own_breaks
from ipvs_est_checks.harness.steps.compare import (
    Compared,
    Pair,
    compare_one,
    compare_schedules,
    random_choices,
)
from ipvs_est_checks.harness.steps.timeline import parting_lines
from ipvs_est_checks.subjects.schedules import prepare
from ipvs_est_checks.terminal.bad_input import BadInputError


@dataclass(frozen=True, slots=True)
class StepsSession:
    """What is compared with what."""

    tree: Tree
    revision: Revision
    seed: int
    schedules: int
    """Of each scenario."""
    only: int | None
    """The one schedule to be compared, if not all of them."""


def revision_of(tree: Tree) -> Revision:
    """The revision of the model that a tree is compared with, unless the user names another."""
    return MAINLINE if tree.version >= (7, 3) else STABLE


def compare_scenario(
    session: StepsSession, scenario: Scenario, done: Compared, on_schedule: Callable[[], None]
) -> list[str]:
    """Compare the schedules of one scenario; lines that tell where the two part, if they do.

    Raises BadInputError if the code cannot be compared in this scenario.
    """
    why = why_not(scenario)
    if why:
        raise BadInputError(why)
    own = with_own_breaks(scenario)
    executable = build(session.tree, options_for(own.params, Variant.POINTS))
    with running(executable) as program:
        ask = asking(program)
        ready = in_order_of_table(ask, own)
        prepare(ask, ready)
        _check_setup(ready, session.revision)
        pair = Pair(ready, session.revision, ask)
        if session.only is None:
            parting = compare_schedules(
                pair, asking_all(program), session.seed, session.schedules, done, on_schedule
            )
        else:
            choose = random_choices(session.seed, ready.name, session.only)
            parting = compare_one(pair, choose, done)
        return [] if parting is None else parting_lines(parting, ask, executable)


def _check_setup(scenario: Scenario, revision: Revision) -> None:
    try:
        start(scenario, revision)
    except ViolationError as error:
        raise BadInputError(f"its setup fails in the model: {describe(error.violation)}") from None


def compared_line(done: Compared) -> str:
    """How much was compared."""
    failed = ", ".join(f"{count} {kind}" for kind, count in sorted(done.failures.items()))
    ended = f", of which both fail: {failed}" if failed else ""
    compared = f"{done.points} common points, {done.snapshots} snapshots"
    return f"{done.schedules} schedules{ended}; {compared}"
