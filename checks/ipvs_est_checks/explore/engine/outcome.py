"""What a search was allowed to do, what it has done, and what it found: plain data."""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

from ipvs_est.language.violations import Deadlock, Violation, describe


@dataclass(frozen=True, slots=True)
class Bounds:
    """How far a search goes."""

    preemptions: int = 2
    """Of the depth-first search."""
    steps: int = 5_000
    """In a schedule."""
    schedules: int = 1_000_000
    total_steps: int = 10**12
    """In all schedules together; the one that comes to it is the last."""


@dataclass(frozen=True, slots=True)
class Found:
    """A failure and its schedule."""

    violation: Violation
    choices: tuple[int, ...]
    preemptions: int

    @property
    def switches(self) -> int:
        """Context switches; see `switches`."""
        return switches(self.choices)


@dataclass(frozen=True, slots=True)
class Figures:
    """What a search has done."""

    schedules: int = 0
    steps: int = 0
    """Scheduling steps, those that repeat a schedule's beginning included."""
    states: int = 0
    """Distinct states at which there was a choice."""
    longest: int = 0
    """Steps in the longest schedule."""
    pruned: int = 0
    """Schedules that ended where all that follows was seen before."""
    cut: int = 0
    """Schedules that ended at the bound on steps."""
    failed: int = 0
    exhausted: bool = False
    """No schedule within the bounds is left."""
    unbounded: bool = False
    """Exhausted, and nothing that more preemptions lead to was left out either."""


@dataclass(frozen=True, slots=True)
class Outcome:
    """Of a search."""

    failures: tuple[Found, ...]
    """Distinct ones, in the order in which they were found; one unless the search went on."""
    figures: Figures

    @property
    def found(self) -> Found | None:
        """The first failure."""
        return self.failures[0] if self.failures else None


def switches(choices: Sequence[int]) -> int:
    """How often a schedule goes from one column of its timeline to another."""
    return sum(left != right for left, right in pairwise(choices))


def failure_key(violation: Violation) -> str:
    """Equal for failures that are taken for the same: a deadlock begins anywhere in its circle."""
    if isinstance(violation, Deadlock):
        return f"{violation.kind}: {'; '.join(sorted(violation.cycle))}"
    return describe(violation)
