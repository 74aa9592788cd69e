"""`python -m ipvs_est`: one answer a line, whatever the line, and quiet ends."""

import io
import json
import os
import pty
import signal
import subprocess
import sys
import tomllib
from collections import Counter
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import ipvs_est
from ipvs_est import __main__ as command
from ipvs_est.language.input_error import InputError
from ipvs_est.language.operation_json import operation_to_json
from ipvs_est.machine.tasks import Task
from ipvs_est.oracle_process import MAX_LINE, Session, answer, handshake, serve
from ipvs_est_checks.testing import operations
from strategies import repeatable

# Any in this file: parsed JSON.

CHECKOUT = Path(__file__).resolve().parents[2]
TRACES = CHECKOUT / "tests" / "data" / "traces"
FULL = Path("/dev/full")
COMMAND = [sys.executable, "-m", "ipvs_est"]

MAINLINE_MACHINE = b'{"configure":{}}\n'
V7_MACHINE = (
    b'{"configure":{"revision":"v7","params":{"hz":100,"nticks":5,"chain_factor":3,'
    b'"possible_cpus":4,"est_cost_ns":23750}}}\n'
)
ENDING = (
    b'{"configure":{"revision":"v7","params":{"sysctl":false}}}\n'
    b'{"op":"fail_allocations","nth":3}\n'
    b'{"op":"add_service","id":1}\n'
)
"""The first service's kd finds no memory, and the scheduler is unbound twice."""


def environment(**more: str) -> dict[str, str]:
    kept = {name: value for name, value in os.environ.items() if not name.startswith("PYTHON")}
    return {**kept, "PYTHONPATH": str(CHECKOUT / "refimpl"), **more}


def process(data: bytes, *arguments: str, **more: str) -> subprocess.CompletedProcess[bytes]:
    """The process after it has read all of `data`."""
    return subprocess.run(
        [*COMMAND, *arguments],
        input=data,
        capture_output=True,
        env=environment(**more),
        check=False,
        timeout=60,
    )


def started(stdin: int = subprocess.PIPE) -> "subprocess.Popen[bytes]":
    return subprocess.Popen(
        COMMAND,
        stdin=stdin,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        env=environment(),
    )


def answers(data: bytes) -> list[dict[str, Any]]:
    """What is answered to these lines, after the handshake."""
    sink = io.BytesIO()
    serve(io.BytesIO(data), sink)
    first, *rest = [json.loads(line) for line in sink.getvalue().splitlines()]
    assert first == handshake()
    return rest


def last_answer(data: bytes) -> dict[str, Any]:
    return answers(data)[-1]


def error(field: str, line: int, kind: str = "bad-input") -> dict[str, Any]:
    """An error without its message."""
    return {"type": kind, "field": field, "line": line}


def without_message(answered: dict[str, Any]) -> dict[str, Any]:
    found = dict(answered["error"])
    assert isinstance(found.pop("message"), str)
    return found


# The process


def test_process_greets_answers_and_ends_with_its_input() -> None:
    done = process(MAINLINE_MACHINE + b'{"op":"init"}\n{"op":"add_service","id":1}\n')
    greeting, configured, *rest = [json.loads(line) for line in done.stdout.splitlines()]
    assert greeting["oracle"] == "ipvs-est"
    assert (greeting["protocol"], greeting["formats"], greeting["snapshots"]) == (1, [1], [2])
    assert {"v7", "stable", "mainline"} <= set(greeting["revisions"])
    assert {"6.12.94", "6.12.95", "6.12.117", "7.3.4"} <= set(greeting["kernels"])
    assert len(greeting["operations"]) == 32
    assert greeting["max_line"] == 8 * 1024 * 1024
    assert configured["configured"]["revision"] == "mainline"
    assert rest == [{"result": {"ret": 0}}, {"result": {"ret": 0}}]
    assert (done.returncode, done.stderr) == (0, b"")


def test_without_input_there_is_only_the_greeting() -> None:
    done = process(b"")
    assert json.loads(done.stdout) == handshake()
    assert (done.returncode, done.stderr) == (0, b"")


def test_each_answer_is_there_before_the_next_line_is_sent() -> None:
    with started() as running:
        assert running.stdin is not None
        assert running.stdout is not None
        assert json.loads(running.stdout.readline()) == handshake()
        for line in (MAINLINE_MACHINE, b'{"op":"init"}\n', b"nonsense\n", b'{"op":"settle"}\n'):
            running.stdin.write(line)
            running.stdin.flush()
            assert running.stdout.readline().endswith(b"}\n")
        running.stdin.close()
        assert running.wait(timeout=60) == 0


