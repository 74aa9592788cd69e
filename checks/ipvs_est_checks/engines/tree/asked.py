"""What is checked of a tree, and what all its engines tell alike."""

import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from shlex import quote

from ipvs_est import Params, Revision
from ipvs_est.language.operation_json import operation_to_json
from ipvs_est.language.operations import OPERATIONS, Operation
from ipvs_est_checks.broken_properties import is_chosen
from ipvs_est_checks.engines.subject import SENTENCES as OF_SUBJECTS
from ipvs_est_checks.engines.subject import missing
from ipvs_est_checks.engines.tree.names import TREE
from ipvs_est_checks.harness.building.build import build
from ipvs_est_checks.harness.building.options import Variant, options_for
from ipvs_est_checks.harness.building.tree import Tree
from ipvs_est_checks.harness.edits.repairs import tree_with_repairs
from ipvs_est_checks.harness.front import GIVES, NOT_TAKEN
from ipvs_est_checks.harness.histories.directed import MACHINE
from ipvs_est_checks.history.file import header_line
from ipvs_est_checks.history.geometry_text import geometry_text
from ipvs_est_checks.history.operation_words import in_words
from ipvs_est_checks.machines.netns.known_cause import JudgedFailure
from ipvs_est_checks.machines.run import SENTENCES
from ipvs_est_checks.report.rows import Problem, Request, Row
from ipvs_est_checks.report.verdict import Verdict
from ipvs_est_checks.terminal.bad_input import BadInputError
from ipvs_est_spec.catalogue import PROPERTIES

_SENTENCES = {**OF_SUBJECTS, **SENTENCES}
TAKEN = frozenset(operation.op for operation in OPERATIONS) - NOT_TAKEN
"""Names of the operations that the program of a tree takes."""


@dataclass(frozen=True, slots=True)
class JudgedTree:
    """A tree's code, or a copy of it with repairs, and the model that is beside it."""

    tree: Tree
    revision: Revision
    repaired: bool = False
    """With the repairs that fit: what recorded findings break hides nothing else there."""


@dataclass(frozen=True, slots=True)
class TreeFailure:
    """A property that fails, on what, and in which machine."""

    params: Params
    failure: JudgedFailure
    judged: JudgedTree


def judged_trees(tree: Tree, revision: Revision) -> tuple[JudgedTree, ...]:
    """The tree as it is, and the copy with repairs, if any fits and compiles."""
    copy, like = tree_with_repairs(tree, revision)
    as_it_is = JudgedTree(tree, revision)
    if like == revision:
        return (as_it_is,)
    try:
        build(copy, options_for(MACHINE))
    except BadInputError:
        # A patch may have changed what the edits use.
        return (as_it_is,)
    return (as_it_is, JudgedTree(copy, like, repaired=True))


def build_all(
    trees: Sequence[JudgedTree], machines: Sequence[Params], variant: Variant, request: Request
) -> None:
    """Compile what processes would else compile at the same time. Raises BadInputError."""
    wanted = [(tree.tree, params) for tree in trees for params in machines]
    for done, (tree, params) in enumerate(wanted):
        what = f"compiling {done + 1} of {len(wanted)}"

        def on_unit(units: int, of: int, what: str = what) -> None:
            request.progress(what, units, 10 * of)

        request.progress(what, 0, 1)
        build(tree, options_for(params, variant), on_unit)


def told_once(failures: Iterable[TreeFailure], request: Request) -> list[TreeFailure]:
    """Of each property the shortest failure that nothing explains, on the tree as it is if there
    is one; it is told at once. And all that a finding explains."""
    new: dict[str, TreeFailure] = {}
    known: list[TreeFailure] = []
    for failure in sorted(failures, key=lambda found: _length(found)):
        if failure.failure.findings:
            known.append(failure)
        elif failure.failure.property not in new:
            new[failure.failure.property] = failure
            request.on_failure(
                f"{failure.failure.property}: {_SENTENCES[failure.failure.property]}"
            )
    return [*new.values(), *known]


def _length(found: TreeFailure) -> tuple[bool, int]:
    return found.judged.repaired, len(found.failure.operations)


def property_rows(
    request: Request,
    how: str,
    checks: Mapping[str, int],
    failures: Sequence[TreeFailure],
    seconds: float,
) -> Iterator[Row]:
    """A row for each property: what fails, what explains it, how often it was judged."""
    listed = dict.fromkeys(prop.id for prop in PROPERTIES)
    listed |= dict.fromkeys(
        sorted(checks.keys() | {failure.failure.property for failure in failures})
    )
    for id_ in listed:
        if not is_chosen(request.properties, id_):
            continue
        found = [failure for failure in failures if failure.failure.property == id_]
        new = [tree_failure for tree_failure in found if not tree_failure.failure.findings]
        known = sorted({name for tree_failure in found for name in tree_failure.failure.findings})
        count = checks.get(id_, 0)
        verdict = Verdict.PASS if count else Verdict.NOT_JUDGED
        if found:
            verdict = Verdict.FAIL if new else Verdict.FINDING
        yield Row(
            id_,
            _SENTENCES[id_],
            TREE,
            verdict,
            how,
            count,
            seconds,
            problems=tuple(problem_of(tree_failure) for tree_failure in new),
            findings=tuple(known),
            remark="" if found or count else missing(id_, GIVES) or "it came up in no history",
        )
        seconds = 0.0


def problem_of(found: TreeFailure) -> Problem:
    """The failure with its history, and how it is seen again."""
    failure = found.failure
    detail = failure.detail
    path = quote(str(found.judged.tree.path))
    again = f"ipvs-est check --tree {path} --bisect --property {failure.property}"
    command = f"with --save FILE, then {again} --history FILE"
    if found.judged.repaired:
        detail += " (in a copy with the repairs of the recorded findings, which may hide it else)"
        command = f"ipvs-est check --tree {path} --property {failure.property}"
    return Problem(
        property=failure.property,
        revision=TREE,
        detail=detail,
        operations=tuple(_line(operation) for operation in failure.operations),
        failure=None,
        command=command,
        header=header_line(failure.property, "mainline", found.params),
        words=tuple(in_words(operation) for operation in failure.operations),
        geometry=geometry_text(found.params),
    )


def _line(operation: Operation) -> str:
    return json.dumps(operation_to_json(operation))
