"""The protocol of the oracle process: a line of JSON in, a line of JSON out
(docs: SCHEMA.md)."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, BinaryIO, Protocol

from ipvs_est import __version__
from ipvs_est.answers.results import result_to_json
from ipvs_est.answers.snapshot import SNAPSHOT_VERSION, snapshot_to_json
from ipvs_est.language.difference import first_difference
from ipvs_est.language.event_json import EVENTS_VERSION, event_to_json
from ipvs_est.language.header import (
    FORMAT,
    find_revision,
    header_from_json,
    params_from_json,
    params_to_json,
)
from ipvs_est.language.input_error import InputError, join
from ipvs_est.language.json_input import check_unique_keys, integer, parse_object, type_name
from ipvs_est.language.operation_json import operation_from_json
from ipvs_est.language.operations import OPERATIONS, OperationError
from ipvs_est.language.params import Params
from ipvs_est.language.revision import KERNELS, MAINLINE, REVISIONS, Revision
from ipvs_est.language.violations import ViolationError, to_json
from ipvs_est.oracle import Oracle

PROTOCOL = 1
MAX_LINE = 8 << 20
"""Bytes in one line, without its newline."""
MAX_SEQ = 2**64 - 1
MAX_SEQ_TEXT = 64
"""Characters in a `seq` that is a string."""

CONFIGURE_FIELDS = frozenset({"revision", "params", "on_violation", "watch"})
ON_VIOLATION = ("record", "raise")
WATCH = ("snapshot", "events")
"""What each answer to an operation can tell besides its result."""
GIVES = {
    "violations": 1,
    "snapshot": SNAPSHOT_VERSION,
    "events": EVENTS_VERSION,
    "fail_allocations": 1,
}
"""Chapters of the contract beyond its minimum, each with its version."""
HEADER_MARKS = frozenset({"trace", "format", "kernel", "params"})
DERIVED_PARAMS = frozenset({"tick_jiffies", "tick_chains"})
_ABSENT = object()
_ENCODE = json.JSONEncoder(separators=(",", ":")).encode


class Extension(Protocol):
    """Chapters of the contract that the process answers by code of another package."""

    gives: Mapping[str, int]
    """Their names and versions, for the handshake."""
    known_by: frozenset[str]
    """A line with one of these members, and no `op`, is for it."""

    def answer(self, oracle: Oracle, value: dict[str, Any]) -> dict[str, object]:
        """The answer to such a line, without its `seq`; raises InputError, OperationError.

        `oracle` is the same object until another machine is configured.
        """
        ...


@dataclass(slots=True)
class Session:
    """What one client has set up."""

    extension: Extension | None = None
    oracle: Oracle | None = None
    violations_told: int = 0
    """How many of the oracle's violations were answered already."""
    watch: frozenset[str] = frozenset()
    """Those of `WATCH` that the client wants."""
    events_told: int = 0
    """How many of the recorded events were answered already."""


@dataclass(frozen=True, slots=True)
class Configuration:
    """What a configuration line asks for."""

    params: Params
    revision: Revision
    on_violation: str = ON_VIOLATION[0]
    watch: tuple[str, ...] = ()


def handshake(extension: Extension | None = None) -> dict[str, object]:
    """The process's first line: what it speaks."""
    more = {} if extension is None else extension.gives
    return {
        "oracle": "ipvs-est",
        "protocol": PROTOCOL,
        "formats": [FORMAT],
        "snapshots": [SNAPSHOT_VERSION],
        "version": __version__,
        "revisions": list(REVISIONS),
        "kernels": list(KERNELS),
        "operations": [operation.op for operation in OPERATIONS],
        "max_line": MAX_LINE,
        "gives": {**GIVES, **more},
    }


def serve(source: BinaryIO, sink: BinaryIO, extension: Extension | None = None) -> None:
    """Answer every line of `source` on `sink` until it ends. Raises OSError of either."""
    session = Session(extension)
    _write(sink, handshake(extension))
    number = 0
    while (line := _read_line(source)) is not None:
        number += 1
        _write(sink, answer(session, line, number))


def answer(session: Session, line: bytes | InputError, number: int) -> dict[str, object]:
    """The answer to a client's line, or to what was wrong with it; raises nothing for any."""
    seq: dict[str, object] = {}
    try:
        value = _parse(line)
        if "seq" in value:
            seq["seq"] = _seq(value.pop("seq"))
        return {**seq, **_respond(session, value)}
    except InputError as error:
        reason, field, message = "bad-input", error.field, error.message
    except OperationError as error:
        reason, field, message = error.reason, error.field, error.message
    return {**seq, "error": {"type": reason, "field": field, "message": message, "line": number}}


def _parse(line: bytes | InputError) -> dict[str, Any]:
    # Any: parsed data from outside; whoever takes a value out checks its type.
    if isinstance(line, InputError):
        raise line
    try:
        text = line.decode()
        value = parse_object(text)
        check_unique_keys(text)
    except UnicodeDecodeError as error:
        raise InputError("", f"not UTF-8 at byte {error.start + 1}") from None
    return value


def _seq(value: object) -> object:
    if isinstance(value, str):
        if len(value) > MAX_SEQ_TEXT:
            raise InputError("seq", f"longer than {MAX_SEQ_TEXT} characters")
        return value
    if type(value) is not int:
        raise InputError("seq", f"expected an integer or a string, found {type_name(value)}")
    return integer(value, "seq", 0, MAX_SEQ)


