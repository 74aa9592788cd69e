"""Input from outside is used, or refused with its place; it never ends a run in another way."""

import io
import json
import pickle
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ipvs_est import V7, OperationError, Oracle, ViolationError
from ipvs_est.answers.trace import TraceError
from ipvs_est.language.operations import (
    MAX_ADVANCE,
    MAX_TEXT,
    OPERATIONS,
    AddDest,
    AddService,
    Advance,
    Cleanup,
    Delete,
    DeleteDest,
    DeleteService,
    ExitNetns,
    Export,
    FailAllocations,
    GetDest,
    InitNetns,
    Operation,
    PutDest,
    Read,
    SetCost,
    SetCpulist,
    SetNice,
    SetRunEstimation,
    StartDest,
    StartService,
    StartTotal,
    Traffic,
    WriteCpulist,
    Zero,
)
from ipvs_est.language.params import Params, ParamsError
from ipvs_est.language.violations import InvalidPointer
from ipvs_est.oracle_process import serve
from ipvs_est.replay import Failed, Passed, Replayed, replay
from model import booted, run
from strategies import repeatable

# Any in this file: parsed JSON, which the tests damage at will.

TRACES = Path(__file__).parents[2] / "data" / "traces"

PIECES = {
    "early-3015": 100,
    "exit-1003": 60,
    "preempt-1004": 50,
    "recalc-3009": 60,
    "small-1001": 70,
}
"""Trace -> how many of its lines the fuzzed files begin with."""

HEADER = (
    b'{"trace":"t","format":1,"kernel":"7.3.4","seed":1,"params":{"hz":250,"nticks":5,'
    b'"tick_jiffies":100,"load_divisor":8,"chain_factor":3,"tick_chains":3,"preempt_rcu":false,'
    b'"possible_cpus":2,"est_cost_ns":7916,"initial_jiffies":1000}}\n'
)


def piece(name: str) -> list[bytes]:
    """The first lines of a recorded trace: a trace too."""
    lines = (TRACES / f"{name}.jsonl").read_bytes().splitlines(keepends=True)
    return lines[: PIECES[name]]


@pytest.fixture
def replay_bytes(tmp_path: Path) -> Callable[[bytes], Replayed]:
    """Replays a file of these bytes."""
    path = tmp_path / "fuzzed.jsonl"

    def replay_these(data: bytes) -> Replayed:
        path.write_bytes(data)
        return replay(path)

    return replay_these


# Mutations

LITERALS = (
    *("0", "1", "7", "-1", "-0", "2147483648", "9223372036854775808"),
    *("18446744073709551615", "18446744073709551616", "-2147483649", "9" * 4300, "9" * 4301),
    *("0.5", "1e3", "-1E-3", "NaN", "Infinity", "-Infinity", "01", "+1", "0x10"),
    *("true", "false", "null", '"0"', '"7.3.4"', '"\\ud800"', '""', '"x"', "[]", "{}", "[0]"),
    *('{"a":1,"a":2}', "[" * 400 + "]" * 400, '{"a":' * 400 + "1" + "}" * 400),
)
"""What a value of a line is replaced by."""

NAMES = ("id", "n", "op", "result", "ret", "deadlock", "extra", "", "seq", "\ud800", "hz")
OPS = tuple(operation.op for operation in OPERATIONS)
DAMAGES = ("value", "value", "missing", "extra", "twice", "op", "cut", "junk")
JUNK = (b"\xff", b"\xc3", b"\0", b"\xef\xbb\xbf", b"\r", b'"', b"{", b"}", b",", b"\n", b"9", b"-")


def members(value: Any) -> list[tuple[Any, str | int]]:
    """The places of all values inside a JSON value."""
    found: list[tuple[Any, str | int]] = []
    keys: list[str | int] = []
    if isinstance(value, dict):
        keys = list(value)
    elif isinstance(value, list):
        keys = list(range(len(value)))
    for key in keys:
        found.append((value, key))
        found += members(value[key])
    return found


