"""The schemas of the oracle's language: parameters, operations, results, states, events, lines.

Numbers go up to 2^64-1: a program whose numbers are floating point, such as one in JavaScript,
must read them otherwise where they exceed 2^53 (docs: SCHEMA.md).
"""

from collections.abc import Iterable
from dataclasses import MISSING, fields
from typing import get_args

from ipvs_est.answers.results import DEADLOCK_TEXT, Status
from ipvs_est.answers.snapshot import Snapshot
from ipvs_est.answers.state import State
from ipvs_est.language.counters import COUNTERS, RATES
from ipvs_est.language.events import Event
from ipvs_est.language.fixed import U64_MASK
from ipvs_est.language.header import FORMAT
from ipvs_est.language.operations import BOUNDS, MAX_TEXT, OPERATIONS, Operation
from ipvs_est.language.params import (
    MAX_COST_NS,
    MAX_POSSIBLE_CPUS,
    MAX_STEPS_PER_BREAK,
    MAX_TICKS,
    Params,
)
from ipvs_est.language.violations import Violation
from ipvs_est.oracle_process import MAX_SEQ, MAX_SEQ_TEXT, ON_VIOLATION, WATCH
from ipvs_est_checks.schemas.of_types import (
    Schema,
    closed,
    integer,
    members_of,
    reference,
    schema_of,
)

_U64 = integer(0, U64_MASK)
_BITMAP: Schema = {"type": "string", "pattern": "^(0|[1-9a-f][0-9a-f]{0,15})$"}
_CPUS: Schema = {
    "type": "array",
    "items": integer(0, MAX_POSSIBLE_CPUS - 1),
    "uniqueItems": True,
}
_NUMBER = "^(0|[1-9][0-9]?)$"
_SPECIAL = {State: reference("state"), Params: reference("params")}


def definitions() -> dict[str, Schema]:
    """By name: each thing that the language has."""
    operations = [_operation(operation) for operation in OPERATIONS]
    return {
        "params": _params(),
        "operation": {"oneOf": operations},
        "result": _result(),
        "state": _state(),
        "snapshot": schema_of(Snapshot, _SPECIAL),
        "event": {
            "oneOf": [members_of(argument, {}, event=argument.kind) for argument in get_args(Event)]
        },
        "violation": {
            "oneOf": [
                members_of(argument, {}, kind=argument.kind) for argument in get_args(Violation)
            ]
        },
        "trace-header": _header(),
        "trace-line": {"oneOf": [_recorded(operation) for operation in OPERATIONS]},
        "configuration": _configuration(),
        "answer": _answer(),
    }


def _operation(operation: type[Operation], **more: Schema) -> Schema:
    members = {field.name: _field(field.name) for field in fields(operation)}
    optional = {field.name for field in fields(operation) if field.default is not MISSING}
    return closed({"op": {"const": operation.op}, **members, **more}, frozenset(optional))


def _recorded(operation: type[Operation]) -> Schema:
    return _operation(operation, result={"type": "object"})


def _field(name: str) -> Schema:
    if name == "text":
        return {"type": "string", "maxLength": MAX_TEXT}
    if name == "allowed":
        return _CPUS
    return integer(*BOUNDS[name])


def _params() -> Schema:
    optional = frozenset(
        {
            "tick_jiffies",
            "tick_chains",
            "word_bits",
            "housekeeping_cpus",
            "sysctl",
            "steps_per_break",
        }
    )
    return closed(
        {
            "hz": integer(1, 100_000),
            "nticks": integer(1, MAX_TICKS),
            "tick_jiffies": integer(1, 2**31),
            "load_divisor": integer(2, 64),
            "chain_factor": integer(1, 64),
            "tick_chains": integer(1, 64),
            "preempt_rcu": {"type": "boolean"},
            "possible_cpus": integer(1, MAX_POSSIBLE_CPUS),
            "est_cost_ns": integer(0, MAX_COST_NS),
            "initial_jiffies": _U64,
            "word_bits": {"enum": [32, 64]},
            "housekeeping_cpus": _CPUS,
            "sysctl": {"type": "boolean"},
            "steps_per_break": integer(0, MAX_STEPS_PER_BREAK),
        },
        optional,
    )


