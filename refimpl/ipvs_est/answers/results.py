"""What operations answer, and its JSON form (docs: SCHEMA.md)."""

from dataclasses import asdict, dataclass, fields
from typing import assert_never

from ipvs_est.answers.snapshot import Snapshot, snapshot_from_json, snapshot_to_json
from ipvs_est.answers.state import State, state_from_json, state_to_json
from ipvs_est.language.counters import COUNTERS, RATES, Counters, Group, Rates
from ipvs_est.language.fixed import U64_MASK
from ipvs_est.language.input_error import InputError, join
from ipvs_est.language.json_input import integer, type_name
from ipvs_est.language.operations import (
    Dump,
    Export,
    Operation,
    Read,
    ReadCpulist,
    ReadPercpu,
    ReadStatus,
    TakeSnapshot,
)
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
class Status:
    """What /proc/net/ip_vs_status tells about estimation."""

    kt_count: int
    """`est_kt_count`: slots, holes included."""
    max_threads: int
    """`est_max_threads`."""
    chain_max: int
    """`est_chain_max`."""
    kt_max: int
    """Estimators that one kthread may have with these limits."""


@dataclass(frozen=True, slots=True)
class Percpu:
    """What /proc/net/ip_vs_stats_percpu shows."""

    cpus: tuple[Group, ...]
    """Each possible CPU's own counters, which zeroing does not change."""
    total: Reading
    """The total's counters since its zero point, and its rates."""


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


Result = (
    Returned
    | ReadObject
    | ExportedObject
    | Status
    | Percpu
    | Text
    | Dumped
    | Snapshotted
    | Deadlocked
)

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
    if isinstance(result, Status):
        return asdict(result)
    if isinstance(result, Percpu):
        cpus = [list(group) for group in result.cpus]
        return {"cpus": cpus, **_reading_to_json(result.total)}
    if isinstance(result, Text):
        return {"text": result.text}
    if isinstance(result, Snapshotted):
        return snapshot_to_json(result.snapshot)
    if isinstance(result, Deadlocked):
        return {"deadlock": DEADLOCK_TEXT}
    assert_never(result)


def result_from_json(operation: Operation, value: object, path: str = "result") -> Result:
    """The inverse of `result_to_json`, for that operation; raises InputError below `path`."""
    if not isinstance(value, dict):
        raise InputError(path, f"expected an object, found {type_name(value)}")
    if "deadlock" in value:
        if value != {"deadlock": DEADLOCK_TEXT}:
            raise InputError(join(path, "deadlock"), f"expected {DEADLOCK_TEXT!r} alone")
        return Deadlocked()
    match operation:
        case Dump():
            return Dumped(state_from_json(value, path))
        case TakeSnapshot():
            try:
                return Snapshotted(snapshot_from_json(value))
            except InputError as error:
                raise InputError(join(path, error.field), error.message) from None
        case ReadCpulist():
            _check_members(value, ("text",), path)
            text = value["text"]
            if not isinstance(text, str):
                raise InputError(join(path, "text"), f"expected a string, found {type_name(text)}")
            return Text(text)
        case Read():
            _check_members(value, (*COUNTERS, *RATES, *_PLACE), path)
            reading = _reading_from_json(value, path)
            ktid, ktrow, ktcid = (_integer(value, name, path, -(2**15)) for name in _PLACE)
            return ReadObject(reading, ktid, ktrow, ktcid)
        case Export():
            _check_members(value, (*COUNTERS, *RATES), path)
            return ExportedObject(_reading_from_json(value, path))
        case ReadStatus():
            _check_members(value, _STATUS, path)
            return Status(*(_integer(value, name, path, 0) for name in _STATUS))
        case ReadPercpu():
            return percpu_from_json(value, path)
        case _:
            _check_members(value, ("ret",), path)
            return Returned(_integer(value, "ret", path, -(2**31)))


_PLACE = ("ktid", "ktrow", "ktcid")
_STATUS = tuple(field.name for field in fields(Status))


def percpu_from_json(value: dict[str, object], path: str = "result") -> Percpu:
    """What `read_percpu` answers, from its JSON form; raises InputError."""
    _check_members(value, ("cpus", *COUNTERS, *RATES), path)
    cpus = value["cpus"]
    at = join(path, "cpus")
    if not isinstance(cpus, list):
        raise InputError(at, f"expected a list, found {type_name(cpus)}")
    rows = tuple(_row_from_json(row, f"{at}[{cpu}]") for cpu, row in enumerate(cpus))
    return Percpu(rows, _reading_from_json(value, path))


def _row_from_json(row: object, at: str) -> Group:
    if not isinstance(row, list) or len(row) != len(COUNTERS):
        raise InputError(at, f"expected a list of {len(COUNTERS)} counters")
    c1, c2, c3, c4, c5 = (
        integer(entry, f"{at}[{index}]", 0, U64_MASK) for index, entry in enumerate(row)
    )
    return c1, c2, c3, c4, c5


def _check_members(value: dict[str, object], names: tuple[str, ...], path: str) -> None:
    for name in names:
        if name not in value:
            raise InputError(join(path, name), "missing")
    for name in value:
        if name not in names:
            raise InputError(join(path, name), "unknown field")


def _integer(value: dict[str, object], name: str, path: str, low: int) -> int:
    return integer(value[name], join(path, name), low, U64_MASK)


def _reading_from_json(value: dict[str, object], path: str) -> Reading:
    c1, c2, c3, c4, c5 = (_integer(value, name, path, 0) for name in COUNTERS)
    r1, r2, r3, r4, r5 = (_integer(value, name, path, 0) for name in RATES)
    return Reading(Counters(c1, c2, c3, c4, c5), Rates(r1, r2, r3, r4, r5))


def _reading_to_json(reading: Reading) -> dict[str, object]:
    return {
        **dict(zip(COUNTERS, reading.counters, strict=True)),
        **dict(zip(RATES, reading.rates, strict=True)),
    }