@st.composite
def damaged_line(draw: st.DrawFn, line: bytes) -> bytes:
    """A line with something wrong in it, or at least something else."""
    how = draw(st.sampled_from(DAMAGES))
    if how == "cut":
        return line[: draw(st.integers(0, len(line) - 2))] + b"\n"
    if how == "junk":
        place = draw(st.integers(0, len(line) - 1))
        return line[:place] + draw(st.sampled_from(JUNK)) + line[place + draw(st.integers(0, 1)) :]
    value = json.loads(line)
    parent, key = draw(st.sampled_from(members(value)))
    mark = "@mark@"
    literal = draw(st.sampled_from(LITERALS))
    if how == "value":
        parent[key] = mark
    elif how == "missing":
        del parent[key]
    elif how == "extra":
        value[draw(st.sampled_from(NAMES))] = mark
    elif how == "op":
        value["op"] = draw(st.sampled_from(OPS))
    text = json.dumps(value, separators=(",", ":")).replace(f'"{mark}"', literal)
    if how == "twice":
        name, _, rest = text[1:].partition(":")
        text = f"{{{name}:{literal},{name}:{rest}"
    return text.encode() + b"\n"


@st.composite
def damaged_files(draw: st.DrawFn) -> bytes:
    """A recorded trace's start, damaged at one to three places."""
    lines = list(piece(draw(st.sampled_from(sorted(PIECES)))))
    for _ in range(draw(st.integers(1, 3))):
        number = draw(st.integers(0, len(lines) - 1))
        how = draw(st.sampled_from(["line", "line", "line", "drop", "repeat", "swap", "end"]))
        if how == "line" and lines[number].startswith(b'{"'):
            try:
                lines[number] = draw(damaged_line(lines[number]))
            except ValueError:
                continue  # damaged before, so that it cannot be parsed any more
        elif how == "drop" and len(lines) > 2:
            del lines[number]
        elif how == "repeat":
            lines.insert(number, lines[number])
        elif how == "swap":
            lines[number], lines[-1] = lines[-1], lines[number]
        elif how == "end":
            lines[-1] = lines[-1].rstrip(b"\n")
    return b"".join(lines)


@pytest.mark.parametrize("name", PIECES)
def test_undamaged_piece_passes(name: str, replay_bytes: Callable[[bytes], Replayed]) -> None:
    replayed = replay_bytes(b"".join(piece(name)))
    assert isinstance(replayed, Passed)
    assert replayed.operations == len(piece(name)) - 1 >= 10


def test_damaged_trace_ends_in_a_verdict_or_a_place(
    replay_bytes: Callable[[bytes], Replayed],
) -> None:
    seen: Counter[str] = Counter()

    def outcome(data: bytes) -> Replayed | TraceError:
        try:
            return replay_bytes(data)
        except TraceError as error:
            return error

    @settings(repeatable, max_examples=1500)
    @given(data=damaged_files())
    def ends_well(data: bytes) -> None:
        end = outcome(data)
        seen[type(end).__name__] += 1
        if isinstance(end, TraceError):
            assert 1 <= end.line <= data.count(b"\n") + 1
            assert str(end).startswith(f"{end.file}:{end.line}: ")
            assert end.file.endswith("fuzzed.jsonl")
            assert end.message
        elif isinstance(end, Failed):
            assert end.operations == end.line - 1

    ends_well()
    assert min(seen[name] for name in ("TraceError", "Passed", "Failed")) >= 20


def test_damaged_trace_gets_one_answer_a_line_from_the_process() -> None:
    seen: Counter[str] = Counter()

    @settings(repeatable, max_examples=500)
    @given(data=damaged_files())
    def answers(data: bytes) -> None:
        sink = io.BytesIO()
        serve(io.BytesIO(data), sink)
        _, *answered = sink.getvalue().decode("ascii").splitlines()
        assert len(answered) == len(data.removesuffix(b"\n").split(b"\n"))
        for name in answered:
            kinds = json.loads(name).keys() & {"configured", "result", "error", "violation"}
            assert len(kinds) == 1
            seen.update(kinds)

    answers()
    assert min(seen[name] for name in ("configured", "result", "error")) >= 20


