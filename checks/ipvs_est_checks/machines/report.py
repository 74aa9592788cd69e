"""What a run of the machines has found: plain data, which passes between processes."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field, replace

from ipvs_est import Params
from ipvs_est.language.operations import Operation


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
    round: int = 0
    """The round of its machine that met it, from 0."""


def length_of(record: FailureRecord) -> int:
    """Length of its history."""
    return len(record.operations) + len(record.steps)


class UnexpectedFailureError(AssertionError):
    """A failure that is expected nowhere ends the search."""

    def __init__(self, record: FailureRecord) -> None:
        history = "\n".join(f"    {operation}" for operation in (*record.operations, *record.steps))
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
        return tuple(failure for failure in self.failures if not failure.reason)

    @property
    def missed(self) -> tuple[ReachRow, ...]:
        """Situations that no history came to."""
        return tuple(reach_row for reach_row in self.reach if not reach_row.reached)


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
    """Keep it if it tells more than what is known."""
    key = record.property, record.machine
    known = findings.failures.get(key)
    findings.failures[key] = record if known is None else more_telling(known, record)


def more_telling(known: FailureRecord, other: FailureRecord) -> FailureRecord:
    """An unexpected one before one that was expected, then that with the shorter history."""
    if bool(other.reason) != bool(known.reason):
        return other if known.reason else known
    return other if length_of(other) < length_of(known) else known


def add_history(findings: Findings, machine: str, situations: set[str], steps: int) -> None:
    """One history has ended."""
    findings.examples[machine] += 1
    findings.steps += steps
    for situation in sorted(situations):
        findings.reached[machine, situation] += 1


def merged(reports: Sequence[MachineReport]) -> MachineReport:
    """Several rounds of one revision, profile and seed as one run. ValueError without any."""
    if not reports:
        raise ValueError("no rounds")
    findings = Findings()
    checks: Counter[str] = Counter()
    reach: dict[tuple[str, str], ReachRow] = {}
    for report in reports:
        checks.update(dict(report.checks))
        for failure in report.failures:
            add_failure(findings, failure)
        for row in report.reach:
            known = reach.get((row.machine, row.situation))
            reach[row.machine, row.situation] = (
                row
                if known is None
                else replace(
                    row,
                    reached=known.reached + row.reached,
                    examples=known.examples + row.examples,
                )
            )
    return replace(
        reports[0],
        machines=tuple(dict.fromkeys(name for report in reports for name in report.machines)),
        checks=tuple(sorted(checks.items())),
        failures=tuple(findings.failures[failure] for failure in sorted(findings.failures)),
        reach=tuple(reach.values()),
        examples=sum(report.examples for report in reports),
        steps=sum(report.steps for report in reports),
        seconds=sum(report.seconds for report in reports),
    )
