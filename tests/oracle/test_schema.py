"""SCHEMA.md and the code name the same operations, fields, bounds, results and violations."""

import json
import re
from collections.abc import Callable
from dataclasses import MISSING, fields, is_dataclass
from pathlib import Path
from types import NoneType
from typing import Annotated, Any, get_args, get_origin, get_type_hints

import pytest

import ipvs_est
from ipvs_est import KERNELS, REVISIONS, OperationError, Oracle, Params
from ipvs_est import __main__ as command
from ipvs_est.answers.results import DEADLOCK_TEXT, result_to_json
from ipvs_est.answers.snapshot import SNAPSHOT_VERSION, Snapshot, snapshot_to_json
from ipvs_est.answers.state import KthreadState, State, TickState, state_from_json, state_to_json
from ipvs_est.language import errno as errors
from ipvs_est.language.codec import OneOf, Range
from ipvs_est.language.counters import COUNTERS, RATES
from ipvs_est.language.event_json import KINDS as EVENTS
from ipvs_est.language.header import FORMAT, header_from_json, params_from_json, params_to_json
from ipvs_est.language.input_error import InputError
from ipvs_est.language.operation_json import operation_from_json
from ipvs_est.language.operations import (
    BOUNDS,
    MAX_TEXT,
    OPERATIONS,
    AddDest,
    AddService,
    Advance,
    BadInputReason,
    Delete,
    DeleteDest,
    DeleteService,
    Export,
    GetDest,
    InitNetns,
    Operation,
    Packet,
    PutDest,
    Read,
    SetNice,
    SetRunEstimation,
    StartDest,
    StartTotal,
    WriteCpulist,
    Zero,
)
from ipvs_est.language.violations import UNDEFINED, Violation
from ipvs_est.oracle_process import (
    CONFIGURE_FIELDS,
    HEADER_MARKS,
    MAX_LINE,
    MAX_SEQ,
    MAX_SEQ_TEXT,
    ON_VIOLATION,
    PROTOCOL,
    WATCH,
    Session,
    answer,
    handshake,
)
from ipvs_est_checks.explore.schedule_lines import ScheduleLines
from model import TINY, booted

# Any in this file: annotations and parsed JSON.

SCHEMA = (Path(ipvs_est.__file__).parent / "SCHEMA.md").read_text(encoding="utf-8")
RECORDED = 16

Row = dict[str, str]


def sections() -> dict[str, str]:
    """Heading -> the text below it, up to the next one."""
    parts = re.split(r"^#+ (.+)$", SCHEMA, flags=re.MULTILINE)
    return dict(zip(parts[1::2], parts[2::2], strict=True))


def tables(heading: str) -> list[list[Row]]:
    """The tables of a section: their rows, by column."""
    found: list[list[Row]] = []
    rows: list[list[str]] = []
    for line in [*sections()[heading].splitlines(), ""]:
        if line.startswith("|"):
            rows.append([cell.strip() for cell in line.strip("|").split("|")])
        elif rows:
            names, _, *cells = rows
            found.append([dict(zip(names, cell, strict=True)) for cell in cells])
            rows = []
    return found


def table(heading: str) -> list[Row]:
    """The first table of a section."""
    return tables(heading)[0]


def plain(cell: str) -> str:
    """A cell that is one name in backticks."""
    assert re.fullmatch("`[^`]+`", cell), cell
    return cell.strip("`")


def column(rows: list[Row], name: str) -> list[str]:
    return [plain(row[name]) for row in rows]


def names_in(cell: str) -> list[str]:
    """The names in backticks in a cell."""
    found: list[str] = re.findall("`([^`]+)`", cell)
    return found


def number(text: str) -> int:
    """A number such as 10, -20, 10^15 or 2^64-1."""
    found = re.fullmatch(r"(-?)(\d+)(?:\^(\d+))?(?:-(\d+))?", text)
    assert found, text
    sign, base, exponent, less = found.groups()
    value: int = int(base) ** int(exponent or 1) - int(less or 0)
    return -value if sign else value


def bounds(text: str) -> tuple[int, int]:
    """A range such as 0..2^64-1."""
    low, high = text.split("..")
    return number(low), number(high)