# Exact places

TOT = b'{"op":"tot","result":{"ret":0}}\n'
SVC = b'{"op":"svc","id":1,"result":{"ret":0}}\n'


def header(**changes: object) -> bytes:
    """The header with members of another value; None takes one away."""
    value = json.loads(HEADER)
    value.update(changes)
    return json.dumps({name: entry for name, entry in value.items() if entry is not None}).encode()


def params(**changes: object) -> bytes:
    """The header with parameters of another value; None takes one away."""
    value = {**json.loads(HEADER)["params"], **changes}
    return header(params={name: entry for name, entry in value.items() if entry is not None})


@pytest.mark.parametrize(
    ("first_line", "field"),
    [
        (b"", ""),
        (b"{}", "format"),
        (b"[]", ""),
        (b"1", ""),
        (b"{", ""),
        (b"\xef\xbb\xbf" + header(), ""),
        (b"\xff" + header(), ""),
        (b'{"trace":"a",' + header()[1:], "trace"),
        (b'{"params":{"hz":1,"hz":1}}', "hz"),
        (TOT.rstrip(), "format"),
        (header(extra=1), "extra"),
        (header(trace=None), "trace"),
        (header(trace=1), "trace"),
        (header(format=None), "format"),
        (header(format=2), "format"),
        (header(format=0), "format"),
        (header(format="1"), "format"),
        (header(format=True), "format"),
        (header(format=10**4000), "format"),
        (header(kernel=None), "kernel"),
        (header(kernel="7.3.5"), "kernel"),
        (header(kernel=7), "kernel"),
        (header(kernel=""), "kernel"),
        (header(seed=None), "seed"),
        (header(seed="1"), "seed"),
        (header(seed=2**64), "seed"),
        (header(params=None), "params"),
        (header(params=[]), "params"),
        (header(params={}), "params.hz"),
        (params(hz=None), "params.hz"),
        (params(hz=True), "params.hz"),
        (params(hz="250"), "params.hz"),
        (params(hz=0), "params.hz"),
        (params(hz=-1), "params.hz"),
        (params(hz=2**200), "params.hz"),
        (params(hz=100_001), "params.hz"),
        (params(hz=1), "params.hz"),
        (params(nticks=0), "params.nticks"),
        (params(nticks=65), "params.nticks"),
        (params(nticks=6), "params.tick_jiffies"),
        (params(tick_jiffies=99), "params.tick_jiffies"),
        (params(tick_jiffies="100"), "params.tick_jiffies"),
        (params(tick_chains=4), "params.tick_chains"),
        (params(chain_factor=4), "params.tick_chains"),
        (params(chain_factor=0), "params.chain_factor"),
        (params(chain_factor=65), "params.chain_factor"),
        (params(preempt_rcu=None), "params.preempt_rcu"),
        (params(preempt_rcu=0), "params.preempt_rcu"),
        (params(preempt_rcu=True), "params.tick_chains"),
        (params(load_divisor=1), "params.load_divisor"),
        (params(load_divisor=65), "params.load_divisor"),
        (params(possible_cpus=0), "params.possible_cpus"),
        (params(possible_cpus=8193), "params.possible_cpus"),
        (params(est_cost_ns=-1), "params.est_cost_ns"),
        (params(est_cost_ns=10**15 + 1), "params.est_cost_ns"),
        (params(initial_jiffies=2**64), "params.initial_jiffies"),
        (params(initial_jiffies=2**32, word_bits=32), "params.initial_jiffies"),
        (params(word_bits=16), "params.word_bits"),
        (params(word_bits=False), "params.word_bits"),
        (params(sysctl=1), "params.sysctl"),
        (params(housekeeping_cpus=[]), "params.housekeeping_cpus"),
        (params(housekeeping_cpus=[2]), "params.housekeeping_cpus"),
        (params(housekeeping_cpus=[0, 0]), "params.housekeeping_cpus"),
        (params(housekeeping_cpus=[0, "1"]), "params.housekeeping_cpus[1]"),
        (params(housekeeping_cpus=0), "params.housekeeping_cpus"),
        (params(Hz=250), "params.Hz"),
        (header()[:-2], ""),
        (header() + b"}", ""),
        (header().replace(b"250", b"2.5e2"), "params.hz"),
        (header().replace(b"250", b"NaN"), "params.hz"),
        (header().replace(b"250", b"9" * 4301), ""),
        (header().replace(b"250", b"9" * 4300), "params.hz"),
        (header().replace(b"250", b"[" * 5000 + b"]" * 5000), ""),
    ],
)
def test_bad_header_is_found_in_line_1(
    first_line: bytes, field: str, replay_bytes: Callable[[bytes], Replayed]
) -> None:
    with pytest.raises(TraceError) as caught:
        replay_bytes(first_line + b"\n" + TOT)
    assert (caught.value.line, caught.value.field) == (1, field)


