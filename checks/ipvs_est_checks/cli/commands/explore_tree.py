"""`ipvs-est explore --tree`: the library's scenarios on the code of a Linux tree."""

from collections.abc import Sequence
from pathlib import Path

import click

from ipvs_est_checks.explore.scenarios.scenario import Scenario
from ipvs_est_checks.harness.building.build import build
from ipvs_est_checks.harness.building.options import Variant, options_for
from ipvs_est_checks.harness.building.tree import Tree, read_tree, version_text
from ipvs_est_checks.harness.process import running
from ipvs_est_checks.harness.schedules.search import (
    Failure,
    Searched,
    cause_of,
    check_schedule,
    prepare,
    run_schedule,
    schedule_text,
    search,
    timeline,
)
from ipvs_est_checks.terminal import exit_codes
from ipvs_est_checks.terminal.bad_input import BadInputError
from ipvs_est_checks.terminal.progress import draw, hide, progress_bar

FIELDS = "fields:"
"""A schedule with points at shared fields begins so, one without by `LOCKS`."""
LOCKS = "locks:"
_FIELD_PREEMPTIONS = 1
"""With points at each shared field there are too many schedules for more."""


def explore_on_tree(
    path: Path, scenarios: Sequence[Scenario], preemptions: int, most: int, *, keep_going: bool
) -> int:
    """Search each scenario and say what came of it; the exit code."""
    tree = read_tree(path)
    click.echo(f"linux {version_text(tree)} in {path}")
    failed = left = 0
    for scenario in scenarios:
        if scenario.params.steps_per_break:
            click.echo(f"not tried {scenario.name}: the code breaks its walks after 64 steps only")
            continue
        found = _search(tree, scenario, preemptions, most, keep_going)
        failed += any(each.failures for _, each in found)
        left += not all(each.exhausted for _, each in found)
        _tell(path, scenario, found)
    if failed:
        return exit_codes.FAIL
    return exit_codes.INCOMPLETE if left else exit_codes.PASS


def _search(
    tree: Tree, scenario: Scenario, preemptions: int, most: int, keep_going: bool
) -> list[tuple[str, Searched]]:
    """First with points at mutexes and waits alone, then at every shared field."""
    program = build(tree, options_for(scenario.params, Variant.POINTS))
    found: list[tuple[str, Searched]] = []
    with running(program) as started, progress_bar(scenario.name, most) as bar:
        prepare(started, scenario)
        for kind, bound in ((LOCKS, preemptions), (FIELDS, min(preemptions, _FIELD_PREEMPTIONS))):
            searched = search(
                started,
                scenario,
                preemptions=bound,
                fields=kind == FIELDS,
                most=most,
                keep_going=keep_going,
                on_run=lambda tried: draw(bar, tried),
            )
            found.append((kind, searched))
            if searched.failures and not keep_going:
                break
        hide(bar)
    return found


def _tell(path: Path, scenario: Scenario, found: list[tuple[str, Searched]]) -> None:
    failures = [(kind, failure) for kind, each in found for failure in each.failures]
    tried = ", ".join(
        f"{each.schedules} schedules at {kind.rstrip(':')}{'' if each.exhausted else ', not all'}"
        for kind, each in found
    )
    verdict = "FAIL" if failures else "PASS"
    if not failures and not all(each.exhausted for _, each in found):
        verdict = "INCOMPLETE"
    click.echo(f"{verdict} {scenario.name}: {tried}")
    for kind, failure in failures:
        _tell_failure(path, scenario, kind, failure)


def _tell_failure(path: Path, scenario: Scenario, kind: str, failure: Failure) -> None:
    click.echo(f"  {failure.cause} (schedule {failure.number})")
    for line in timeline(failure.run):
        click.echo(f"  {line}")
    token = f"{kind}{schedule_text(failure.run)}"
    click.echo(f"  again: ipvs-est explore --tree {path} {scenario.name} --replay {token}")


def replay_on_tree(path: Path, scenario: Scenario, token: str) -> int:
    """Run one schedule again and tell it; the exit code."""
    kind = next((each for each in (FIELDS, LOCKS) if token.startswith(each)), None)
    if kind is None:
        raise BadInputError(f"--replay: {token[:40]}: begins neither by {FIELDS} nor by {LOCKS}")
    try:
        word = token.removeprefix(kind)
        check_schedule(word)
    except ValueError as error:
        raise BadInputError(f"--replay: {error}") from None
    program = build(read_tree(path), options_for(scenario.params, Variant.POINTS))
    with running(program) as started:
        prepare(started, scenario)
        run = run_schedule(started, word, scenario.jiffies, fields=kind == FIELDS)
    for line in timeline(run):
        click.echo(line)
    cause = cause_of(run)
    click.echo(cause or run.end)
    return exit_codes.FAIL if cause else exit_codes.PASS


def conflicts_on_tree(path: Path, scenarios: Sequence[Scenario], most: int) -> int:
    """List the accesses that no common lock orders, in the schedules of the scenarios."""
    from ipvs_est_checks.harness.schedules.conflicts import conflicts_of

    tree = read_tree(path)
    click.echo(f"linux {version_text(tree)} in {path}")
    tried = [each for each in scenarios if not each.params.steps_per_break]
    found = conflicts_of(tree, tried, most)
    for each in found:
        click.echo(f"{each.field}: {each.places[0]}; {each.places[1]}")
    click.echo(f"{len(found)} conflicting accesses in {len(tried)} scenarios")
    return exit_codes.PASS