def test_all_recorded_traces_can_be_piped_in_as_they_are() -> None:
    files = sorted(TRACES.glob("*.jsonl"))
    assert len(files) == 258
    lines = b"".join(file.read_bytes() for file in files)
    done = process(lines)
    assert (done.returncode, done.stderr) == (0, b"")
    _, *answered = [json.loads(line) for line in done.stdout.splitlines()]
    seen = Counter(member for entry in answered for member in entry)
    assert seen == {"configured": 258, "result": 128_334, "equal": 128_334, "violations": 41}
    assert all(entry.get("equal", True) for entry in answered)


def test_equal_input_gives_equal_bytes() -> None:
    lines = V7_MACHINE + b'{"op":"init"}\n{"op":"dump"}\n{"op":"snapshot"}\n{"x":1,"y":2}\n'
    first, second = (process(lines, PYTHONHASHSEED=seed).stdout for seed in ("1", "2"))
    assert first == second
    assert first.isascii()


def test_interrupted_process_ends_quietly_with_130() -> None:
    with started() as running:
        assert running.stdout is not None
        assert running.stderr is not None
        running.stdout.readline()
        running.send_signal(signal.SIGINT)
        assert running.wait(timeout=60) == 130
        assert running.stderr.read() == b""


def test_process_without_a_reader_ends_quietly_with_141() -> None:
    with started() as running:
        assert running.stdin is not None
        assert running.stdout is not None
        assert running.stderr is not None
        running.stdout.readline()
        running.stdout.close()
        running.stdin.write(b'{"op":"settle"}\n')
        running.stdin.flush()
        assert running.wait(timeout=60) == 141
        assert running.stderr.read() == b""


@pytest.mark.skipif(not FULL.exists(), reason="needs a device that is always full")
def test_full_disk_is_told_in_one_line() -> None:
    with FULL.open("wb") as full:
        done = subprocess.run(
            COMMAND,
            stdin=subprocess.DEVNULL,
            stdout=full,
            stderr=subprocess.PIPE,
            env=environment(),
            check=False,
            timeout=60,
        )
    assert done.returncode == 2
    assert done.stderr.count(b"\n") == 1
    assert b"No space left" in done.stderr


@pytest.mark.parametrize("closed", ["<&-", ">&-"])
def test_closed_stream_is_told_in_one_line(closed: str) -> None:
    done = subprocess.run(
        ["sh", "-c", f'exec "$@" {closed}', "sh", *COMMAND],
        stdin=subprocess.DEVNULL,
        capture_output=True,
        env=environment(),
        check=False,
        timeout=60,
    )
    assert (done.returncode, done.stderr.count(b"\n")) == (2, 1)


def test_terminal_gets_a_hint() -> None:
    terminal, its_input = pty.openpty()
    try:
        with started(stdin=its_input) as running:
            assert running.stdout is not None
            assert running.stderr is not None
            running.stdout.readline()
            os.write(terminal, b"\x04")
            assert running.wait(timeout=60) == 0
            hint = running.stderr.read()
    finally:
        os.close(terminal)
        os.close(its_input)
    assert hint.count(b"\n") == 1
    assert b"ctrl-D" in hint


def test_hint_never_gets_among_the_answers() -> None:
    terminal, its_input = pty.openpty()
    try:
        os.write(terminal, b"\x04")
        done = subprocess.run(
            ["sh", "-c", 'exec "$@" 2>&-', "sh", *COMMAND],
            stdin=its_input,
            stdout=subprocess.PIPE,
            env=environment(),
            check=False,
            timeout=60,
        )
    finally:
        os.close(terminal)
        os.close(its_input)
    assert json.loads(done.stdout) == handshake()


@pytest.mark.parametrize(
    ("argument", "code"), [("--help", 0), ("--version", 0), ("--vers", 2), ("trace.jsonl", 2)]
)
def test_options(argument: str, code: int) -> None:
    done = process(b"", argument)
    assert done.returncode == code
    assert bool(done.stdout) == (code == 0)
    assert bool(done.stderr) == (code != 0)