def _state() -> Schema:
    ids: Schema = {"type": "array", "items": _U64}
    chains = _by_number(ids)
    tick = closed({"len": _U64, "present": _BITMAP, "full": _BITMAP, "chains": chains})
    names = ("est_count", "est_max_count", "chain_max", "tick_max", "add_row", "est_row")
    kthread = closed(
        {
            "id": _U64,
            "running": {"type": "boolean"},
            **dict.fromkeys(names, _U64),
            "est_timer": _U64,
            "avail": _BITMAP,
            "ticks": _by_number(tick),
        }
    )
    numbers = [field.name for field in fields(State) if field.name not in ("temp", "kthreads")]
    kthreads: Schema = {"type": "array", "items": {"anyOf": [kthread, {"type": "null"}]}}
    return closed({**dict.fromkeys(numbers, _U64), "temp": ids, "kthreads": kthreads})


def _by_number(value: Schema) -> Schema:
    return {"type": "object", "patternProperties": {_NUMBER: value}, "additionalProperties": False}


def _result() -> Schema:
    reading = dict.fromkeys((*COUNTERS, *RATES), _U64)
    five = len(COUNTERS)
    group: Schema = {"type": "array", "items": _U64, "minItems": five, "maxItems": five}
    place = {
        "ktid": integer(-2, 2**15 - 1),
        "ktrow": integer(0, 255),
        "ktcid": integer(0, 255),
    }
    return {
        "anyOf": [
            closed({"ret": integer(-(2**31), 2**31 - 1)}),
            closed({**reading, **place}),
            closed(reading),
            closed({field.name: _U64 for field in fields(Status)}),
            closed({"cpus": {"type": "array", "items": group}, **reading}),
            closed({"text": {"type": "string"}}),
            reference("state"),
            reference("snapshot"),
            closed({"deadlock": {"const": DEADLOCK_TEXT}}),
        ]
    }


def _header() -> Schema:
    return closed(
        {
            "trace": {"type": "string"},
            "format": {"const": FORMAT},
            "kernel": {"type": "string"},
            "seed": integer(-(2**63), U64_MASK),
            "params": reference("params"),
        }
    )


def _configuration() -> Schema:
    params = _params()
    # Any of them may be left out here.
    params["required"] = []
    watch: Schema = {"type": "array", "items": {"enum": list(WATCH)}}
    members: dict[str, Schema] = {
        "revision": {"type": "string"},
        "params": params,
        "on_violation": {"enum": list(ON_VIOLATION)},
        "watch": watch,
    }
    return closed(
        {"configure": closed(members, frozenset(members)), "seq": _seq()}, frozenset({"seq"})
    )


def _seq() -> Schema:
    return {"anyOf": [integer(0, MAX_SEQ), {"type": "string", "maxLength": MAX_SEQ_TEXT}]}


def _answer() -> Schema:
    text: Schema = {"type": "string"}
    error = closed({"type": text, "field": text, "message": text, "line": integer(1, U64_MASK)})
    violations = _list_of("violation")
    watched: dict[str, Schema] = {"events": _list_of("event"), "snapshot": reference("snapshot")}
    result: dict[str, Schema] = {
        "result": reference("result"),
        "equal": {"type": "boolean"},
        "differs_at": text,
        "violations": violations,
    }
    configured: Schema = {"type": "object", "required": ["revision", "params", "on_violation"]}
    forms: Iterable[tuple[str, dict[str, Schema]]] = (
        ("configured", {"configured": configured}),
        ("error", {"error": error}),
        ("violation", {"violation": reference("violation"), "violations": violations, **watched}),
        ("result", {**result, **watched}),
    )
    return {
        "oneOf": [
            closed({"seq": _seq(), **members}, frozenset({"seq", *members}) - {needed})
            for needed, members in forms
        ]
    }


def _list_of(name: str) -> Schema:
    return {"type": "array", "items": reference(name)}