@pytest.mark.parametrize(
    ("line", "field"),
    [
        (b"", ""),
        (b"{}", "result"),
        (b"null", ""),
        (b'{"op":"settle"}', "result"),
        (b'{"op":"settle","result":0}', "result"),
        (b'{"op":"settle","result":null}', "result"),
        (b'{"op":"settle","result":[]}', "result"),
        (b'{"op":"settle","result":{}}', "result.ret"),
        (b'{"op":"settle","result":{"ret":true}}', "result.ret"),
        (b'{"op":"settle","result":{"ret":"0"}}', "result.ret"),
        (b'{"op":"settle","result":{"ret":0,"extra":0}}', "result.extra"),
        (b'{"op":"settle","result":{"ret":0,"ret":0}}', "ret"),
        (b'{"op":"settle","result":{"ret":0.0}}', "result.ret"),
        (b'{"op":"settle","result":{"ret":' + b"9" * 4301 + b"}}", ""),
        (b'{"op":"settle","result":{"ret":' + b"9" * 4300 + b"}}", "result.ret"),
        (b'{"op":"settle","op":"settle","result":{"ret":0}}', "op"),
        (b'{"op":"settle","n":1,"result":{"ret":0}}', "n"),
        (b'{"op":"settle","seq":1,"result":{"ret":0}}', "seq"),
        (b'{"op":"settle","result":{"ret":0}', ""),
        (b'{"op":"settle","result":{"ret":0}}}', ""),
        (b'{"op":"settle","result":{"ret":0}}{}', ""),
        (b'{"op":"set\xfftle","result":{"ret":0}}', ""),
        (b'{"op":"settle\0","result":{"ret":0}}', ""),
        (b'{"op":"\\ud800","result":{"ret":0}}', "op"),
        (b'{"op":1,"result":{"ret":0}}', "op"),
        (b'{"id":1,"result":{"ret":0}}', "op"),
        (b'{"op":"advance","result":{"ret":0}}', "n"),
        (b'{"op":"advance","n":-1,"result":{"ret":0}}', "n"),
        (b'{"op":"advance","n":10000001,"result":{"ret":0}}', "n"),
        (b'{"op":"advance","n":1e3,"result":{"ret":0}}', "n"),
        (b'{"op":"advance","n":false,"result":{"ret":0}}', "n"),
        (b'{"op":"dest","id":0,"result":{"ret":0}}', "id"),
        (b'{"op":"dest","id":1,"result":{"ret":0}}', "id"),
        (b'{"op":"dest","id":2147483648,"result":{"ret":0}}', "id"),
        (b'{"op":"dest","id":2,"id":3,"result":{"ret":0}}', "id"),
        (b'{"op":"del","id":2,"result":{"ret":0}}', "id"),
        (b'{"op":"del","id":0,"result":{"ret":0}}', "id"),
        (b'{"op":"read","id":2,"result":{"ret":0}}', "id"),
        (b'{"op":"read","id":1,"result":{"ret":0}}', "result.conns"),
        (b'{"op":"zero","id":2,"result":{"ret":0}}', "id"),
        (b'{"op":"tot","result":{"ret":0}}', "op"),
        (b'{"op":"cleanup","result":{"ret":0}}', "op"),
        (b'{"op":"run_estimation","value":-2147483649,"result":{"ret":0}}', "value"),
        (b'{"op":"nice","value":2147483648,"result":{"ret":0}}', "value"),
        (b'{"op":"cpulist","weight":8193,"result":{"ret":0}}', "weight"),
        (b'{"op":"cost","ns":1000000000000001,"result":{"ret":0}}', "ns"),
        (
            b'{"op":"traffic","id":1,"cpu":2,"conns":0,"inpkts":0,"outpkts":0,"inbytes":0,'
            b'"outbytes":0,"result":{"ret":0}}',
            "cpu",
        ),
        (
            b'{"op":"traffic","id":1,"cpu":1,"conns":0,"inpkts":0,"outpkts":0,"inbytes":0,'
            b'"outbytes":18446744073709551616,"result":{"ret":0}}',
            "outbytes",
        ),
        (b'{"op":"dump","result":{}}', "result.add_ktid"),
        (b'{"op":"dump","result":{"jiffies":1000}}', "result.add_ktid"),
    ],
)
def test_bad_operation_is_found_in_its_line(
    line: bytes, field: str, replay_bytes: Callable[[bytes], Replayed]
) -> None:
    with pytest.raises(TraceError) as caught:
        replay_bytes(HEADER + TOT + SVC + line + b"\n" + TOT)
    assert (caught.value.line, caught.value.field) == (4, field)


