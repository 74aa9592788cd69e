"""What is wrong with a trace file is told in one line with its place, word for word."""

from collections.abc import Callable
from pathlib import Path
from typing import NoReturn

import pytest

from ipvs_est.answers.trace import TraceError, read_lines
from ipvs_est.replay import replay
from ipvs_est.sequential import ControlProcessBlockedError

HEADER = (
    b'{"trace":"t","format":1,"kernel":"7.3.4","seed":1,"params":{"hz":250,"nticks":5,'
    b'"tick_jiffies":100,"load_divisor":8,"chain_factor":3,"tick_chains":3,"preempt_rcu":false,'
    b'"possible_cpus":2,"est_cost_ns":7916,"initial_jiffies":1000}}\n'
)
SETTLE = b'{"op":"settle","result":{"ret":0}}\n'
UNDEFINED = (
    b'{"op":"fail_allocations","nth":3,"result":{"ret":0}}\n'
    b'{"op":"add_service","id":1,"result":{"violation":{"kind":"invalid-pointer",'
    b'"thing":"scheduler","where":"ip_vs_add_service"}}}\n'
)
"""The first service's kd finds no memory, and v7 unbinds the scheduler twice."""

Said = Callable[[bytes], str]


@pytest.fixture
def said(tmp_path: Path) -> Said:
    """What replaying a file of these bytes says, after the file's path."""
    path = tmp_path / "t.jsonl"

    def said_of(data: bytes) -> str:
        path.write_bytes(data)
        with pytest.raises(TraceError) as found:
            replay(path)
        assert found.value.file == str(path)
        file, _, rest = str(found.value).partition(":")
        assert file == str(path)
        return rest

    return said_of


@pytest.mark.parametrize(
    ("data", "message"),
    [
        (b"", " empty, not a trace"),
        (HEADER + SETTLE + b'{"op":"\xff"}\n', "3: not UTF-8"),
        (b"\n\xff\n", "2: not UTF-8"),
        (b"\xff", "1: not UTF-8"),
        (HEADER + SETTLE + SETTLE[:-1], "3: the file ends within this line"),
        (HEADER, "1: no operation follows the header: truncated"),
    ],
)
def test_a_file_that_is_no_trace(data: bytes, message: str, said: Said) -> None:
    assert said(data) == message


def test_a_file_that_cannot_be_read_says_why(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    missing = tmp_path / "missing.jsonl"
    with pytest.raises(TraceError) as found:
        read_lines(missing)
    assert str(found.value) == f"{missing}: cannot be read: No such file or directory"

    def refuse(_: Path) -> NoReturn:
        raise TimeoutError

    monkeypatch.setattr(Path, "read_bytes", refuse)
    with pytest.raises(TraceError) as found:
        read_lines(missing)
    assert str(found.value) == f"{missing}: cannot be read: TimeoutError"


@pytest.mark.parametrize(
    ("line", "message"),
    [
        (b'{"op":"settle"}', "result: missing"),
        (b'{"op":"settle","result":[]}', "result: expected an object, found a list"),
        (b'{"op":"settle","result":null}', "result: expected an object, found null"),
        (b"nonsense", "not JSON: Expecting value at column 1"),
        (b"\xef\xbb\xbf{}", "not JSON: a byte order mark at its beginning"),
        (b'{"a": "\x1b"}', "not JSON: Invalid control character at column 8"),
        (b"[]", "expected a JSON object"),
        (b'{"op":"settle","n":1.5,"result":{"ret":0}}', "n: 1.5 is not an integer"),
        (b'{"op":"settle","op":"settle","result":{"ret":0}}', "op: given twice"),
        (b'{"op":"read","id":9,"result":{"ret":0}}', "id: there is no object 9"),
        (b'{"op":"snapshot","result":{"x":1}}', "result.x: unknown field"),
        (b'{"op":"dump","result":{"x":1}}', "result.add_ktid: missing"),
        (b'{"op":"settle","result":{"x":1}}', "result.ret: missing"),
        (b'{"op":"settle","result":{"deadlock":1}}', "result.deadlock: expected a string"),
    ],
)
def test_a_line_that_cannot_be_followed(line: bytes, message: str, said: Said) -> None:
    assert said(HEADER + SETTLE + line + b"\n" + SETTLE) == f"3: {message}"


def test_nesting_and_digits_without_end(said: Said) -> None:
    deep = b'{"op":"settle","x":' + b"[" * 5000 + b"]" * 5000 + b"}\n"
    assert said(HEADER + deep) == "2: not usable: nested more than 100 deep"
    digits = b'{"op":"settle","x":' + b"9" * 5000 + b"}\n"
    assert said(HEADER + digits) == "2: not usable: a number with too many digits"


def test_nothing_follows_a_violation_that_ends_a_history(said: Said) -> None:
    header = HEADER.replace(b"7.3.4", b"v7").replace(b'"initial', b'"sysctl":false,"initial')
    assert said(header + UNDEFINED + SETTLE) == (
        "3: result: a violation ends a history, this goes on"
    )


def test_nothing_follows_a_deadlock(said: Said, monkeypatch: pytest.MonkeyPatch) -> None:
    def blocked(*_: object) -> NoReturn:
        raise ControlProcessBlockedError

    monkeypatch.setattr("ipvs_est.oracle.settle", blocked)
    deadlock = SETTLE.replace(b'"ret":0', b'"deadlock":"control process blocked"')
    assert said(HEADER + deadlock + SETTLE) == (
        "2: result: a deadlock ends a history, but the trace goes on"
    )