def refused_by(check: Callable[[Any], object], value: object) -> str:
    """The field of the value that the check blames."""
    with pytest.raises((InputError, OperationError)) as caught:
        check(value)
    assert isinstance(caught.value, InputError | OperationError)
    return caught.value.field


# The document


def test_tables_are_read_as_they_stand_there() -> None:
    assert [number(text) for text in ("7", "-20", "2^64-1", "10^15", "-2^31")] == [
        7,
        -20,
        2**64 - 1,
        10**15,
        -(2**31),
    ]
    assert sum(len(tables(heading)) for heading in sections()) == 35
    assert sum(len(rows) for heading in sections() for rows in tables(heading)) > 200


def test_links_lead_to_headings() -> None:
    anchors = {re.sub(r"[^\w -]", "", section).lower().replace(" ", "-") for section in sections()}
    links = re.findall(r"\]\(#([^)]+)\)", SCHEMA)
    assert len(links) >= 4
    assert set(links) <= anchors


def test_versions_are_those_of_the_code() -> None:
    stated = re.search(
        r"\*\*format (\d+)\*\*.*\*\*protocol (\d+)\*\*.*\*\*snapshot (\d+)\*\*", SCHEMA
    )
    assert stated is not None
    assert tuple(map(int, stated.groups())) == (FORMAT, PROTOCOL, SNAPSHOT_VERSION)


# The process


def test_handshake() -> None:
    rows = table("Handshake")
    assert column(rows, "member") == list(handshake())
    meaning = {plain(row["member"]): row["meaning"] for row in rows}
    assert f"`{handshake()['oracle']}`" in meaning["oracle"]
    assert meaning["protocol"].endswith(f": {PROTOCOL}")
    assert meaning["formats"].endswith(f": {FORMAT}")
    assert meaning["snapshots"].endswith(f": {SNAPSHOT_VERSION}")
    assert meaning["max_line"].endswith(f": {MAX_LINE}")
    chapters = {plain(row["chapter"]): int(row["version"]) for row in table("Subjects")}
    assert chapters == handshake(ScheduleLines())["gives"]


def test_seq_bounds() -> None:
    stated = re.search(r"`seq`, an integer (\S+) or a string of at most (\d+) char", SCHEMA)
    assert stated is not None
    assert bounds(stated[1]) == (0, MAX_SEQ)
    assert int(stated[2]) == MAX_SEQ_TEXT


def test_lines_are_known_by_their_members() -> None:
    configuration, header, operation = table("Lines read")
    assert names_in(configuration["known by"]) == ["configure"]
    assert {*names_in(header["known by"])} - {"op"} == HEADER_MARKS
    assert names_in(operation["known by"]) == ["op"]


def test_configuration() -> None:
    rows = table("Configuration")
    assert set(column(rows, "member")) == CONFIGURE_FIELDS
    defaults = {plain(row["member"]): plain(row["default"]) for row in rows}
    lists = {name: json.loads(defaults[name]) for name in ("params", "watch")}
    spelled_out = {**defaults, **lists}
    watch = {plain(row["member"]): row["meaning"] for row in rows}["watch"]
    assert names_in(watch) == list(WATCH)
    spelled = answer(Session(), json.dumps({"configure": spelled_out}).encode(), 1)
    assert spelled == answer(Session(), b'{"configure":{}}', 1)
    assert "configured" in spelled
    (on_violation,) = [row for row in rows if row["member"] == "`on_violation`"]
    stated = re.findall("`([^`]+)`:", on_violation["meaning"])
    assert stated == list(ON_VIOLATION)


def test_answers() -> None:
    rows, error_rows, type_rows = tables("Answers")
    session = Session()
    lines = [
        {"configure": {"revision": "v7", "params": {"sysctl": False}, "watch": list(WATCH)}},
        {"op": "settle", "seq": 1, "result": {"ret": 1}},
        {"op": "fail_allocations", "nth": 3},
        {"op": "add_service", "id": 1},
        {"op": "settle"},
    ]
    answered = [answer(session, json.dumps(line).encode(), 1) for line in lines]
    texts: set[str] = {name for entry in answered for name in entry}
    assert texts | {"violations"} == set(column(rows, "member"))
    assert answered[1].keys() == {"seq", "result", "equal", "differs_at", *WATCH}
    error = answered[-1]["error"]
    assert isinstance(error, dict)
    assert list(error) == column(error_rows, "member")
    assert tuple(column(type_rows, "type")) == get_args(BadInputReason)
    assert answered[0]["configured"] == {
        "revision": "v7",
        "params": params_to_json(Params(sysctl=False)),
        "on_violation": "record",
        "watch": list(WATCH),
    }