@pytest.mark.parametrize(
    ("data", "line"),
    [
        (b"", 0),
        (b"\n", 1),
        (HEADER[:-1], 1),
        (HEADER, 1),
        (HEADER + TOT[:-1], 2),
        (HEADER + TOT + SVC[:20], 3),
        (HEADER + TOT + b"\xff\n" + SVC, 3),
        (HEADER + b"\n" + TOT, 2),
        (HEADER + TOT + b"\n", 3),
    ],
)
def test_bad_file_is_found_at_its_line(
    data: bytes, line: int, replay_bytes: Callable[[bytes], Replayed]
) -> None:
    with pytest.raises(TraceError) as caught:
        replay_bytes(data)
    assert (caught.value.line, caught.value.field) == (line, "")


@pytest.mark.parametrize(
    ("line", "path"),
    [
        (b'{"op":"settle","result":{"ret":1}}', "ret"),
        (b'{"op":"settle","result":{"deadlock":"control process blocked"}}', "ret"),
        (b'{"op":"nice","value":20,"result":{"ret":0}}', "ret"),
    ],
)
def test_other_value_is_a_difference_and_no_bad_input(
    line: bytes, path: str, replay_bytes: Callable[[bytes], Replayed]
) -> None:
    replayed = replay_bytes(HEADER + TOT + SVC + line + b"\n" + b"never read\n")
    assert isinstance(replayed, Failed)
    assert (replayed.line, replayed.difference.path) == (4, path)


@pytest.mark.parametrize("name", ["missing.jsonl", "."])
def test_file_that_cannot_be_read_is_bad_input(name: str, tmp_path: Path) -> None:
    with pytest.raises(TraceError) as caught:
        replay(tmp_path / name)
    assert (caught.value.line, caught.value.field) == (0, "")


# The Python API

SOME: list[Operation] = [AddService(1), AddDest(2, 1), StartDest(3), AddDest(4, 1), DeleteDest(4)]
NOTHING = (0, 0, 0, 0, 0)

wrong_integers = pytest.mark.parametrize("wrong", [None, "1", 1.0, True, [1]], ids=repr)


def refused(oracle: Oracle, operation: Operation) -> str:
    """The field that the oracle blames; nothing has changed."""
    before = oracle.snapshot()
    with pytest.raises(OperationError) as caught:
        oracle.apply(operation)
    assert caught.value.reason == "bad-input"
    assert oracle.snapshot() == before
    assert oracle.ended == ""
    return caught.value.field