def test_main_can_be_called_with_arguments(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        command.main(("--version",))
    assert ended.value.code == 0
    assert capsys.readouterr().out == f"ipvs-est {ipvs_est.__version__}\n"


def test_lines_of_the_help_work() -> None:
    shown = process(b"", "--help").stdout.splitlines()
    lines = [line.strip() for line in shown if line.startswith(b"  {")]
    assert len(lines) == 5
    answered = answers(b"\n".join(lines) + b"\n")
    assert all("error" not in entry for entry in answered)
    assert answered[-1]["result"]["kthreads"][0]["est_count"] == 2


# Configuration


def test_configuration_may_be_partial_and_is_answered_in_full() -> None:
    (configured,) = answers(b'{"configure":{"params":{"hz":100,"word_bits":32}}}\n')
    assert configured == {
        "configured": {
            "revision": "mainline",
            "params": {
                "hz": 100,
                "nticks": 50,
                "tick_jiffies": 4,
                "load_divisor": 8,
                "chain_factor": 48,
                "tick_chains": 48,
                "preempt_rcu": False,
                "possible_cpus": 1,
                "est_cost_ns": 1000,
                "initial_jiffies": 1000,
                "word_bits": 32,
            },
            "on_violation": "record",
        }
    }


@pytest.mark.parametrize(
    ("named", "revision"),
    [("v7", "v7"), ("6.12.117", "stable"), ("7.3.4", "mainline"), ("mainline", "mainline")],
)
def test_revision_is_named_by_itself_or_by_its_kernel(named: str, revision: str) -> None:
    (answered,) = answers(b'{"configure":{"revision":"%s"}}\n' % named.encode())
    assert answered["configured"]["revision"] == revision


@pytest.mark.parametrize(
    ("line", "field"),
    [
        (b'{"configure":null}', "configure"),
        (b'{"configure":{},"x":1}', "x"),
        (b'{"configure":{"x":1}}', "configure.x"),
        (b'{"configure":{"revision":"v8"}}', "configure.revision"),
        (b'{"configure":{"revision":7}}', "configure.revision"),
        (b'{"configure":{"on_violation":"stop"}}', "configure.on_violation"),
        (b'{"configure":{"on_violation":null}}', "configure.on_violation"),
        (b'{"configure":{"params":[]}}', "configure.params"),
        (b'{"configure":{"params":{"hz":0}}}', "configure.params.hz"),
        (b'{"configure":{"params":{"HZ":100}}}', "configure.params.HZ"),
        (b'{"configure":{"params":{"tick_jiffies":11}}}', "configure.params.tick_jiffies"),
        (
            b'{"configure":{"params":{"housekeeping_cpus":[1]}}}',
            "configure.params.housekeeping_cpus",
        ),
        (b'{"configure":{},"configure":{}}', "configure"),
        (b'{"trace":"t","format":1}', "kernel"),
        (b'{"format":2,"trace":"t","kernel":"7.3.4","seed":1,"params":{}}', "format"),
    ],
)
def test_refused_configuration_leaves_no_machine(line: bytes, field: str) -> None:
    lines = MAINLINE_MACHINE + line + b'\n{"op":"settle"}\n'
    configured, refused, after = answers(lines)
    assert "configured" in configured
    assert without_message(refused) == error(field, 2)
    if line.startswith(b'{"configure":{},"configure"'):
        # Not an object of the language at all, so the machine stays.
        assert after == {"result": {"ret": 0}}
    else:
        assert without_message(after) == error("", 3)


def test_operation_before_a_configuration_is_refused() -> None:
    (refused,) = answers(b'{"op":"settle"}\n')
    assert without_message(refused) == error("", 1)


def test_new_configuration_starts_a_new_machine() -> None:
    lines = MAINLINE_MACHINE + b'{"op":"tot"}\n{"op":"advance","n":7}\n'
    *_, dump = answers(lines * 2 + b'{"op":"dump"}\n')
    assert dump["result"]["jiffies"] == 1007


def test_new_configuration_gets_an_ended_history_going() -> None:
    *_, ended, refused, configured, answered = answers(
        ENDING + b'{"op":"settle"}\n' + MAINLINE_MACHINE + b'{"op":"settle"}\n'
    )
    assert "violation" in ended
    assert without_message(refused) == error("", 4, "cannot-answer")
    assert "configured" in configured
    assert answered == {"result": {"ret": 0}}


# Operations


def test_recorded_result_is_compared() -> None:
    lines = (
        b'{"op":"init","result":{"ret":0}}',
        b'{"op":"nice","value":20,"result":{"ret":0}}',
        b'{"op":"dump","result":{"jiffies":1000,"enable":1}}',
        b'{"op":"settle","result":{}}',
        b'{"op":"settle","result":{"ret":0,"more":[[[[]]]]}}',
        b'{"op":"settle"}',
    )
    _, *answered = answers(MAINLINE_MACHINE + b"\n".join(lines) + b"\n")
    compared = [(entry.get("equal"), entry.get("differs_at")) for entry in answered]
    assert compared == [
        (True, None),
        (False, "ret"),
        (False, "enable"),
        (False, "ret"),
        (False, "more"),
        (None, None),
    ]
    assert answered[1]["result"] == {"ret": -22}


@pytest.mark.parametrize("recorded", [b"0", b"null", b"[]", b'"x"', b"true"])
def test_recorded_result_that_is_no_object_is_refused_and_nothing_is_done(recorded: bytes) -> None:
    _, refused, dump = answers(
        MAINLINE_MACHINE + b'{"op":"advance","n":1,"result":%s}\n{"op":"dump"}\n' % recorded
    )
    assert without_message(refused) == error("result", 2)
    assert dump["result"]["jiffies"] == 1000


@pytest.mark.parametrize("seq", [b"0", b"18446744073709551615", b'""', b'"a\\ud800"'])
def test_seq_comes_back(seq: bytes) -> None:
    lines = (
        b'{"seq":%s,"configure":{}}\n{"op":"settle","seq":%s}\n{"op":"x","seq":%s}\n'
        b'{"op":"settle","result":{"ret":0},"seq":%s}\n'
    )
    answered = answers(lines % (seq, seq, seq, seq))
    assert [entry["seq"] for entry in answered] == [json.loads(seq)] * 4
    assert [next(name for name in entry if name != "seq") for entry in answered] == [
        "configured",
        "result",
        "error",
        "result",
    ]


@pytest.mark.parametrize(
    "seq", [b"-1", b"18446744073709551616", b"null", b"true", b"[]", b'"%s"' % (b"x" * 65)]
)
def test_seq_that_cannot_come_back_is_refused(seq: bytes) -> None:
    _, refused = answers(MAINLINE_MACHINE + b'{"op":"settle","seq":%s}\n' % seq)
    assert without_message(refused) == error("seq", 2)


@settings(repeatable, max_examples=300)
@given(chosen=operations())
def test_every_operation_is_answered(chosen: ipvs_est.Operation) -> None:
    written = operation_to_json(chosen)
    if written["op"] == "advance":
        written["n"] = int(str(written["n"])) % 5000
    line = json.dumps({**written, "seq": 1}).encode()
    *_, answered = answers(V7_MACHINE + b'{"op":"init"}\n' + line + b"\n")
    assert answered.pop("seq") == 1
    assert answered.keys() <= {"result", "error"}
    assert len(answered) == 1


# Violations

RECALCULATION = (
    b'{"op":"init"}\n{"op":"write_cpulist","text":"0"}\n{"op":"svc","id":1}\n'
    + b"".join(b'{"op":"dest","id":%d}\n' % number for number in range(2, 20))
    + b'{"op":"advance","n":400}\n{"op":"write_cpulist","text":"0"}\n{"op":"advance","n":400}\n'
)
"""With two kthreads: taking the last estimator of the second frees what is read next."""
USE_AFTER_FREE = {
    "kind": "use-after-free",
    "thing": "kd 1",
    "field": "est_row",
    "where": "ip_vs_est_calc_phase",
}


def test_violations_are_told_once_and_the_history_goes_on() -> None:
    *_, during, after = answers(V7_MACHINE + RECALCULATION + b'{"op":"settle"}\n')
    assert during == {"result": {"ret": 0}, "violations": [USE_AFTER_FREE]}
    assert after == {"result": {"ret": 0}}


def test_violations_are_told_beside_a_comparison() -> None:
    lines = RECALCULATION[:-2] + b',"result":{"ret":1}}\n'
    assert last_answer(V7_MACHINE + lines) == {
        "result": {"ret": 0},
        "equal": False,
        "differs_at": "ret",
        "violations": [USE_AFTER_FREE],
    }


def test_violation_ends_the_history_if_the_client_wants_that() -> None:
    raising = V7_MACHINE.replace(b'{"revision"', b'{"on_violation":"raise","revision"')
    configured, *_, during, after = answers(raising + RECALCULATION + b'{"op":"settle"}\n')
    assert configured["configured"]["on_violation"] == "raise"
    assert during == {"violation": USE_AFTER_FREE}
    assert without_message(after)["type"] == "cannot-answer"


def test_violation_without_a_defined_continuation_ends_the_history() -> None:
    *_, during, after = answers(ENDING + b'{"op":"settle","seq":5}\n')
    assert during == {
        "violation": {
            "kind": "invalid-pointer",
            "thing": "scheduler",
            "where": "ip_vs_add_service",
        }
    }
    assert after["seq"] == 5
    assert without_message(after) == error("", 4, "cannot-answer")


def test_mainline_has_neither() -> None:
    answered = answers(V7_MACHINE.replace(b"v7", b"mainline") + RECALCULATION)
    answered += answers(ENDING.replace(b"v7", b"mainline"))
    assert {name for entry in answered for name in entry} == {"configured", "result"}
    assert answered[-1]["result"] == {"ret": -12}


def test_deadlock_is_a_result_and_ends_the_history() -> None:
    session = Session()
    answer(session, b'{"configure":{}}', 1)
    assert session.oracle is not None
    session.oracle.machine.service_mutex.owner = Task(name="stranger")
    line = b'{"op":"svc","id":1,"result":{"deadlock":"control process blocked"}}'
    assert answer(session, line, 2) == {
        "result": {"deadlock": "control process blocked"},
        "equal": True,
        "violations": [
            {
                "kind": "deadlock",
                "cycle": [
                    "control process: waits for __ip_vs_mutex, held by stranger",
                    "stranger: new",
                ],
            }
        ],
    }
    refused = answer(session, line, 3)
    assert without_message(refused) == error("", 3, "cannot-answer")


# Bad lines


@pytest.mark.parametrize(
    ("line", "field"),
    [
        (b"", ""),
        (b" ", ""),
        (b"\0", ""),
        (b"\xff", ""),
        (b'{"op":"settle\xc3"}', ""),
        (b"\xef\xbb\xbf" + b'{"op":"settle"}', ""),
        (b"null", ""),
        (b"1", ""),
        (b"[]", ""),
        (b'"settle"', ""),
        (b"{", ""),
        (b"{}", "op"),
        (b'{"opp":"settle"}', "op"),
        (b'{"seq":1}', "op"),
        (b'{"op":null}', "op"),
        (b'{"op":"Settle"}', "op"),
        (b'{"op":"settle","op":"settle"}', "op"),
        (b'{"op":"settle","seq":1,"seq":1}', "seq"),
        (b'{"op":"settle","n":1}', "n"),
        (b'{"op":"settle","configure":{}}', "configure"),
        (b'{"op":"settle","trace":"t"}', "trace"),
        (b'{"op":"settle"}{"op":"settle"}', ""),
        (b'{"op":"advance","n":1.0}', "n"),
        (b'{"op":"advance","n":1e3}', "n"),
        (b'{"op":"advance","n":NaN}', "n"),
        (b'{"op":"advance","n":-Infinity}', "n"),
        (b'{"op":"advance","n":%s}' % (b"9" * 4300), "n"),
        (b'{"op":"advance","n":%s}' % (b"9" * 4301), ""),
        (b'{"op":"advance","n":true}', "n"),
        (b'{"op":"advance","n":-1}', "n"),
        (b'{"op":"advance"}', "n"),
        (b'{"op":"del","id":1}', "id"),
        (b'{"op":"\\ud800"}', "op"),
        (b'{"op":"settle","\\ud800":1}', "\ud800"),
        (b'{"op":"settle","x":' + b"[" * 100_000 + b"]" * 100_000 + b"}", ""),
    ],
)
def test_bad_line_is_answered_and_the_machine_stays(line: bytes, field: str) -> None:
    _, _, refused, dump = answers(
        MAINLINE_MACHINE + b'{"op":"advance","n":1}\n' + line + b'\n{"op":"dump"}\n'
    )
    assert without_message(refused) == error(field, 3)
    assert dump["result"]["jiffies"] == 1001


def test_nesting_of_any_depth_is_answered() -> None:
    shapes = [b'{"a":' * depth + b"1" + b"}" * depth for depth in range(900, 1010)] + [
        b"[" * depth + b"]" * depth for depth in range(900, 1010)
    ]
    for shape in shapes:
        for line in (b'{"op":"settle","result":{"ret":%s}}\n', b'{"op":"settle","x":%s}\n'):
            _, answered = answers(MAINLINE_MACHINE + line % shape)
            assert answered.keys() & {"result", "error"}


def test_line_that_the_end_cuts_is_refused() -> None:
    _, refused = answers(MAINLINE_MACHINE + b'{"op":"settle"}')
    assert without_message(refused) == error("", 2)


def test_line_may_have_8_mib_and_no_byte_more() -> None:
    padding = b" " * (MAX_LINE - len(b'{"op":"settle"}'))
    longest = b'{"op":"settle"%s}\n' % padding
    _, accepted, refused, again, last = answers(
        MAINLINE_MACHINE + longest + b" " + longest + longest + b"x" * (2 * MAX_LINE)
    )
    assert accepted == again == {"result": {"ret": 0}}
    assert without_message(refused) == error("", 3)
    assert without_message(last) == error("", 5)


class Endless(io.BytesIO):
    """A line that goes on for ever, or so it seems."""

    left = 100 * MAX_LINE
    most = 0

    def readline(self, size: int | None = -1, /) -> bytes:
        assert size is not None
        assert size > 0
        self.most = max(self.most, size)
        chunk = min(size, self.left)
        self.left -= chunk
        return b"x" * chunk


def test_endless_line_takes_no_endless_memory() -> None:
    source, sink = Endless(), io.BytesIO()
    serve(source, sink)
    assert (source.left, source.most) == (0, MAX_LINE + 1)
    assert sink.getvalue().count(b"\n") == 2


@settings(repeatable, max_examples=500)
@given(lines=st.lists(st.binary(max_size=60) | st.text(max_size=60).map(str.encode), max_size=5))
def test_any_bytes_are_answered_line_by_line(lines: list[bytes]) -> None:
    data = b"".join(line.replace(b"\n", b"") + b"\n" for line in lines)
    answered = answers(data)
    assert [entry["error"]["line"] for entry in answered] == list(range(1, len(lines) + 1))


JSON_VALUES = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats()
    | st.text(max_size=8)
    | st.sampled_from(["svc", "advance", "mainline", "v7", "record"]),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(["hz", "revision", "params", "ret", "x"]), inner, max_size=3
        )
    ),
    max_leaves=6,
)
MEMBERS = st.sampled_from(
    ["op", "id", "n", "value", "seq", "result", "configure", "trace", "format", "params", "kernel"]
)


