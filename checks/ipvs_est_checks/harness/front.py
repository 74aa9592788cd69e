"""A tree as a subject: one process that answers for every geometry.

It speaks the oracle's language (SCHEMA.md). At a configuration it builds the program for these
parameters, or takes one that is there, and hands the lines that follow to it.
"""

import json
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, BinaryIO

from ipvs_est import __version__
from ipvs_est.answers.snapshot import SNAPSHOT_VERSION
from ipvs_est.language.header import FORMAT, params_from_json, params_to_json
from ipvs_est.language.input_error import InputError, join
from ipvs_est.language.json_input import parse_object, type_name
from ipvs_est.language.operations import OPERATIONS
from ipvs_est.language.params import Params
from ipvs_est.oracle_process import GIVES as ORACLE_GIVES
from ipvs_est.oracle_process import MAX_LINE, PROTOCOL
from ipvs_est_checks.explore.schedule_lines import SCHEDULES_VERSION
from ipvs_est_checks.harness.building.build import build
from ipvs_est_checks.harness.building.options import Variant, options_for
from ipvs_est_checks.harness.building.tree import Tree, version_text
from ipvs_est_checks.harness.process import Program, ask, start, stop
from ipvs_est_checks.terminal.bad_input import BadInputError

_OPERATION = b'"op"'
_CONFIGURATION_MARKS = frozenset({"configure", "trace", "format", "kernel", "params"})
GIVES = {
    name: ORACLE_GIVES[name] for name in ("violations", "snapshot", "events", "fail_allocations")
}
"""Chapters of the contract that a tree's program gives."""

NOT_TAKEN = frozenset({"packet", "read_status", "read_percpu"})
"""Operations that a tree's program does not know."""


@dataclass(slots=True)
class Front:
    """What a client has set up."""

    tree: Tree
    variant: Variant
    programs: dict[Path, Program] = field(default_factory=dict)
    """All that were started."""
    current: Program | None = None
    lines: int = 0


def handshake(tree: Tree, variant: Variant = Variant.PLAIN) -> dict[str, object]:
    """The first line."""
    points = {"schedules": SCHEDULES_VERSION} if variant is Variant.POINTS else {}
    return {
        "oracle": "ipvs-est",
        "protocol": PROTOCOL,
        "formats": [FORMAT],
        "snapshots": [SNAPSHOT_VERSION],
        "version": __version__,
        "revisions": [f"linux-{version_text(tree)}"],
        "kernels": [version_text(tree)],
        "operations": [operation.op for operation in OPERATIONS if operation.op not in NOT_TAKEN],
        "max_line": MAX_LINE,
        "gives": {**GIVES, **points},
    }


def serve(tree: Tree, variant: Variant, source: BinaryIO, sink: BinaryIO) -> None:
    """Answer every line of `source` on `sink` until it ends."""
    front = Front(tree, variant)
    _write(sink, _line(handshake(tree, variant)))
    try:
        for line in source:
            front.lines += 1
            _write(sink, answer(front, line if line.endswith(b"\n") else line + b"\n"))
    finally:
        for program in front.programs.values():
            stop(program)


def answer(front: Front, line: bytes) -> bytes:
    """The answer to one line."""
    if _OPERATION not in line:
        try:
            value = parse_object(line.decode())
        except (InputError, UnicodeDecodeError):
            value = {}
        if _CONFIGURATION_MARKS & value.keys():
            return _configure(front, value, line)
    if front.current is None:
        return _refusal(front, line, InputError("op", "there is no machine: configure one first"))
    return ask(front.current, line)


def _configure(front: Front, value: dict[str, Any], line: bytes) -> bytes:
    # A configuration that is refused must not leave the one before it in force.
    front.current = None
    try:
        program = build(front.tree, options_for(params_of(value), front.variant))
    except InputError as error:
        return _refusal(front, line, error)
    except BadInputError as error:
        return _refusal(front, line, InputError("", error.message))
    front.current = front.programs.get(program)
    if front.current is None:
        front.current = front.programs[program] = start(program)
    return ask(front.current, line)


def params_of(value: dict[str, Any]) -> Params:
    """The parameters of a configuration or a header. Raises InputError."""
    where = value.get("configure", value)
    if not isinstance(where, dict):
        raise InputError("configure", f"expected an object, found {type_name(where)}")
    given = where.get("params", {})
    if not isinstance(given, dict):
        raise InputError("params", f"expected an object, found {type_name(given)}")
    # Those that are left out have their defaults.
    known = {**params_to_json(Params()), **given}
    for derived in ("tick_jiffies", "tick_chains"):
        if derived not in given:
            del known[derived]
    try:
        return params_from_json(known)
    except InputError as error:
        raise InputError(
            join("params", error.field.removeprefix("params.")), error.message
        ) from None


def _refusal(front: Front, line: bytes, error: InputError) -> bytes:
    answer: dict[str, object] = {}
    try:
        seq = parse_object(line.decode()).get("seq")
    except (InputError, UnicodeDecodeError):
        seq = None
    if seq is not None:
        answer["seq"] = seq
    answer["error"] = {
        "type": "bad-input",
        "field": error.field,
        "message": error.message,
        "line": front.lines,
    }
    return _line(answer)


def _line(value: dict[str, object]) -> bytes:
    return json.dumps(value, separators=(",", ":")).encode() + b"\n"


def _write(sink: BinaryIO, line: bytes) -> None:
    sink.write(line)
    sink.flush()