@pytest.mark.parametrize(
    ("operation", "field"),
    [
        (StartService(0), "id"),
        (StartService(-1), "id"),
        (StartService(2**31), "id"),
        (StartService(3), "id"),
        (StartDest(1), "id"),
        (StartDest(4), "id"),
        (Delete(0), "id"),
        (Delete(1), "id"),
        (Delete(2), "id"),
        (Delete(4), "id"),
        (Delete(9), "id"),
        (Read(9), "id"),
        (Read(4), "id"),
        (Zero(9), "id"),
        (Export(-1), "id"),
        (Traffic(9, 0, *NOTHING), "id"),
        (Traffic(3, -1, *NOTHING), "cpu"),
        (Traffic(3, 4, *NOTHING), "cpu"),
        (Traffic(3, 0, -1, 0, 0, 0, 0), "conns"),
        (Traffic(3, 0, 0, 2**64, 0, 0, 0), "inpkts"),
        (Traffic(3, 0, 0, 0, 2**65, 0, 0), "outpkts"),
        (Traffic(3, 0, 0, 0, 0, -(2**70), 0), "inbytes"),
        (Traffic(3, 0, 0, 0, 0, 0, 10**5000), "outbytes"),
        (Advance(-1), "n"),
        (Advance(MAX_ADVANCE + 1), "n"),
        (SetCpulist(-1), "weight"),
        (SetCpulist(8193), "weight"),
        (SetCost(-1), "ns"),
        (SetCost(10**15 + 1), "ns"),
        (SetNice(2**31), "value"),
        (SetRunEstimation(2**31), "value"),
        (SetRunEstimation(-(2**31) - 1), "value"),
        (StartTotal(), "op"),
        (InitNetns(), "op"),
        (Cleanup(), "op"),
        (AddService(1), "id"),
        (AddService(4), "id"),
        (DeleteService(2), "id"),
        (AddDest(2, 1), "id"),
        (AddDest(5, 2), "service"),
        (AddDest(5, -1), "service"),
        (AddDest(0, 1), "id"),
        (DeleteDest(3), "id"),
        (DeleteDest(4), "id"),
        (GetDest(1), "id"),
        (GetDest(4), "id"),
        (PutDest(2), "id"),
        (PutDest(4), "id"),
        (PutDest(9), "id"),
        (FailAllocations(0), "nth"),
        (FailAllocations(1, -1), "count"),
        (WriteCpulist("x" * (MAX_TEXT + 1)), "text"),
        (WriteCpulist("0", frozenset({4})), "allowed"),
        (WriteCpulist("0", frozenset({-1})), "allowed"),
    ],
)
def test_operation_that_makes_no_sense_here_is_refused(operation: Operation, field: str) -> None:
    oracle = booted()
    run(oracle, SOME)
    assert refused(oracle, operation) == field


@wrong_integers
def test_value_of_another_type_is_refused(wrong: Any) -> None:
    oracle = booted()
    assert refused(oracle, StartDest(wrong)) == "id"
    assert refused(oracle, Advance(wrong)) == "n"
    assert refused(oracle, SetNice(wrong)) == "value"
    assert refused(oracle, Traffic(0, wrong, *NOTHING)) == "cpu"
    assert refused(oracle, Traffic(0, 0, 0, 0, wrong, 0, 0)) == "outpkts"
    assert refused(oracle, FailAllocations(1, wrong)) == "count"
    assert refused(oracle, WriteCpulist("0", frozenset({repr(wrong)}))) == "allowed"  # type: ignore[arg-type]  # on purpose


@pytest.mark.parametrize("wrong", [b"0", None, 0, ["0"]], ids=repr)
def test_text_of_another_type_is_refused(wrong: Any) -> None:
    assert refused(booted(), WriteCpulist(wrong)) == "text"


@pytest.mark.parametrize("wrong", [{0}, [0], (0,), 0, "0", {0: 0}], ids=repr)
def test_set_of_another_type_is_refused(wrong: Any) -> None:
    assert refused(booted(), WriteCpulist("0", wrong)) == "allowed"


@pytest.mark.parametrize("wrong", [None, "settle", {"op": "settle"}, Advance, 7], ids=repr)
def test_what_is_no_operation_is_refused(wrong: Any) -> None:
    assert refused(booted(), wrong) == "op"


