"""`ipvs-est check --tree` with `--base` or `--bisect`: what a patch changes."""

import json
from collections.abc import Sequence
from pathlib import Path

import click

from ipvs_est.answers.trace import TraceError, read_lines
from ipvs_est.language.header import header_from_json
from ipvs_est.language.input_error import InputError
from ipvs_est.language.json_input import parse_object
from ipvs_est.language.operation_json import operation_from_json
from ipvs_est.language.operations import Operation
from ipvs_est.language.params import Params
from ipvs_est.language.revision import KERNELS, MAINLINE
from ipvs_est_checks.harness.building.tree import Tree, read_tree, version_text
from ipvs_est_checks.harness.histories.against import (
    BrokenOnTree,
    broken_by,
    change_of,
    histories_of,
)
from ipvs_est_checks.harness.histories.directed import HISTORIES, MACHINE
from ipvs_est_checks.harness.histories.nearest import FirstDifference, Nearest, nearest
from ipvs_est_checks.history.operation_words import in_words
from ipvs_est_checks.terminal import exit_codes
from ipvs_est_checks.terminal.bad_input import BadInputError
from ipvs_est_checks.terminal.progress import draw, hide, progress_bar

GOOD, BAD, CANNOT_BE_JUDGED = 0, 1, 125
"""Exit codes for `git bisect run`."""
_RANDOM = 20
_MOST_PARTINGS = 3


def tell_nearest(tree: Tree) -> Nearest:
    """Say what the tree is: the nearest revision, and where it first differs from it."""
    found = nearest(tree, MACHINE, HISTORIES)
    kernels = ", ".join(found.revision.kernels) or "no recorded kernel"
    parted = len(found.partings)
    click.echo(
        f"linux {version_text(tree)}: nearest to {found.revision.name} ({kernels}):"
        f" {parted} of {found.histories} histories differ"
    )
    if found.partings:
        _tell_parting(found.partings[0], found.revision.name, "the tree")
    return found


def check_against(path: Path, base: Path, seed: int, properties: frozenset[str] | None) -> int:
    """Tell what the tree breaks, mends and changes; FAIL only for what is new."""
    tree, old = read_tree(path), read_tree(base)
    revision = tell_nearest(old).revision
    histories = histories_of(seed, _RANDOM)
    with progress_bar("histories", 2 * len(histories)) as bar:
        done: list[str] = []

        def on_history(name: str) -> None:
            done.append(name)
            draw(bar, len(done), name)

        change = change_of(tree, old, revision, histories, properties, on_history)
        hide(bar)
    for broken_on_tree in change.new:
        _tell_broken("broken by the patch", broken_on_tree)
    for broken_on_tree in change.mended:
        click.echo(f"mended by the patch: {broken_on_tree.property}: {broken_on_tree.detail}")
    if change.both:
        click.echo(f"broken by both: {', '.join(change.both)}")
    click.echo(f"{len(change.partings)} of {len(histories)} histories are answered differently")
    for parting in change.partings[:_MOST_PARTINGS]:
        _tell_parting(parting, "the base", "the tree")
    return exit_codes.FAIL if change.new else exit_codes.PASS


def bisect(
    path: Path, base: Path | None, seed: int, properties: frozenset[str], history: Path | None
) -> int:
    """Judge one commit for `git bisect run`.

    Bad: it breaks one of the properties, in the history if one is given; with a base and no
    property, one that the base does not break.
    """
    try:
        tree = read_tree(path)
        params, histories = _wanted(history, seed)
        known = set[str]()
        if base is not None:
            known |= broken_by(
                read_tree(base), params, MAINLINE, histories, properties or None
            ).keys()
        broken = broken_by(tree, params, MAINLINE, histories, properties or None)
    except BadInputError as error:
        click.echo(f"cannot be judged: {error.message}")
        return CANNOT_BE_JUDGED
    bad = [broken_on_tree for id_, broken_on_tree in broken.items() if id_ not in known]
    for broken_on_tree in bad:
        click.echo(
            f"bad: {broken_on_tree.property} in {broken_on_tree.history}: {broken_on_tree.detail}"
        )
    if not bad:
        click.echo("good")
    return BAD if bad else GOOD


def _wanted(history: Path | None, seed: int) -> tuple[Params, dict[str, tuple[Operation, ...]]]:
    if history is None:
        return MACHINE, histories_of(seed, _RANDOM)
    try:
        lines = read_lines(history)
        value = parse_object(lines[0])
        header = header_from_json(value, KERNELS.get(str(value.get("kernel")), MAINLINE))
        operations = tuple(operation_from_json(_bare(line)) for line in lines[1:])
    except TraceError as error:
        raise BadInputError(str(error)) from None
    except InputError as error:
        raise BadInputError(f"{history}: {error}") from None
    return header.params, {history.name: operations}


def _bare(line: str) -> dict[str, object]:
    """The operation without the result that was recorded."""
    value = parse_object(line)
    value.pop("result", None)
    return value


def _tell_broken(what: str, broken: BrokenOnTree) -> None:
    click.echo(f"{what}: {broken.property}: {broken.detail}")
    _tell_operations(broken.operations)


def _tell_operations(operations: Sequence[Operation]) -> None:
    for number, operation in enumerate(operations, 1):
        click.echo(f"  {number:>3}. {in_words(operation)}")


def _tell_parting(parting: FirstDifference, first: str, second: str) -> None:
    found = parting.difference
    number = len(parting.operations)
    click.echo(
        f"  {parting.history}, operation {number} ({in_words(parting.operations[-1])}):"
        f" {found.path or 'the answer'}: {first} {json.dumps(found.recorded, default=str):.60},"
        f" {second} {json.dumps(found.computed, default=str):.60}"
    )
