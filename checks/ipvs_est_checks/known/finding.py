"""What a finding is: one way in which properties fail on a revision."""

from dataclasses import dataclass

from ipvs_est_checks.explore.failures.cause import Sign


@dataclass(frozen=True, slots=True)
class Schedule:
    """A search that shows a finding which no sequential history shows."""

    scenario: str
    """Of the library; breaks the first of the finding's properties, alone watched there."""
    preemptions: int
    """With so many."""


@dataclass(frozen=True, slots=True)
class Finding:
    """One way in which properties fail, shown by a history or by a schedule."""

    id: str
    title: str
    """One sentence in kernel terms."""
    properties: tuple[str, ...]
    """Ids of the properties that its history, or a schedule, breaks on each of its revisions."""
    revisions: tuple[str, ...]
    defect: str
    """Row of the known defects; '' = not listed there."""
    repair: str
    """Field of Revision that repairs it."""
    schedule: Schedule | None = None
    """What shows it; None: its history in known/histories."""
    with_repairs: tuple[str, ...] = ()
    """Further fields of Revision that are needed before nothing of it is left."""
    sign: Sign | None = None
    """How its violations are told from others; None: by the signs of its row of the known
    defects, or by its repair."""

    @property
    def repairs(self) -> tuple[str, ...]:
        """Fields of Revision which, set together, remove it."""
        return (self.repair, *self.with_repairs)
