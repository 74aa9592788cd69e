"""What operations answer, and its JSON form (docs: SCHEMA.md)."""

from dataclasses import dataclass
from typing import assert_never

from ipvs_est.answers.snapshot import Snapshot, snapshot_to_json
from ipvs_est.answers.state import State, state_to_json
from ipvs_est.language.counters import COUNTERS, RATES
from ipvs_est.state.stats import Reading


@dataclass(frozen=True, slots=True)
class Returned:
    """A return value: 0 or -errno."""

    ret: int


@dataclass(frozen=True, slots=True)
class ReadObject:
    """An object's counters and rates, and its estimator's raw place."""

    reading: Reading
    ktid: int
    ktrow: int
    ktcid: int


@dataclass(frozen=True, slots=True)
class ExportedObject:
    """An object's counters and rates as the sockopt interface gives them."""

    reading: Reading


@dataclass(frozen=True, slots=True)
class Text:
    """What reading a sysctl file gives, without the newline."""

    text: str


@dataclass(frozen=True, slots=True)
class Dumped:
    """The estimator state."""

    state: State


@dataclass(frozen=True, slots=True)
class Snapshotted:
    """The complete state."""

    snapshot: Snapshot


@dataclass(frozen=True, slots=True)
class Deadlocked:
    """The control process waited for ten seconds; the history ends here."""


Result = Returned | ReadObject | ExportedObject | Text | Dumped | Snapshotted | Deadlocked

OK = Returned(0)
DEADLOCK_TEXT = "control process blocked"


def result_to_json(result: Result) -> dict[str, object]:
    """The recorded form."""
    if isinstance(result, Returned):
        return {"ret": result.ret}
    if isinstance(result, Dumped):
        return state_to_json(result.state)
    if isinstance(result, ReadObject):
        place = {"ktid": result.ktid, "ktrow": result.ktrow, "ktcid": result.ktcid}
        return {**_reading_to_json(result.reading), **place}
    if isinstance(result, ExportedObject):
        return _reading_to_json(result.reading)
    if isinstance(result, Text):
        return {"text": result.text}
    if isinstance(result, Snapshotted):
        return snapshot_to_json(result.snapshot)
    if isinstance(result, Deadlocked):
        return {"deadlock": DEADLOCK_TEXT}
    assert_never(result)


def _reading_to_json(reading: Reading) -> dict[str, object]:
    return {
        **dict(zip(COUNTERS, reading.counters, strict=True)),
        **dict(zip(RATES, reading.rates, strict=True)),
    }
