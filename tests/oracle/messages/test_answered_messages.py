"""What the oracle process says of a line that it cannot use, word for word."""

import io
import json
from typing import Any

import pytest

import ipvs_est
from ipvs_est.oracle_process import MAX_LINE, Session, answer, handshake, serve

# Any in this file: parsed JSON.

CONFIGURE = b'{"configure":{}}\n'
KNOWN = "6.12.94, 6.12.95, 6.12.117, 7.3.4, v7, v7-unwind, stable, mainline, repaired"


def answers(data: bytes) -> list[dict[str, Any]]:
    """What is answered to these lines, after the handshake."""
    sink = io.BytesIO()
    serve(io.BytesIO(data), sink)
    return [json.loads(line) for line in sink.getvalue().splitlines()][1:]


def error(field: str, message: str, line: int = 1, kind: str = "bad-input") -> dict[str, Any]:
    return {"error": {"type": kind, "field": field, "message": message, "line": line}}


def test_the_handshake_tells_all_that_the_process_speaks() -> None:
    recorded = "tot svc dest del cpulist cost nice run_estimation traffic zero read disable cleanup"
    more = (
        "init exit add_service delete_service add_dest delete_dest get_dest put_dest"
        " write_cpulist read_cpulist fail_allocations export packet read_status read_percpu"
        " snapshot"
    )
    assert list(handshake().items()) == [
        ("oracle", "ipvs-est"),
        ("protocol", 1),
        ("formats", [1]),
        ("snapshots", [2]),
        ("version", ipvs_est.__version__),
        ("revisions", ["v7", "v7-unwind", "stable", "mainline", "repaired"]),
        ("kernels", ["6.12.94", "6.12.95", "6.12.117", "7.3.4"]),
        ("operations", [*recorded.split(), "settle", "advance", "dump", *more.split()]),
        ("max_line", 8 * 1024 * 1024),
        ("gives", {"violations": 1, "snapshot": 2, "events": 1, "fail_allocations": 1}),
    ]


@pytest.mark.parametrize(
    ("line", "field", "message"),
    [
        (b'{"op":"\xff"}', "", "not UTF-8 at byte 8"),
        (b"\xff", "", "not UTF-8 at byte 1"),
        (b"[" * 100_000 + b"]" * 100_000, "", "not usable: nested more than 100 deep"),
        (b"9" * 5000, "", "not usable: a number with too many digits"),
        (b"{", "", "not JSON: Expecting property name enclosed in double quotes at column 2"),
        (b"7", "", "expected a JSON object"),
        (b'{"op":"settle","op":"settle"}', "op", "given twice"),
        (
            b'{"settle":1}',
            "op",
            "missing: neither an operation nor a configuration nor a header",
        ),
        (b'{"op":"setle"}', "op", "there is no operation 'setle'"),
        (
            b'{"op":"settle"}',
            "",
            "there is no machine: a configuration or a trace header comes first",
        ),
        (b'{"op":"settle","result":1}', "result", "expected an object, found an integer"),
        (b'{"op":"settle","seq":1.5}', "seq", "1.5 is not an integer"),
        (b'{"op":"settle","seq":null}', "seq", "expected an integer or a string, found null"),
        (b'{"op":"settle","seq":[]}', "seq", "expected an integer or a string, found a list"),
        (b'{"op":"settle","seq":-1}', "seq", f"-1 is not in 0..{2**64 - 1}"),
        (b'{"op":"settle","seq":"%s"}' % (b"x" * 65), "seq", "longer than 64 characters"),
        (b'{"configure":{},"x":1}', "x", "unknown field"),
        (b'{"configure":[]}', "configure", "expected an object, found a list"),
        (b'{"configure":{"x":1}}', "configure.x", "unknown field"),
        (
            b'{"configure":{"revision":"v8"}}',
            "configure.revision",
            f"unknown kernel 'v8', known are {KNOWN}",
        ),
        (
            b'{"configure":{"revision":8}}',
            "configure.revision",
            "expected a string, found an integer",
        ),
        (
            b'{"configure":{"on_violation":{}}}',
            "configure.on_violation",
            "expected a string, found an object",
        ),
        (
            b'{"configure":{"on_violation":"stop"}}',
            "configure.on_violation",
            "expected record or raise",
        ),
        (b'{"configure":{"params":1}}', "configure.params", "expected an object, found an integer"),
        (b'{"configure":{"params":{"hz":0}}}', "configure.params.hz", "0 is not in 1..100000"),
        (b'{"trace":"t"}', "format", "missing: this is not a trace's first line"),
    ],
    ids=lambda value: str(value)[:30],
)
def test_a_line_that_cannot_be_used(line: bytes, field: str, message: str) -> None:
    assert answers(line + b"\n") == [error(field, message)]


