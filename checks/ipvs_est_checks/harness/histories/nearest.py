"""Which revision a tree's code is nearest to, by the fewest histories that it answers otherwise."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from ipvs_est import Params, Revision
from ipvs_est.language.difference import Difference, first_difference
from ipvs_est.language.operations import Operation
from ipvs_est.language.revision import MERGED
from ipvs_est_checks.harness.building.tree import Tree
from ipvs_est_checks.harness.histories.answers import answers_of_model, answers_of_tree

Answers = Sequence[dict[str, Any]]
"""Of an operation and of the dump after it, in turn."""
Histories = Mapping[str, tuple[Operation, ...]]
_PER_OPERATION = 2


@dataclass(frozen=True, slots=True)
class FirstDifference:
    """Where two begin to answer one history differently."""

    history: str
    operations: tuple[Operation, ...]
    """Up to where they part."""
    difference: Difference
    """`recorded` is the first's answer, `computed` the second's."""


@dataclass(frozen=True, slots=True)
class Nearest:
    """What a tree is, by its behaviour."""

    revision: Revision
    histories: int
    """That were tried."""
    partings: tuple[FirstDifference, ...]
    """From that revision; its answers are the first's."""


def nearest(tree: Tree, params: Params, histories: Histories) -> Nearest:
    """The revision, of several as near the newest."""
    answer = {name: answers_of_tree(tree, params, history) for name, history in histories.items()}
    found: Nearest | None = None
    for revision in reversed(MERGED):
        expected = {
            name: answers_of_model(params, history, revision) for name, history in histories.items()
        }
        partings = partings_of(histories, expected, answer)
        if found is None or len(partings) < len(found.partings):
            found = Nearest(revision, len(histories), partings)
    assert found is not None
    return found


def partings_of(
    histories: Histories, first: Mapping[str, Answers], second: Mapping[str, Answers]
) -> tuple[FirstDifference, ...]:
    """For each history in which they part, where they do."""
    found = []
    for name, operations in histories.items():
        parting = _parting(name, operations, first[name], second[name])
        if parting is not None:
            found.append(parting)
    return tuple(found)


def _parting(
    name: str, operations: tuple[Operation, ...], first: Answers, second: Answers
) -> FirstDifference | None:
    for number in range(max(len(first), len(second))):
        one = _result(first, number)
        other = _result(second, number)
        difference = first_difference(one, other)
        if difference is not None:
            return FirstDifference(name, operations[: number // _PER_OPERATION + 1], difference)
    return None


def _result(answers: Answers, number: int) -> object:
    """As the program and the model both tell it; what ends a history, by its kind alone."""
    if number >= len(answers):
        return "nothing more"
    answer = answers[number]
    if "violation" in answer or "error" in answer:
        return "nothing more"
    return answer.get("result", answer)
