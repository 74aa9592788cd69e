"""Small named changes of the model, which must not go unnoticed.

How one is made and taken back is explained in `ipvs_est_checks.text_edits`. A process has one
mutant at a time.
"""

from dataclasses import dataclass
from enum import Enum

from ipvs_est.language.revision import Revision
from ipvs_est_checks.text_edits import Edit


class Engine(Enum):
    """What is expected to kill a mutant."""

    HISTORIES = "histories"
    """Random histories under the sequential schedule."""
    DIRECTED = "directed"
    """A short hand-made history."""
    SCHEDULES = "schedules"
    """The explorer, in a scenario of the library."""
    BUFFERS = "store buffers"
    """Nothing: under store buffers it does what the unmutated model does, in a scenario of the
    library; see the mutant's reason."""


@dataclass(frozen=True, slots=True)
class Mutant:
    """One change that must not go unnoticed."""

    id: str
    sentence: str
    """What is wrong, in kernel terms."""
    base: Revision
    properties: tuple[str, ...]
    """Ids; one of them must break."""
    edits: tuple[Edit, ...]
    engine: Engine = Engine.HISTORIES
    reason: str = ""
    """With BUFFERS: why it changes nothing."""
    directed: str = ""
    """Name of its hand-made history."""
    scenario: str = ""
    """With SCHEDULES: in which schedules are searched for one that shows it. With BUFFERS: whose
    schedules under tso are exhausted."""
    preemptions: int = 0
    """Bound of that search."""
