"""Reading and writing trace files: a header line, then one operation with its result a line
(docs: SCHEMA.md)."""

import json
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

from ipvs_est.answers.results import Result, result_to_json
from ipvs_est.language.header import FORMAT, Header, params_to_json
from ipvs_est.language.input_error import InputError
from ipvs_est.language.operation_json import operation_to_json
from ipvs_est.language.operations import Operation


class TraceError(InputError):
    """A trace that cannot be used: file, line (from 1; 0 = the whole file) and field."""

    def __init__(self, file: str, line: int, error: InputError) -> None:
        super().__init__(error.field, error.message)
        self.file = file
        self.line = line

    def __str__(self) -> str:
        place = f"{self.file}:{self.line}" if self.line else self.file
        field = f"{self.field}: " if self.field else ""
        return f"{place}: {field}{self.message}"

    def __reduce__(self) -> tuple[Any, ...]:
        # Any: the type of object.__reduce__; makes the error pass between processes.
        return _trace_error, (self.file, self.line, self.field, self.message)


def _trace_error(file: str, line: int, field: str, message: str) -> TraceError:
    return TraceError(file, line, InputError(field, message))


def read_lines(path: Path) -> list[str]:
    """The lines of a trace file, at least a header and one operation; raises TraceError."""
    file = str(path)
    try:
        data = path.read_bytes()
    except OSError as error:
        reason = error.strerror or type(error).__name__
        raise TraceError(file, 0, InputError("", f"cannot be read: {reason}")) from None
    return lines_of(file, data)


def lines_of(file: str, data: bytes) -> list[str]:
    """The same for a trace that is in no file of its own; `file` names it in what is told."""
    if not data:
        raise TraceError(file, 0, InputError("", "empty, not a trace"))
    try:
        text = data.decode()
    except UnicodeDecodeError as error:
        line = data.count(b"\n", 0, error.start) + 1
        raise TraceError(file, line, InputError("", "not UTF-8")) from None
    lines = text.split("\n")
    if lines.pop():
        raise TraceError(file, len(lines) + 1, InputError("", "the file ends within this line"))
    if len(lines) < 2:
        raise TraceError(file, 1, InputError("", "no operation follows the header: truncated"))
    return lines


def write_trace(header: Header, steps: Iterable[tuple[Operation, Result]]) -> Iterator[str]:
    """The lines, without newlines, of a trace; equal histories give equal lines."""
    yield _dump(
        {
            "trace": header.trace,
            "format": FORMAT,
            "kernel": header.kernel,
            "seed": header.seed,
            "params": params_to_json(header.params),
        }
    )
    for operation, result in steps:
        yield _dump({**operation_to_json(operation), "result": result_to_json(result)})


def _dump(value: dict[str, object]) -> str:
    return json.dumps(value, separators=(",", ":"))