def test_the_longest_seq_comes_back() -> None:
    _, answer = answers(CONFIGURE + b'{"op":"settle","seq":"%s"}\n' % (b"x" * 64))
    assert answer == {"seq": "x" * 64, "result": {"ret": 0}}


def test_lines_are_counted_from_one() -> None:
    seen = answers(CONFIGURE + b'{}\n{"op":"settle"}\n\n')
    assert [entry["error"]["line"] for entry in seen if "error" in entry] == [2, 4]


def test_a_line_without_an_end_and_one_that_is_too_long() -> None:
    cut = error("", "the input ends within this line")
    assert answers(b'{"op":"settle"}') == [cut]
    assert answers(b"x" * MAX_LINE) == [cut]
    too_long = error("", "longer than 8388608 bytes")
    assert answers(b"x" * (MAX_LINE + 1) + b"\n") == [too_long]
    assert answers(b"x" * (MAX_LINE + 1)) == [too_long]


@pytest.mark.parametrize("length", [MAX_LINE + 1, MAX_LINE + 2, MAX_LINE + (1 << 16), 2 * MAX_LINE])
def test_what_is_too_long_ends_with_its_line(length: int) -> None:
    _, refused, after = answers(CONFIGURE + b"x" * length + b'\n{"op":"settle"}\n')
    assert refused == error("", "longer than 8388608 bytes", line=2)
    assert after == {"result": {"ret": 0}}


@pytest.mark.parametrize("mark", ["trace", "format", "kernel", "params"])
def test_each_mark_of_a_header_makes_a_line_one(mark: str) -> None:
    (answer,) = answers(json.dumps({mark: None}).encode() + b"\n")
    assert answer["error"]["message"] == "missing: this is not a trace's first line"


def test_a_header_configures_a_machine_that_records_violations() -> None:
    header = {
        "trace": "t",
        "format": 1,
        "kernel": "6.12.94",
        "seed": 1,
        "params": {
            "hz": 100,
            "nticks": 5,
            "chain_factor": 3,
            "preempt_rcu": False,
            "load_divisor": 8,
            "possible_cpus": 2,
            "est_cost_ns": 7916,
            "initial_jiffies": 0,
        },
    }
    session = Session()
    shown = answer(session, json.dumps(header).encode(), 1)["configured"]
    assert isinstance(shown, dict)
    assert (shown["revision"], shown["on_violation"]) == ("v7-unwind", "record")
    assert shown["params"]["est_cost_ns"] == 7916
    assert session.oracle is not None
    assert session.oracle.machine.revision is ipvs_est.V7_UNWIND
    assert not session.oracle.machine.raise_violations


@pytest.mark.parametrize(("wanted", "raises"), [("record", False), ("raise", True)])
def test_a_configuration_chooses_what_a_violation_does(wanted: str, raises: bool) -> None:
    session = Session()
    document = answer(session, json.dumps({"configure": {"on_violation": wanted}}).encode(), 1)
    configured = document["configured"]
    assert isinstance(configured, dict)
    assert list(configured) == ["revision", "params", "on_violation"]
    assert (configured["revision"], configured["on_violation"]) == ("mainline", wanted)
    assert session.oracle is not None
    assert session.oracle.machine.raise_violations is raises


def test_parameters_that_follow_from_others_need_not_be_given_again() -> None:
    (answer,) = answers(b'{"configure":{"params":{"hz":100,"nticks":5,"chain_factor":3}}}\n')
    params = answer["configured"]["params"]
    assert (params["tick_jiffies"], params["tick_chains"]) == (40, 3)


def test_answers_are_lines_without_spaces_and_in_ascii() -> None:
    sink = io.BytesIO()
    serve(io.BytesIO(b'{"seq":"\xc3\xa4","configure":{"x":1}}\n'), sink)
    _, line, rest = sink.getvalue().split(b"\n")
    assert line == (
        b'{"seq":"\\u00e4","error":{"type":"bad-input","field":"configure.x",'
        b'"message":"unknown field","line":1}}'
    )
    assert rest == b""


def test_what_follows_an_ended_history_cannot_be_answered() -> None:
    *_, answer = answers(
        b'{"configure":{"revision":"v7","params":{"sysctl":false}}}\n'
        b'{"op":"fail_allocations","nth":3}\n{"op":"add_service","id":1}\n{"op":"settle"}\n'
    )
    assert answer == error(
        "",
        "the history has ended: invalid-pointer: thing=scheduler, where=ip_vs_add_service",
        line=4,
        kind="cannot-answer",
    )
