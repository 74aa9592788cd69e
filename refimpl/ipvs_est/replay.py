"""Replaying a trace: does the model answer what was recorded? (docs/reference/recordings.md)"""

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ipvs_est.answers.results import (
    Deadlocked,
    Dumped,
    ExportedObject,
    Percpu,
    ReadObject,
    Result,
    Returned,
    Snapshotted,
    Status,
    Text,
    percpu_from_json,
    result_to_json,
)
from ipvs_est.answers.snapshot import snapshot_from_json
from ipvs_est.answers.state import state_from_json
from ipvs_est.answers.trace import TraceError, lines_of, read_lines
from ipvs_est.language.difference import Difference, first_difference
from ipvs_est.language.header import Header, header_from_json
from ipvs_est.language.input_error import InputError, join
from ipvs_est.language.json_input import check_unique_keys, integer, parse_object, type_name
from ipvs_est.language.operation_json import operation_from_json
from ipvs_est.language.operations import Operation, OperationError
from ipvs_est.language.revision import Revision
from ipvs_est.language.violations import Violation, ViolationError, describe, to_json
from ipvs_est.oracle import Oracle

_DUMP_START = '{"op":"dump",'
_DUMP_WITH_RESULT = '{"op":"dump","result":'


@dataclass(frozen=True, slots=True)
class Passed:
    """Every recorded result was reproduced."""

    file: str
    header: Header
    operations: int
    violations: tuple[Violation, ...]
    """What went wrong in the modelled kernel, as it did in the recorded one."""


@dataclass(frozen=True, slots=True)
class Failed:
    """A recorded result was not reproduced; the trace was not followed further."""

    file: str
    header: Header
    operations: int
    """Operations replayed, the failing one included."""
    line: int
    """Line number in the file, from 1."""
    operation: Operation
    difference: Difference
    violations: tuple[Violation, ...]


Replayed = Passed | Failed


def replay(path: Path, override: Revision | None = None) -> Replayed:
    """Replay one trace file, under `override` instead of its own kernel's revision if given.

    Raises TraceError for a trace that is malformed, empty or truncated.
    """
    return _replay(str(path), read_lines(path), override)


def replay_bytes(file: str, data: bytes, override: Revision | None = None) -> Replayed:
    """The same for a trace that is in no file of its own; `file` names it in what is told."""
    return _replay(file, lines_of(file, data), override)


def _replay(file: str, lines: list[str], override: Revision | None) -> Replayed:
    line = 1
    try:
        value = parse_object(lines[0])
        check_unique_keys(lines[0])
        header = header_from_json(value, override)
        oracle = Oracle(header.params, header.revision)
        for line in range(2, len(lines) + 1):
            found = _step(oracle, lines[line - 1], last=line == len(lines))
            if found is not None:
                operation, difference = found
                return Failed(
                    file, header, line - 1, line, operation, difference, oracle.violations
                )
    except InputError as error:
        raise TraceError(file, line, error) from None
    return Passed(file, header, len(lines) - 1, oracle.violations)


def _step(oracle: Oracle, text: str, *, last: bool) -> tuple[Operation, Difference] | None:
    """Apply one line's operation; the difference to its recorded result, if there is one."""
    if text.startswith(_DUMP_START):
        # Most of a recording is dumps: compare the text before parsing it.
        state = json.dumps(result_to_json(Dumped(oracle.state())), separators=(",", ":"))
        if text == f"{_DUMP_WITH_RESULT}{state}}}":
            return None
    value = parse_object(text)
    recorded = value.get("result")
    if not isinstance(recorded, dict):
        if "result" not in value:
            raise InputError("result", "missing")
        raise InputError("result", f"expected an object, found {type_name(recorded)}")
    operation = operation_from_json(value, extra=1)
    # Each key and each string has two quotes: more of them in the text than in what was
    # parsed means that a key was given twice.
    if text.count('"') != _QUOTES.get(operation.op) or len(recorded) != _RESULTS[operation.op]:
        check_unique_keys(text)
    try:
        result = oracle.apply(operation)
    except OperationError as error:
        # Only bad input: what ends a history is let through in the last line alone.
        raise InputError(error.field, error.message) from None
    except ViolationError as error:
        if not first_difference(recorded, {"violation": to_json(error.violation)}):
            if not last:
                raise InputError("result", "a violation ends a history, this goes on") from None
            return None
        return operation, Difference("", recorded, f"no result: {describe(error.violation)}")
    return _compare(operation, recorded, result, last=last)


_RESULTS = {"svc": 1, "dest": 1, "del": 1, "advance": 1, "settle": 1, "read": 13, "traffic": 1}
"""Members of the result of each frequent operation."""

_FIELDS = {"svc": 1, "dest": 1, "del": 1, "advance": 1, "settle": 0, "read": 1, "traffic": 7}

# The names of op, its value, its fields, `result` and what that holds.
_QUOTES = {op: 2 * (3 + _FIELDS[op] + members) for op, members in _RESULTS.items()}
"""Quotes in a line of each frequent operation."""


def _compare(
    operation: Operation, recorded: dict[str, Any], result: Result, *, last: bool
) -> tuple[Operation, Difference] | None:
    if isinstance(result, Returned) and len(recorded) == 1:
        ret = recorded.get("ret")
        if type(ret) is int and ret == result.ret:
            return None
    computed = result_to_json(result)
    difference = first_difference(recorded, computed)
    if difference is not None:
        _check_form(recorded, result)
        return operation, difference
    if isinstance(result, Deadlocked) and not last:
        raise InputError("result", "a deadlock ends a history, but the trace goes on")
    return None


def _check_form(recorded: dict[str, Any], result: Result) -> None:
    """Tell a result that differs from one that no kernel can have given."""
    if "deadlock" in recorded:
        if not isinstance(recorded["deadlock"], str):
            raise InputError("result.deadlock", "expected a string")
        return
    if "violation" in recorded:
        if not isinstance(recorded["violation"], dict):
            raise InputError("result.violation", "expected an object")
        return
    if isinstance(result, Dumped):
        state_from_json(recorded, "result")
    elif isinstance(result, Text):
        if not isinstance(recorded.get("text"), str):
            raise InputError("result.text", "expected a string")
    elif isinstance(result, Snapshotted):
        try:
            snapshot_from_json(recorded)
        except InputError as error:
            raise InputError(join("result", error.field), error.message) from None
    elif isinstance(result, Percpu):
        percpu_from_json(recorded)
    elif isinstance(result, Returned | ReadObject | ExportedObject | Status):
        computed = result_to_json(result)
        for name in computed:
            if name not in recorded:
                raise InputError(f"result.{name}", "missing")
            integer(recorded[name], f"result.{name}", -(2**31), 2**64 - 1)
        for name in sorted(recorded.keys() - computed.keys()):
            raise InputError(f"result.{name}", "unknown field")
