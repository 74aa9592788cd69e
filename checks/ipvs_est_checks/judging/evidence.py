"""What a file tells: states, events, violations, each with its line.

A file is a snapshot alone, perhaps over several lines, or lines: first one with the parameters,
such as the header of a trace; then operations with results, answers of the oracle, events.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, get_args

from ipvs_est import Params, Violation
from ipvs_est.answers.snapshot import SNAPSHOT_VERSION
from ipvs_est.language import violations as violation_codec
from ipvs_est.language.event_json import event_from_json
from ipvs_est.language.events import Event
from ipvs_est.language.header import params_from_json
from ipvs_est.language.input_error import InputError, join
from ipvs_est.language.json_input import check_unique_keys, parse_object, type_name
from ipvs_est_checks.partly_known.partial import Partial, partial_from_json

# Any in this file: parsed JSON of a file from outside.

_SETTLED = ("settle", "advance")
EVERY_KIND = frozenset(argument.kind for argument in get_args(Event))


TELLS = "tells"
"""Member of the first line: the kinds of events that the file has."""


@dataclass(frozen=True, slots=True)
class SeenState:
    """A state."""

    line: int
    state: Partial
    settled: bool
    """Tasks had come to rest: time had passed, and nothing was done since."""


@dataclass(slots=True)
class Evidence:
    """All that a file tells."""

    params: Params
    states: list[SeenState] = field(default_factory=list)
    events: list[Event] = field(default_factory=list)
    tells_events: bool = False
    kinds: frozenset[str] = EVERY_KIND
    """Of the events that are told where they happen: one of another kind may have been."""
    violations: list[tuple[int, Violation]] = field(default_factory=list)
    """With lines."""
    tells_violations: bool = False


class EvidenceError(Exception):
    """The file cannot be read; the text says where and why."""

    def __init__(self, line: int, error: InputError) -> None:
        where = f"{error.field}: " if error.field else ""
        super().__init__(f"line {line}: {where}{error.message}")


def evidence_of(text: str) -> Evidence:
    """What the text of a file tells; raises EvidenceError."""
    lines = text.splitlines()
    number = 1
    try:
        whole = _whole(text)
        if whole is not None:
            params = params_from_json(_object(whole, "params"))
            evidence = Evidence(params)
            _note_snapshot(evidence, 1, whole, settled=False)
            return evidence
        if not lines:
            raise InputError("", "the file is empty")
        first = _parse(lines[0])
        # An oracle introduces itself before it is configured.
        begin = 2 if "oracle" in first and len(lines) > 1 else 1
        number = begin
        first = _parse(lines[begin - 1])
        evidence = Evidence(_params(first), kinds=_kinds(first))
        # That none has happened is told as well.
        evidence.tells_events = TELLS in first
        last = ""
        for number, line in enumerate(lines[begin:], begin + 1):
            value = _parse(line)
            _note(evidence, number, value, settled=last in _SETTLED)
            operation = value.get("op")
            if isinstance(operation, str) and operation not in ("dump", "snapshot", "read"):
                last = operation
    except InputError as error:
        raise EvidenceError(number, error) from None
    return evidence


def _whole(text: str) -> dict[str, Any] | None:
    """The only object of the file, if it is a snapshot."""
    try:
        value = _parse(text)
    except InputError:
        # One object a line, or nothing usable: its lines will tell.
        return None
    return value if "state" in value or "version" in value else None


def _parse(text: str) -> dict[str, Any]:
    value = parse_object(text)
    check_unique_keys(text)
    return value


def _params(first: dict[str, Any]) -> Params:
    configured = "configured" in first
    return params_from_json(
        _object(_object(first, "configured") if configured else first, "params")
    )


def _kinds(first: dict[str, Any]) -> frozenset[str]:
    """Those that the file tells, as its first line says; all if it says nothing."""
    if TELLS not in first:
        return EVERY_KIND
    for index, value in enumerate(kinds := _list(first, TELLS)):
        if value not in EVERY_KIND:
            raise InputError(f"{TELLS}[{index}]", "is no kind of events")
    return frozenset(map(str, kinds))


def _object(value: Mapping[str, Any], name: str) -> dict[str, Any]:
    if name not in value:
        raise InputError(name, "missing: nothing tells the parameters of the machine")
    found = value[name]
    if not isinstance(found, dict):
        raise InputError(name, f"expected an object, found {type_name(found)}")
    return found


def _note(evidence: Evidence, line: int, value: dict[str, Any], *, settled: bool) -> None:
    operation, result = value.get("op"), value.get("result")
    settled = settled or operation in _SETTLED
    if "event" in value:
        evidence.tells_events = True
        _note_event(evidence, event_from_json(value, ""), "")
    for index, item in enumerate(_list(value, "events")):
        _note_event(evidence, event_from_json(item, f"events[{index}]"), f"events[{index}]")
    evidence.tells_events |= "events" in value
    for index, item in enumerate(_list(value, "violations")):
        found = violation_codec.from_json(item, f"violations[{index}]")
        evidence.violations.append((line, found))
    evidence.tells_violations |= "violations" in value
    ended = value.get("violation", result.get("violation") if isinstance(result, dict) else None)
    if ended is not None:
        evidence.tells_violations = True
        evidence.violations.append((line, violation_codec.from_json(ended, "violation")))
    elif isinstance(result, dict) and "kthreads" in result:
        _note_snapshot(evidence, line, {"state": result}, settled=settled)
    elif isinstance(result, dict) and result.get("version") == SNAPSHOT_VERSION:
        _note_snapshot(evidence, line, result, settled=settled)
    if "snapshot" in value:
        _note_snapshot(evidence, line, _object(value, "snapshot"), settled=settled)


def _note_event(evidence: Evidence, event: Event, where: str) -> None:
    if event.kind not in evidence.kinds:
        raise InputError(join(where, "event"), f"{event.kind} is none of those in `{TELLS}`")
    evidence.events.append(event)


def _note_snapshot(evidence: Evidence, line: int, value: dict[str, Any], *, settled: bool) -> None:
    state = partial_from_json(value, evidence.params)
    evidence.states.append(SeenState(line, state, settled))


def _list(value: dict[str, Any], name: str) -> list[object]:
    found = value.get(name, [])
    if not isinstance(found, list):
        raise InputError(name, f"expected a list, found {type_name(found)}")
    return found