def test_exit_codes() -> None:
    stated = [int(row["code"]) for row in table("Exit codes")]
    assert stated == [
        command.DONE,
        command.UNUSABLE_STREAM,
        command.INTERRUPTED,
        command.DEAD_PIPE,
    ]


# Parameters and header

PLAIN_PARAMS = {"hz": 200, "nticks": 2, "possible_cpus": 8192, "housekeeping_cpus": [0]}
"""With these each other parameter may have any value of its range."""


def all_params() -> dict[str, object]:
    return params_to_json(
        Params(
            housekeeping_cpus=frozenset({0}),
            word_bits=32,
            sysctl=False,
            possible_cpus=8192,
            steps_per_break=2,
        )
    )


def changed(name: str, value: object) -> dict[str, object]:
    base = params_to_json(Params())
    for derived in ("tick_jiffies", "tick_chains"):
        del base[derived]
    return {**base, **PLAIN_PARAMS, name: value}


def test_parameters() -> None:
    rows = table("Parameters")
    assert set(column(rows, "field")) == all_params().keys()
    default = Params()
    for row in rows:
        name = plain(row["field"])
        held = all_params()
        if row["default"]:
            without = {item: held[item] for item in held if item != name}
            params_from_json(without)
        else:
            without = {item: held[item] for item in held if item != name}
            assert refused_by(params_from_json, without) == f"params.{name}"
        match row["in a configuration"]:
            case "derived":
                assert isinstance(getattr(Params, name), property)
            case "all possible":
                assert getattr(default, name) is None
            case stated:
                assert getattr(default, name) == json.loads(stated)
                assert row["default"] in ("", stated)


def test_bounds_of_parameters() -> None:
    checked = 0
    for row in table("Parameters"):
        name = plain(row["field"])
        if row["type"] == "boolean":
            assert refused_by(params_from_json, changed(name, 1)) == f"params.{name}"
        elif row["type"] == "list of integers":
            low, high = bounds(row["range"])
            for inside in (low, high):
                params_from_json(changed(name, [inside]))
            for outside in (low - 1, high + 1):
                field = refused_by(params_from_json, changed(name, [outside]))
                assert field == f"params.{name}[0]"
            checked += 1
        elif ".." in row["range"]:
            low, high = bounds(row["range"])
            for inside in (low, high):
                params_from_json(changed(name, inside) | _matching(name, inside))
            for outside in (low - 1, high + 1):
                field = refused_by(params_from_json, changed(name, outside))
                assert field == f"params.{name}"
            checked += 1
    assert checked == 9
    for bits in (32, 64):
        params_from_json(changed("word_bits", bits))
    for bits in (31, 33, 63, 65):
        assert refused_by(params_from_json, changed("word_bits", bits)) == "params.word_bits"


def _matching(name: str, value: int) -> dict[str, object]:
    """What goes with the bound of another parameter."""
    if name == "hz" and value == 1:
        return {"nticks": 2}
    return {}


def test_header() -> None:
    rows = table("Trace files")
    header: dict[str, Any] = {
        "trace": "t",
        "format": 1,
        "kernel": "7.3.4",
        "seed": 0,
        "params": params_to_json(Params()),
    }
    assert column(rows, "field") == list(header)
    header_from_json(header)
    for row in rows:
        name = plain(row["field"])
        without = {item: header[item] for item in header if item != name}
        assert refused_by(header_from_json, without) == name
        if row["range"]:
            low, high = bounds(row["range"])
            for inside in (low, high):
                header_from_json({**header, name: inside})
            for outside in (low - 1, high + 1):
                field = refused_by(header_from_json, {**header, name: outside})
                assert field == name
    for kernel in (*KERNELS, *REVISIONS):
        header_from_json({**header, "kernel": kernel})


# Operations


def test_operations_and_their_fields() -> None:
    rows = table("Operations")
    assert column(rows, "op") == [kind.op for kind in OPERATIONS]
    for row, kind in zip(rows, OPERATIONS, strict=True):
        optional = set(re.findall(r"`(\w+)`\?", row["fields"]))
        assert names_in(row["fields"]) == [field.name for field in fields(kind)]
        assert optional == {field.name for field in fields(kind) if field.default is not MISSING}


