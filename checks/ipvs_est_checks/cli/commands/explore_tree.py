"""`ipvs-est explore --tree`: the library's scenarios on the code of a Linux tree."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import click

from ipvs_est.language.input_error import InputError
from ipvs_est_checks.cli.commands.explore_subject import (
    SearchedScenario,
    name_argument,
    schedule_of,
)
from ipvs_est_checks.explore.failures.token import replay_token, token_from_text
from ipvs_est_checks.explore.scenarios.scenario import Scenario
from ipvs_est_checks.harness.building.build import build
from ipvs_est_checks.harness.building.options import Variant, options_for
from ipvs_est_checks.harness.building.tree import Tree, read_tree, version_text
from ipvs_est_checks.harness.process import asking, running
from ipvs_est_checks.harness.schedules.timeline import code_lines
from ipvs_est_checks.subjects.schedules import Ask, Fields, ScheduleOutcome, prepare, run_schedule
from ipvs_est_checks.subjects.subject import SECONDS, Subject, start_subject, stop_subject
from ipvs_est_checks.terminal import exit_codes
from ipvs_est_checks.terminal.bad_input import BadInputError


@dataclass(frozen=True, slots=True)
class _TreePrograms:
    """The program of each scenario's parameters, as the subject."""

    tree: Tree

    def why_not(self, scenario: Scenario) -> str:
        """Why the scenario cannot be tried; '' if it can."""
        if scenario.params.steps_per_break:
            return "the code breaks its walks after 64 steps only"
        return ""

    @contextmanager
    def started(self, scenario: Scenario) -> Iterator[Subject]:
        """Raises BadInputError if it cannot be built."""
        program = build(self.tree, options_for(scenario.params, Variant.POINTS))
        subject = start_subject(name_argument(program), SECONDS)
        try:
            yield subject
        finally:
            stop_subject(subject)

    def lines(
        self, ask: Ask, scenario: Scenario, run: ScheduleOutcome, fields: Fields
    ) -> Iterator[str]:
        """With the lines of the tree's source."""
        program = build(self.tree, options_for(scenario.params, Variant.POINTS))
        yield from code_lines(ask, program, scenario, run, fields)


def explored_tree(path: Path) -> SearchedScenario:
    """A tree, to be explored; says which it is. Raises BadInputError."""
    tree = read_tree(path)
    click.echo(f"linux {version_text(tree)} in {path}")
    return SearchedScenario(f"--tree {name_argument(path)}", _TreePrograms(tree))


def conflicts_on_tree(
    path: Path, scenarios: Sequence[Scenario], most: int, base: Path | None
) -> int:
    """List the accesses that no common lock orders, in the schedules of the scenarios.

    With a base, those that it has not: FAIL if there is one.
    """
    from ipvs_est_checks.harness.schedules.conflicts import conflicts_of, new_conflicts

    tree = read_tree(path)
    click.echo(f"linux {version_text(tree)} in {path}")
    tried = [scenario for scenario in scenarios if not scenario.params.steps_per_break]
    found = conflicts_of(tree, tried, most)
    if base is not None:
        found = new_conflicts(found, conflicts_of(read_tree(base), tried, most))
    for conflict in found:
        click.echo(f"{conflict.field}: {conflict.places[0]}; {conflict.places[1]}")
    new = "" if base is None else "new "
    click.echo(f"{len(found)} {new}conflicting accesses in {len(tried)} scenarios")
    return exit_codes.FAIL if base is not None and found else exit_codes.PASS


def replay_of_model(path: Path, scenario: Scenario, text: str) -> int:
    """Follow a token that was found on the model on the tree's code; the exit code."""
    from ipvs_est_checks.harness.steps.token import token_on_code

    tree = read_tree(path)
    click.echo(f"linux {version_text(tree)} in {path}")
    try:
        token = token_from_text(text)
        replay_token(scenario, token)
    except InputError as error:
        raise click.UsageError(f"--replay: {error.field} {error.message}") from None
    found = token_on_code(tree, scenario, token)
    for line in found.lines:
        click.echo(line)
    return exit_codes.FAIL if found.fails else exit_codes.PASS


def replay_of_code(path: Path, scenario: Scenario, text: str) -> None:
    """Follow a schedule that was found on the tree's code on the model of its revision, and say
    what came of it. Raises BadInputError if the text is none."""
    from ipvs_est_checks.harness.steps.on_model import schedule_on_model
    from ipvs_est_checks.harness.steps.session import revision_of

    tree = read_tree(path)
    revision = revision_of(tree)
    fields, word = schedule_of(text)
    program = build(tree, options_for(scenario.params, Variant.POINTS))
    with running(program) as started:
        prepare(asking(started), scenario)
        run = run_schedule(asking(started), word, scenario.jiffies, fields=fields)
    click.echo(f"on the model, {revision.name}:")
    try:
        found = schedule_on_model(tree, scenario, revision, run, fields)
    except BadInputError as error:
        click.echo(f"  not followed: {error}")
        return
    for line in found.lines:
        click.echo(f"  {line}")
