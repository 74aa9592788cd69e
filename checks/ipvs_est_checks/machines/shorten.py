"""Shorter histories with the same failure, found by leaving out and by lowering numbers."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

from ipvs_est import Oracle, Params, Revision
from ipvs_est.language.operations import Advance, Operation
from ipvs_est_checks.history.monitor import NewOracle
from ipvs_est_checks.machines.netns_history import failures_of

History = tuple[Operation, ...]


@dataclass(frozen=True, slots=True)
class Shortened:
    """The shortest history found."""

    operations: History
    sentence: str
    """What failed in it; '' if the history given did not fail."""
    attempts: int


def shorten(
    params: Params,
    revision: Revision,
    operations: Sequence[Operation],
    property_id: str,
    attempts: int,
    new_oracle: NewOracle = Oracle,
) -> Shortened:
    """Try at most `attempts` histories; a number, not a time, so that equal runs end alike."""

    def failure(candidate: History) -> str:
        failures = failures_of(params, revision, candidate, new_oracle, frozenset({property_id}))
        return failures.get(property_id, "")

    return shortest(tuple(operations), failure, attempts)


def shortest(operations: History, failure: Callable[[History], str], attempts: int) -> Shortened:
    """As `shorten`, for any test of a history that answers what failed."""
    found = Shortened(operations, failure(operations), 1)
    progress = bool(found.sentence)
    while progress and found.attempts < attempts:
        before = found.operations
        length = max(1, len(before) // 2)
        while length:
            # From the end, so that what was left out does not move what is tried next.
            for start in range(len(found.operations) - length, -1, -length):
                best = found.operations
                found = _tried(found, best[:start] + best[start + length :], failure, attempts)
            length //= 2
        for index in range(len(found.operations)):
            for lower in _LOWER:
                each = found.operations[index]
                if isinstance(each, Advance) and each.n > 1:
                    simpler = replace(each, n=lower(each.n))
                    best = found.operations
                    candidate = (*best[:index], simpler, *best[index + 1 :])
                    found = _tried(found, candidate, failure, attempts)
        progress = found.operations != before
    return found


_LOWER: tuple[Callable[[int], int], ...] = (
    lambda n: 1,
    lambda n: n // 4,
    lambda n: n // 2,
    lambda n: n * 7 // 8,
    lambda n: n - 1,
)
"""How an `Advance` is shortened."""


def _tried(
    found: Shortened, candidate: History, failure: Callable[[History], str], attempts: int
) -> Shortened:
    if found.attempts >= attempts:
        return found
    sentence = failure(candidate)
    if sentence:
        return Shortened(candidate, sentence, found.attempts + 1)
    return replace(found, attempts=found.attempts + 1)
