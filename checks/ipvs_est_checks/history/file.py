"""Histories as traces: the operations of a file without its results, and a first line."""

import json
from dataclasses import dataclass
from pathlib import Path

from ipvs_est import Params
from ipvs_est.answers.trace import TraceError, read_lines
from ipvs_est.language.header import FORMAT, Header, header_from_json, params_to_json
from ipvs_est.language.input_error import InputError
from ipvs_est.language.json_input import parse_object
from ipvs_est.language.operation_json import operation_from_json
from ipvs_est.language.operations import Operation


@dataclass(frozen=True, slots=True)
class History:
    """A trace's header and operations."""

    header: Header
    operations: tuple[Operation, ...]


def read_history(file: Path) -> History:
    """Read a trace file; raises TraceError."""
    lines = read_lines(file)
    line = 1
    try:
        header = header_from_json(parse_object(lines[0]))
        operations: list[Operation] = []
        for line in range(2, len(lines) + 1):
            value = parse_object(lines[line - 1])
            # A history that nobody has answered has no results.
            value.pop("result", None)
            operations.append(operation_from_json(value))
    except InputError as error:
        raise TraceError(str(file), line, error) from None
    return History(header, tuple(operations))


def line_of(value: dict[str, object]) -> str:
    """A JSON object as a line of a trace, without the newline."""
    return json.dumps(value, separators=(",", ":"))


def header_line(name: str, revision: str, params: Params, seed: int = 0) -> str:
    """The first line of a trace, such as an oracle process reads."""
    return json.dumps(
        {
            "trace": name,
            "format": FORMAT,
            "kernel": revision,
            "seed": seed,
            "params": params_to_json(params),
        }
    )