def test_additions_are_told_from_what_was_recorded() -> None:
    since = [row["since"] for row in table("Operations")]
    assert since[:RECORDED] == ["recorded"] * RECORDED
    assert set(since[RECORDED:]) == {"0.1.0", "0.2.0"}


def test_ranges_of_operation_fields() -> None:
    rows = table("Fields of operations")
    used: dict[str, set[str]] = {}
    for kind in OPERATIONS:
        for field in fields(kind):
            used.setdefault(field.name, set()).add(kind.op)
    stated: dict[str, set[str]] = {}
    for row in rows:
        name = plain(row["field"])
        ops = used[name] if row["of"].startswith("all") else set(names_in(row["of"]))
        stated.setdefault(name, set()).update(ops)
        if row["type"] == "integer" and ops != {"run_estimation"}:
            assert bounds(row["range"]) == BOUNDS[name]
    assert stated == used
    of = {(plain(row["field"]), row["of"]): row for row in rows}
    assert bounds(of["text", "`write_cpulist`"]["range"]) == (0, MAX_TEXT)
    low, high = bounds(of["allowed", "`write_cpulist`"]["range"])
    for cpu in (low, high):
        operation_from_json({"op": "write_cpulist", "text": "", "allowed": [cpu]})
    for cpu in (low - 1, high + 1):
        value = {"op": "write_cpulist", "text": "", "allowed": [cpu]}
        assert refused_by(operation_from_json, value) == "allowed[0]"
    low, high = bounds(of["value", "`run_estimation`"]["range"])
    for flag in (low, high):
        booted().apply(SetRunEstimation(flag))
    for flag in (low - 1, high + 1):
        assert refused_by(booted().apply, SetRunEstimation(flag)) == "value"


def test_defaults_of_operation_fields() -> None:
    stated = {
        (plain(row["field"]), op): row["default"]
        for row in table("Fields of operations")
        for op in names_in(row["of"])
        if row["default"]
    }
    defaults = {
        (field.name, kind.op): field.default
        for kind in OPERATIONS
        for field in fields(kind)
        if field.default is not MISSING
    }
    assert stated == {
        ("count", "fail_allocations"): "1",
        ("allowed", "write_cpulist"): "all possible",
        ("offset", "write_cpulist"): "0",
        ("offset", "nice"): "0",
        ("offset", "run_estimation"): "0",
    }
    assert defaults == {
        ("count", "fail_allocations"): 1,
        ("allowed", "write_cpulist"): None,
        ("offset", "write_cpulist"): 0,
        ("offset", "nice"): 0,
        ("offset", "run_estimation"): 0,
    }


def test_ids_and_sysctls_are_as_the_text_says() -> None:
    assert refused_by(booted().apply, StartDest(0)) == "id"
    text = sections()["Operations"]
    stated = re.search(r"([^.]*) need sysctl support", text)
    assert stated is not None
    without = Oracle(Params(sysctl=False))
    needing = set()
    for kind in OPERATIONS:
        try:
            without.apply(example(kind))
        except OperationError as error:
            if "sysctl" in error.message:
                needing.add(kind.op)
    assert needing == set(names_in(stated[1]))


# Results

BEFORE: dict[type[Operation], list[Operation]] = {
    Delete: [StartDest(1)],
    DeleteService: [AddService(1)],
    AddDest: [AddService(2)],
    DeleteDest: [AddService(2), AddDest(1, 2)],
    GetDest: [AddService(2), AddDest(1, 2)],
    PutDest: [AddService(2), AddDest(1, 2), GetDest(1)],
    Read: [StartDest(1)],
    Zero: [StartDest(1)],
    Export: [StartDest(1)],
    Packet: [AddService(2), AddDest(1, 2)],
}
"""What makes the examples possible."""


def example(kind: type[Operation]) -> Operation:
    values: dict[str, Any] = {field.name: 1 for field in fields(kind) if field.name in BOUNDS}
    if "service" in values:
        values["service"] = 2
    if kind is WriteCpulist:
        values["text"] = "0"
    operation: Operation = kind(**values)
    return operation


