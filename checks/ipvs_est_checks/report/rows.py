"""All engines together: what is established of each property, on each revision."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from time import perf_counter

from ipvs_est import Revision
from ipvs_est_checks.history.monitor import Failure
from ipvs_est_checks.report.verdict import Verdict
from ipvs_est_checks.terminal.progress import OnProgress, no_progress

OnFailure = Callable[[str], None]
"""Told one line."""


def say_nothing(_: str) -> None:
    """For who waits for the rows."""


@dataclass(frozen=True, slots=True)
class Request:
    """What is to be checked."""

    revisions: tuple[Revision, ...]
    profile: str
    properties: frozenset[str] | None
    """Ids; None = all."""
    seed: int
    jobs: int
    traces: Path | None
    """Directory of recorded traces, if there is one."""
    minutes: float | None = None
    """Sample that long, instead of the profile's number of rounds."""
    round: int | None = None
    """Sample only this round of each machine, that of a failure."""
    progress: OnProgress = no_progress
    """An engine calls it as often as it gets on: what it is doing, how much of how much is done."""
    on_failure: OnFailure = say_nothing
    """Told of each failure of a tree as soon as it is found."""
    subjects: tuple[str, ...] = ()
    """What stands for them in rows, if subjects are checked instead of revisions."""

    @property
    def names(self) -> tuple[str, ...]:
        """What is checked: revisions by name, or the subjects."""
        return self.subjects or tuple(revision.name for revision in self.revisions)


@dataclass(frozen=True, slots=True)
class Problem:
    """A failure, with all that a reader needs to follow it."""

    property: str
    revision: str
    detail: str
    operations: tuple[str, ...]
    """The history, one JSON operation each; with `header` an input of the oracle."""
    failure: Failure | None
    """States before and after, if they are known."""
    command: str
    """Shows it again; '' = there is none."""
    header: str = ""
    """First line of a trace with this history, if it is one of operations."""
    found: str = ""
    """The numbers with which it fails."""
    words: tuple[str, ...] = ()
    """Each operation in words."""
    geometry: str = ""
    """The machine of the history."""


@dataclass(frozen=True, slots=True)
class Row:
    """What one engine establishes of one property or on one subject."""

    id: str
    sentence: str
    revision: str
    """'' = of all of them; several have commas between them."""
    verdict: Verdict
    how: str
    """How it is established: recorded, sampled, explored to a bound, proved."""
    cases: int
    seconds: float
    """Its own; 0 where it was judged together with others, which have them."""
    command: str = ""
    """Runs it, where the profile left it out."""
    problems: tuple[Problem, ...] = ()
    notes: tuple[str, ...] = ()
    """Lines for a reader who asks for more."""
    remark: str = ""
    """Why it is incomplete or was not run, or says other than another row of its id."""
    properties: tuple[str, ...] = ()
    """Ids of the properties of which it says something, if it is about others than its own id."""
    findings: tuple[str, ...] = ()
    """Recorded findings that it shows."""


Engine = Callable[[Request], Iterator[Row]]
"""Yields each row as soon as it is known, so that an interrupted run can report them."""


@dataclass(frozen=True, slots=True)
class Report:
    """A whole run."""

    request: Request
    rows: tuple[Row, ...]
    complete: bool
    """Not interrupted."""
    seconds: float


def timed(started: float) -> float:
    """Seconds since `started`, a value of perf_counter."""
    return perf_counter() - started
