"""What a run of the machines has found: plain data, which passes between processes."""

from collections import Counter
from dataclasses import dataclass, field

from ipvs_est import Params
from ipvs_est.operations import Operation


@dataclass(frozen=True, slots=True)
class FailureRecord:
    """A property that did not hold, with its history."""

    machine: str
    property: str
    """Its id in the catalogue, or one of a model's."""
    sentence: str
    """What was seen there."""
    revision: str
    params: Params
    operations: tuple[Operation, ...]
    """The history, if the oracle understands it."""
    steps: tuple[str, ...]
    """The history, if it is one below the operations."""
    reason: str
    """Why it was expected; '' if it was not."""


def length_of(record: FailureRecord) -> int:
    """Length of its history."""
    return len(record.operations) + len(record.steps)


class UnexpectedFailureError(AssertionError):
    """A failure that is expected nowhere ends the search."""

    def __init__(self, record: FailureRecord) -> None:
        history = "\n".join(f"    {each}" for each in (*record.operations, *record.steps))
        super().__init__(
            f"{record.property} on {record.revision}: {record.sentence}\n"
            f"  {record.params}\n{history}"
        )
        self.record = record

    def __reduce__(self) -> tuple[type["UnexpectedFailureError"], tuple[FailureRecord]]:
        # Makes the error pass between processes.
        return UnexpectedFailureError, (self.record,)


@dataclass(frozen=True, slots=True)
class ReachRow:
    """How many histories came to a situation."""

    machine: str
    situation: str
    sentence: str
    reached: int
    examples: int

    @property
    def share(self) -> float:
        """Of all histories of the machine."""
        return self.reached / self.examples if self.examples else 0.0


@dataclass(frozen=True, slots=True)
class MachineReport:
    """One run of the machines; equal seeds give equal reports."""

    revision: str
    profile: str
    seed: int
    machines: tuple[str, ...]
    checks: tuple[tuple[str, int], ...]
    """Evaluations of each property, by id."""
    failures: tuple[FailureRecord, ...]
    """One for each property that failed, with its shortest history, by id and machine."""
    reach: tuple[ReachRow, ...]
    examples: int
    """Histories."""
    steps: int
    """Operations and steps in all histories."""
    seconds: float = field(compare=False)

    @property
    def unexpected(self) -> tuple[FailureRecord, ...]:
        """The failures that are expected nowhere."""
        return tuple(each for each in self.failures if not each.reason)

    @property
    def missed(self) -> tuple[ReachRow, ...]:
        """Situations that no history came to."""
        return tuple(each for each in self.reach if not each.reached)


@dataclass(slots=True)
class Findings:
    """Collects while machines run."""

    checks: Counter[str] = field(default_factory=Counter)
    failures: dict[tuple[str, str], FailureRecord] = field(default_factory=dict)
    """By property and machine: that with the shortest history."""
    causes: dict[str, str] = field(default_factory=dict)
    """By property: what made it fail last."""
    reached: Counter[tuple[str, str]] = field(default_factory=Counter)
    """Histories by machine and situation."""
    examples: Counter[str] = field(default_factory=Counter)
    """Histories by machine."""
    steps: int = 0


def add_failure(findings: Findings, record: FailureRecord) -> None:
    """Keep it if it is shorter than what is known."""
    known = findings.failures.get((record.property, record.machine))
    if known is None or length_of(record) < length_of(known):
        findings.failures[record.property, record.machine] = record


def add_history(findings: Findings, machine: str, situations: set[str], steps: int) -> None:
    """One history has ended."""
    findings.examples[machine] += 1
    findings.steps += steps
    for each in sorted(situations):
        findings.reached[machine, each] += 1