def test_results_of_operations() -> None:
    members: dict[str, list[str]] = {}
    for row in table("Results"):
        members.setdefault(row["result"], []).append(plain(row["member"]))
    members["state"] = column(table("State"), "member")
    members["snapshot"] = column(table("`Snapshot`"), "member")
    deadlock = members.pop("deadlock")
    assert deadlock == ["deadlock"]
    assert f"`{DEADLOCK_TEXT}`" in next(
        row["meaning"] for row in table("Results") if row["result"] == "deadlock"
    )
    used = set()
    for row, kind in zip(table("Operations"), OPERATIONS, strict=True):
        oracle = Oracle(TINY) if kind in (StartTotal, InitNetns) else booted()
        for operation in BEFORE.get(kind, [StartDest(1)] if kind.op == "traffic" else []):
            oracle.apply(operation)
        result = result_to_json(oracle.apply(example(kind)))
        assert list(result) == members[row["result"]], kind.op
        used.add(row["result"])
    assert used == members.keys()


def test_ranges_of_results() -> None:
    ranges = {(row["result"], plain(row["member"])): row["range"] for row in table("Results")}
    wide = dict.fromkeys(COUNTERS, 2**64 - 1)
    wide |= {name: (2**64 - 1) >> (5 if name.endswith("bps") else 10) for name in RATES}
    for name, high in wide.items():
        assert bounds(ranges["read", name]) == (0, high)
        assert bounds(ranges["percpu", name]) == (0, high)
        full = name.endswith("bytes")
        assert bounds(ranges["export", name]) == (0, high if full else 2**32 - 1)
    object_rows = {plain(row["member"]): row["range"] for row in table("`ObjectState`")}
    for name in ("ktid", "ktrow", "ktcid"):
        assert ranges["read", name] == object_rows[name]


def test_error_numbers() -> None:
    rows = tables("Results")[1]
    assert {int(row["number"]): plain(row["name"]) for row in rows} == errors.NAMES


# State


def test_state() -> None:
    oracle = booted()
    oracle.apply(StartDest(1))
    oracle.apply(SetNice(1))
    oracle.apply(AddService(2))
    oracle.apply(Advance(500))
    value: Any = json.loads(json.dumps(state_to_json(oracle.state())))
    kthread = value["kthreads"][0]
    (tick,) = kthread["ticks"].values()
    for heading, record, written in (
        ("State", State, value),
        ("Kthread", KthreadState, kthread),
        ("Tick", TickState, tick),
    ):
        rows = table(heading)
        assert column(rows, "member") == list(written)
        # A tick's row is its name in the object that holds it.
        assert column(rows, "member") == [
            field.name for field in fields(record) if field.name != "row" or record is not TickState
        ]
        for row in rows:
            name = plain(row["member"])
            _check_state_range(value, written, name, row["range"])


def _check_state_range(state: Any, written: Any, name: str, stated: str) -> None:
    if not stated:
        return
    low, high = bounds(stated)
    kept = written[name]
    for number, fits in ((low, True), (high, True), (low - 1, False), (high + 1, False)):
        match kept:
            case list():
                written[name] = [number]
            case dict():
                written[name] = {"0": [number]}
            case _:
                written[name] = number
        if fits:
            state_from_json(state)
        else:
            assert name in re.findall(r"\w+", refused_by(state_from_json, state))
    written[name] = kept


# Snapshot


def snapshot_classes() -> list[type]:
    """`Snapshot` and what it is made of, but for those that have a form of their own."""
    seen: list[type] = []
    waiting: list[Any] = [Snapshot]
    while waiting:
        entry = waiting.pop(0)
        if is_dataclass(entry) and entry not in (*seen, State, Params):
            assert isinstance(entry, type)
            seen.append(entry)
            waiting += get_type_hints(entry, include_extras=True).values()
        else:
            waiting += [inner for inner in get_args(entry) if not isinstance(inner, Range | OneOf)]
    return seen


