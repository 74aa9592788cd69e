"""Which recorded findings show on a tree's code, and by what."""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from enum import Enum
from typing import Any

from ipvs_est import REVISIONS, Revision
from ipvs_est.language.difference import first_difference
from ipvs_est.language.operations import (
    ExitNetns,
    InitNetns,
)
from ipvs_est_checks.harness.building.options import Variant
from ipvs_est_checks.harness.building.tree import Tree
from ipvs_est_checks.harness.histories.answers import answers_of_model, answers_of_tree
from ipvs_est_checks.harness.histories.judge import broken_on_tree
from ipvs_est_checks.harness.histories.replay import violation_text
from ipvs_est_checks.harness.schedules.finding_search import search_on_code
from ipvs_est_checks.known import registry
from ipvs_est_checks.known.by_history import history_of
from ipvs_est_checks.known.finding import Finding
from ipvs_est_checks.terminal.bad_input import BadInputError


class Shown(Enum):
    """Whether a finding shows on a tree."""

    SHOWS = "shows"
    NOT = "does not show"
    UNTRIED = "cannot be tried"


_SHOWN = {True: Shown.SHOWS, False: Shown.NOT, None: Shown.UNTRIED}


@dataclass(frozen=True, slots=True)
class FindingOnTree:
    """What came of one finding."""

    id: str
    title: str
    shown: Shown
    observation: str
    """What was seen, or why it cannot be tried."""


# Property -> variant of the build in which the code itself shows that it is broken, and the kind
# of violation that is told then.
_SEEN_BY: dict[str, tuple[Variant, str]] = {
    "bitmaps.in-range": (Variant.SANITISED, "sanitiser"),
    "memory.use-after-free": (Variant.POINTS, "use-after-free"),
    "memory.pointer": (Variant.POINTS, "invalid-pointer"),
}
# Where one operation's result and the state after it stand among the answers.
_PER_OPERATION = 2

# Any in this file: parsed JSON of our own program, and results as JSON.


def tell_findings(tree: Tree, wanted: frozenset[str] | None = None) -> Iterator[FindingOnTree]:
    """Each finding on the tree, by id; None: all."""
    for finding in registry.ALL:
        if wanted is not None and finding.id not in wanted:
            continue
        try:
            if finding.schedule is None:
                shown, observation = _by_history(tree, finding)
            else:
                seen = search_on_code(tree, finding, finding.schedule)
                shown, observation = _SHOWN[seen.shows], seen.observation
        except BadInputError as error:
            shown, observation = Shown.UNTRIED, error.message
        yield FindingOnTree(finding.id, finding.title, shown, observation)


def _by_history(tree: Tree, finding: Finding) -> tuple[Shown, str]:
    for name in finding.properties:
        if name in _SEEN_BY:
            return _by_violation(tree, finding, *_SEEN_BY[name])
    seen: list[tuple[Shown, str]] = []
    for revision in _nearest_first(tree, finding.revisions):
        shown, observation = _by_answers(tree, finding, revision)
        if shown is Shown.SHOWS:
            return shown, observation
        seen.append((shown, observation))
    for pair in seen:
        if pair[0] is Shown.NOT:
            return pair
    return _as_one_without(tree, finding) or seen[0]


def _as_one_without(tree: Tree, finding: Finding) -> tuple[Shown, str] | None:
    """Whether the code answers all of the history as a revision that does not have it."""
    for name, revision in REVISIONS.items():
        if name in finding.revisions or not revision.kernels:
            continue
        history = history_of(finding, finding.revisions[-1])
        params, operations = history.header.params, history.operations
        found = answers_of_tree(tree, params, operations, Variant.PLAIN)
        without = answers_of_model(params, operations, revision)
        if [entry.get("result", entry) for entry in found] == without:
            return Shown.NOT, f"answers as {name}, which does not have it"
    return None