def _respond(session: Session, value: dict[str, Any]) -> dict[str, object]:
    if "op" in value:
        return _apply(session, value)
    extension = session.extension
    if extension is not None and extension.known_by & value.keys():
        return extension.answer(_machine(session), value)
    if "configure" not in value and not HEADER_MARKS & value.keys():
        raise InputError("op", "missing: neither an operation nor a configuration nor a header")
    # A configuration that is refused must not leave the one before it in force.
    session.oracle = None
    if "configure" in value:
        wanted = _configure(value)
    else:
        header = header_from_json(value)
        wanted = Configuration(header.params, header.revision)
    session.oracle = Oracle(
        wanted.params, wanted.revision, raise_violations=wanted.on_violation == "raise"
    )
    session.violations_told = session.events_told = 0
    session.watch = frozenset(wanted.watch)
    if "events" in session.watch:
        session.oracle.machine.events = []
    configured: dict[str, object] = {
        "revision": wanted.revision.name,
        "params": params_to_json(wanted.params),
        "on_violation": wanted.on_violation,
    }
    if wanted.watch:
        configured["watch"] = list(wanted.watch)
    return {"configured": configured}


def _configure(value: dict[str, Any]) -> Configuration:
    for name in sorted(value.keys() - {"configure"}):
        raise InputError(name, "unknown field")
    wanted = value["configure"]
    if not isinstance(wanted, dict):
        raise InputError("configure", f"expected an object, found {type_name(wanted)}")
    try:
        for name in sorted(wanted.keys() - CONFIGURE_FIELDS):
            raise InputError(name, "unknown field")
        revision = find_revision(_text(wanted, "revision", MAINLINE.name), "revision")
        params = _params(wanted.get("params", {}))
        on_violation = _text(wanted, "on_violation", ON_VIOLATION[0])
        if on_violation not in ON_VIOLATION:
            raise InputError("on_violation", f"expected {' or '.join(ON_VIOLATION)}")
        watch = _watch(wanted.get("watch", []))
    except InputError as error:
        raise InputError(join("configure", error.field), error.message) from None
    return Configuration(params, revision, on_violation, watch)


def _watch(value: object) -> tuple[str, ...]:
    if not isinstance(value, list):
        raise InputError("watch", f"expected a list, found {type_name(value)}")
    for index, name in enumerate(value):
        if name not in WATCH:
            raise InputError(f"watch[{index}]", f"expected {' or '.join(WATCH)}")
    return tuple(name for name in WATCH if name in value)


def _text(value: dict[str, Any], name: str, default: str) -> str:
    text = value.get(name, default)
    if not isinstance(text, str):
        raise InputError(name, f"expected a string, found {type_name(text)}")
    return text


def _params(value: object) -> Params:
    """The `params` of a header, of which any may be left out."""
    if isinstance(value, dict):
        defaults = params_to_json(Params())
        value = {
            **{name: defaults[name] for name in defaults if name not in DERIVED_PARAMS},
            **value,
        }
    return params_from_json(value)


def _apply(session: Session, value: dict[str, Any]) -> dict[str, object]:
    recorded = value.pop("result", _ABSENT)
    if recorded is not _ABSENT and not isinstance(recorded, dict):
        raise InputError("result", f"expected an object, found {type_name(recorded)}")
    operation = operation_from_json(value)
    oracle = _machine(session)
    try:
        result = result_to_json(oracle.apply(operation))
    except ViolationError as error:
        # It is the newest in the oracle's record; those before it were not fatal.
        *others, _ = _new_violations(session, oracle)
        watched = _watched(session, oracle)
        return {"violation": to_json(error.violation), **_if_any(others), **watched}
    answered: dict[str, object] = {"result": result}
    if recorded is not _ABSENT:
        difference = first_difference(recorded, result)
        answered["equal"] = difference is None
        if difference is not None:
            answered["differs_at"] = difference.path
    found = _if_any(_new_violations(session, oracle))
    return {**answered, **found, **_watched(session, oracle)}


def _machine(session: Session) -> Oracle:
    if session.oracle is None:
        raise InputError("", "there is no machine: a configuration or a trace header comes first")
    return session.oracle


def _watched(session: Session, oracle: Oracle) -> dict[str, object]:
    """What the client wants to see besides results: the events since the last answer, the state."""
    watched: dict[str, object] = {}
    events = oracle.machine.events
    if events is not None and "events" in session.watch:
        watched["events"] = [event_to_json(event) for event in events[session.events_told :]]
        session.events_told = len(events)
    if "snapshot" in session.watch:
        watched["snapshot"] = snapshot_to_json(oracle.snapshot())
    return watched


def _new_violations(session: Session, oracle: Oracle) -> list[dict[str, object]]:
    """Those since the last answer."""
    record = oracle.machine.violations
    new = [to_json(violation) for violation in record[session.violations_told :]]
    session.violations_told = len(record)
    return new


def _if_any(violations: list[dict[str, object]]) -> dict[str, object]:
    return {"violations": violations} if violations else {}


def _read_line(source: BinaryIO) -> bytes | InputError | None:
    """The next line without its newline, or what is wrong with it; None at the end."""
    line = source.readline(MAX_LINE + 1)
    if line.endswith(b"\n"):
        return line[:-1]
    if len(line) > MAX_LINE:
        # What is left of it is thrown away piece by piece.
        while line and not line.endswith(b"\n"):
            line = source.readline(1 << 16)
        return InputError("", f"longer than {MAX_LINE} bytes")
    return InputError("", "the input ends within this line") if line else None


def _write(sink: BinaryIO, value: dict[str, object]) -> None:
    sink.write(_ENCODE(value).encode("ascii") + b"\n")
    sink.flush()