def type_text(annotation: Any, *, plural: bool = False) -> str:
    """How SCHEMA.md spells the type."""
    if get_origin(annotation) is Annotated:
        return type_text(get_args(annotation)[0], plural=plural)
    if get_origin(annotation) is tuple:
        inner = get_args(annotation)
        if inner[-1] is ...:
            return f"list of {type_text(inner[0], plural=True)}"
        return f"({', '.join(type_text(entry) for entry in inner)})"
    if NoneType in get_args(annotation):
        (other,) = [argument for argument in get_args(annotation) if argument is not NoneType]
        return f"{type_text(other)} or null"
    names = {int: "integer", bool: "boolean", str: "string", State: "state", Params: "parameters"}
    if annotation in names:
        return names[annotation] + ("s" if plural else "")
    return f"`{annotation.__name__}`"


def ranges_in(annotation: Any) -> list[str]:
    """The ranges in a type, each once, as SCHEMA.md spells them but for powers."""
    if get_origin(annotation) is Annotated:
        (restriction,) = get_args(annotation)[1:]
        if isinstance(restriction, Range):
            high = "" if restriction.high is None else restriction.high
            return [f"{restriction.low}..{high}"]
        assert isinstance(restriction, OneOf)
        return list(restriction.values)
    return list(dict.fromkeys(span for inner in get_args(annotation) for span in ranges_in(inner)))


def spelled_ranges(cell: str) -> list[str]:
    """The ranges of a cell with their powers worked out."""
    if "`" in cell:
        return names_in(cell)
    found = []
    for word in cell.split(", ") if cell else []:
        low, high = word.split("..")
        found.append(f"{number(low)}..{number(high) if high else ''}")
    return found


def test_snapshot_has_a_table_for_each_of_its_parts() -> None:
    inside = {kind.__name__ for kind in snapshot_classes()}
    assert {name.strip("`") for name in sections() if name.startswith("`")} == inside
    assert len(inside) == 11


@pytest.mark.parametrize("kind", snapshot_classes(), ids=lambda kind: kind.__name__)
def test_snapshot_members(kind: type) -> None:
    rows = table(f"`{kind.__name__}`")
    annotations = get_type_hints(kind, include_extras=True)
    assert [(plain(row["member"]), row["type"], spelled_ranges(row["range"])) for row in rows] == [
        (name, type_text(annotation), ranges_in(annotation))
        for name, annotation in annotations.items()
    ]


def test_snapshot_is_written_in_the_order_of_the_table() -> None:
    written = snapshot_to_json(booted().snapshot())
    assert list(written) == column(table("`Snapshot`"), "member")
    mutexes = next(row for row in table("`Snapshot`") if row["member"] == "`mutexes`")
    named = [mutex.name for mutex in booted().snapshot().mutexes]
    assert names_in(mutexes["meaning"]) == named


# Violations


def test_violations() -> None:
    kinds = {argument.kind: argument for argument in get_args(Violation)}
    rows = table("Violations")
    assert column(rows, "kind") == list(kinds)
    for row in rows:
        kind = kinds[plain(row["kind"])]
        assert names_in(row["members"]) == [field.name for field in fields(kind)]
        assert row["ends the history"] == ("yes" if kind in UNDEFINED else "no")


def test_events() -> None:
    rows = table("Events")
    assert column(rows, "event") == list(EVENTS)
    stated = {plain(row["event"]): names_in(row["members"]) for row in rows}
    assert stated == {kind: [field.name for field in fields(EVENTS[kind])] for kind in EVENTS}
    text = sections()["Events"].rpartition("|\n")[2]
    members = {
        (field.name, get_type_hints(event)[field.name] is bool)
        for event in EVENTS.values()
        for field in fields(event)
    }
    unnamed = {name for name, is_boolean in members if f"`{name}`" not in text and not is_boolean}
    assert unnamed == set()


def test_types_of_violation_members() -> None:
    text = sections()["Violations"]
    stated = {
        "str": {"thing", "field", "where", "property", "case"},
        "int": {"index", "size", "steps"},
        "tuple[str, ...]": {"cycle", "tasks"},
    }
    found: dict[str, set[str]] = {}
    for kind in get_args(Violation):
        for name, annotation in get_type_hints(kind).items():
            if name != "kind":
                spelled = annotation.__name__ if isinstance(annotation, type) else str(annotation)
                found.setdefault(spelled, set()).add(name)
    found["tuple[str, ...]"] = found.pop("tuple", set()) | found.get("tuple[str, ...]", set())
    assert found == stated
    for name in set[str]().union(*stated.values()):
        assert f"`{name}`" in text