def _nearest_first(tree: Tree, names: tuple[str, ...]) -> list[Revision]:
    """The revisions, beginning with the one whose recorded kernel is nearest to the tree."""

    def distance(revision: Revision) -> int:
        major, minor, *_ = [int(part) for part in revision.kernels[-1].split(".")]
        return abs((tree.version[0] - major) * 100 + tree.version[1] - minor)

    # Of one series the newer one first.
    recorded = [REVISIONS[name] for name in reversed(names) if REVISIONS[name].kernels]
    recorded.sort(key=distance)
    return recorded


def _by_violation(tree: Tree, finding: Finding, variant: Variant, kind: str) -> tuple[Shown, str]:
    """The code itself does what it must not, on one of the finding's histories."""
    for revision in _nearest_first(tree, finding.revisions):
        history = history_of(finding, revision.name)
        for answer in answers_of_tree(tree, history.header.params, history.operations, variant):
            found = [*answer.get("violations", ())]
            if "violation" in answer:
                found.append(answer["violation"])
            for violation in found:
                if violation["kind"] == kind:
                    return Shown.SHOWS, violation_text(violation)
    return Shown.NOT, f"no {kind} on its history"


def _by_answers(tree: Tree, finding: Finding, revision: Revision) -> tuple[Shown, str]:
    """The code answers as the revision that has the finding, or as that with its repair."""
    history = history_of(finding, revision.name)
    params, operations = history.header.params, history.operations
    having = answers_of_model(params, operations, revision)
    # Any: a field of Revision by its name.
    repair: dict[str, Any] = {finding.repair: True}
    mended = answers_of_model(params, operations, replace(revision, **repair))
    apart = _first_apart(having, mended)
    seen = [
        answer.get("result", answer)
        for answer in answers_of_tree(tree, params, operations, Variant.PLAIN)
    ]
    if apart is None:
        return _by_properties(tree, finding, revision)
    place = f"operation {apart // _PER_OPERATION + 1} of its history"
    if _agree(seen, having, apart):
        path = _path(seen, mended, apart)
        return Shown.SHOWS, f"as on {revision.name}, at {place}: {path}"
    if _agree(seen, mended, apart):
        path = _path(seen, having, apart)
        return Shown.NOT, f"as on {revision.name} with its repair, at {place}: {path}"
    first = _first_apart(seen, having)
    number = (first or 0) // _PER_OPERATION + 1
    return Shown.UNTRIED, f"behaves as no revision that has it, from operation {number} on"


def _by_properties(tree: Tree, finding: Finding, revision: Revision) -> tuple[Shown, str]:
    """The code's states break the properties, some only in the quiet time behind the history."""
    history = history_of(finding, revision.name)
    wanted = frozenset(finding.properties)
    params, operations = history.header.params, history.operations
    if (
        any(isinstance(operation, ExitNetns) for operation in operations)
        and InitNetns() not in operations
    ):
        # The model has a netns from the start; on code only one that was made can go.
        operations = (InitNetns(), *operations)
    broken = broken_on_tree(tree, params, revision, operations, properties=wanted)
    if wanted <= broken.keys():
        return Shown.SHOWS, f"its states break {', '.join(finding.properties)}"
    return Shown.NOT, f"its states do not break {', '.join(sorted(wanted - broken.keys()))}"


def _first_apart(left: list[dict[str, Any]], right: list[dict[str, Any]]) -> int | None:
    """Number of the first answer that differs, one that only one of them has included."""
    for number, (a, b) in enumerate(zip(left, right, strict=False)):
        if a != b:
            return number
    return None if len(left) == len(right) else min(len(left), len(right))


def _agree(seen: list[dict[str, Any]], expected: list[dict[str, Any]], number: int) -> bool:
    """Whether all answers up to that one are as expected."""
    return len(expected) > number and seen[: number + 1] == expected[: number + 1]


def _path(seen: list[dict[str, Any]], other: list[dict[str, Any]], number: int) -> str:
    """Where an answer differs, and the two values."""
    if len(other) <= number:
        return "an answer"
    difference = first_difference(other[number], seen[number])
    if difference is None:
        return "an answer"
    return f"{difference.path} is {difference.computed!r:.60}, not {difference.recorded!r:.60}"