def test_sysctls_are_refused_without_sysctl_support() -> None:
    oracle = booted(params=Params(sysctl=False))
    for operation in (
        SetCpulist(1),
        WriteCpulist("0"),
        SetNice(1),
        SetRunEstimation(0),
        StartTotal(),
    ):
        assert refused(oracle, operation) == "op"


def test_netns_may_be_set_up_again_after_its_exit() -> None:
    oracle = booted()
    run(oracle, [*SOME, ExitNetns(), InitNetns(), *SOME])


def test_ended_history_cannot_be_answered() -> None:
    # Without a total the first service makes kd 0: its allocations are the service, the
    # stats and the array, which fails.
    oracle = booted(V7, Params(sysctl=False))
    oracle.apply(FailAllocations(3))
    with pytest.raises(ViolationError) as caught:
        oracle.apply(AddService(1))
    assert caught.value.violation == InvalidPointer("scheduler", "ip_vs_add_service")
    for operation in (Advance(1), Advance(-1), Read(0)):
        with pytest.raises(OperationError) as refusal:
            oracle.apply(operation)
        assert (refusal.value.reason, refusal.value.field) == ("cannot-answer", "")


def test_interrupted_history_cannot_be_answered(monkeypatch: pytest.MonkeyPatch) -> None:
    def interrupt(*_: object) -> None:
        raise KeyboardInterrupt

    oracle = booted()
    monkeypatch.setattr("ipvs_est.oracle.advance", interrupt)
    with pytest.raises(KeyboardInterrupt):
        oracle.apply(Advance(1))
    with pytest.raises(OperationError) as caught:
        oracle.apply(Read(0))
    assert caught.value.reason == "cannot-answer"


def test_errors_pass_between_processes() -> None:
    error = pickle.loads(pickle.dumps(OperationError("bad-input", "id", "there is no object 9")))
    assert isinstance(error, OperationError)
    assert (error.reason, error.field, str(error)) == (
        "bad-input",
        "id",
        "id: there is no object 9",
    )
    violation = InvalidPointer("scheduler", "ip_vs_add_service")
    again = pickle.loads(pickle.dumps(ViolationError(violation)))
    assert isinstance(again, ViolationError)
    assert again.violation == violation
    assert str(again) == str(ViolationError(violation))


@pytest.mark.parametrize("depth", range(900, 1010, 2))
def test_nesting_of_any_depth_is_refused_in_one_line(
    replay_bytes: Callable[[bytes], Replayed], depth: int
) -> None:
    nested = '{"a":' * depth + "1" + "}" * depth
    line = f'{{"op":"settle","x":{nested},"result":{{"ret":0}}}}'
    with pytest.raises(TraceError) as caught:
        replay_bytes(HEADER + f"{line}\n".encode())
    assert caught.value.line == 2


def test_a_key_given_twice_is_named_even_where_the_quotes_add_up(
    replay_bytes: Callable[[bytes], Replayed],
) -> None:
    with pytest.raises(TraceError, match="id: given twice"):
        replay_bytes(HEADER + b'{"op":"svc","id":1,"id":2,"result":{}}\n')


def test_a_result_of_the_wrong_form_is_refused(replay_bytes: Callable[[bytes], Replayed]) -> None:
    with pytest.raises(TraceError, match=r"result\.text: expected a string"):
        replay_bytes(HEADER + b'{"op":"read_cpulist","result":{"text":5}}\n')


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("hz", 250.0),
        ("hz", True),
        ("hz", "a"),
        ("est_cost_ns", 0.5),
        ("preempt_rcu", 1),
        ("sysctl", "no"),
        ("housekeeping_cpus", [0]),
        ("housekeeping_cpus", frozenset({True})),
    ],
)
def test_parameters_of_the_wrong_type_are_named(field: str, value: object) -> None:
    with pytest.raises(ParamsError) as caught:
        Params(**{field: value})  # type: ignore[arg-type]  # that is the point
    assert caught.value.field == field
    again = pickle.loads(pickle.dumps(caught.value))
    assert (again.field, str(again)) == (field, str(caught.value))