@settings(repeatable, max_examples=500)
@given(value=st.dictionaries(MEMBERS, JSON_VALUES, max_size=4))
def test_any_object_is_answered(value: dict[str, Any]) -> None:
    _, answered = answers(MAINLINE_MACHINE + json.dumps(value).encode() + b"\n")
    assert len(answered.keys() & {"configured", "result", "error"}) == 1


def test_answer_raises_nothing_for_what_was_wrong_with_a_line() -> None:
    answered = answer(Session(), InputError("", "longer than allowed"), 9)
    assert answered == {"error": {**error("", 9), "message": "longer than allowed"}}


# The package


def test_version_is_that_of_the_distribution() -> None:
    project = tomllib.loads((CHECKOUT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    assert ipvs_est.__version__ == project["version"] == handshake()["version"]


def test_every_public_name_is_there_and_no_other() -> None:
    for name in ipvs_est.__all__:
        assert getattr(ipvs_est, name) is not None
    with pytest.raises(AttributeError, match="no attribute 'Orcale'"):
        ipvs_est.Orcale  # type: ignore[attr-defined]  # noqa: B018 - on purpose


def test_model_is_loaded_only_when_it_is_used() -> None:
    script = "import sys, ipvs_est; print(*sys.modules); ipvs_est.Oracle; print(*sys.modules)"
    done = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, env=environment(), check=True
    )
    before, after = done.stdout.decode().splitlines()
    assert "ipvs_est.oracle" not in before.split()
    assert "ipvs_est.oracle" in after.split()


def test_a_wrong_argument_is_one_line(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        command.main(["--no-such"])
    assert ended.value.code == 2
    output = capsys.readouterr()
    assert output.out == ""
    assert output.err == "ipvs-est oracle: unrecognized arguments: --no-such\n"
