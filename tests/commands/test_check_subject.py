"""`ipvs-est check --subject`: another program under the checks of the model."""

import json
import shutil
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest

from command_line import CHECKOUT, environment, here
from ipvs_est.replay import Passed, replay
from ipvs_est_checks.engines import subject as engine
from ipvs_est_checks.machines.profiles import QUICK, Amount

COMPILER = shutil.which("cc")
ODD = CHECKOUT / "tests" / "helpers" / "faults" / "odd_subject.py"
Capture = pytest.CaptureFixture[str]


@pytest.fixture(scope="module")
def port(tmp_path_factory: pytest.TempPathFactory) -> Path:
    if COMPILER is None:
        pytest.skip("the port in C needs a C compiler, cc")
    program = tmp_path_factory.mktemp("port") / "port"
    sources = sorted((CHECKOUT / "examples" / "c").glob("*.c"))
    subprocess.run([COMPILER, "-std=gnu11", "-O1", "-o", program, *sources], check=True)
    return program


def check(capsys: Capture, subject: str, report: Path, *options: str) -> tuple[int, str, str]:
    done = here(
        capsys, "check", "--subject", subject, "--seed", "1", "--json", str(report), *options
    )
    return done.code, done.out, done.err


def rows(report: Path) -> dict[str, dict[str, object]]:
    value = json.loads(report.read_text(encoding="utf-8"))
    found: dict[str, dict[str, object]] = {}
    for row in value["rows"]:
        found.setdefault(row["id"], row)
    return found


def test_the_port_answers_what_mainline_answers(
    port: Path, tmp_path: Path, capsys: Capture
) -> None:
    report = tmp_path / "r.json"
    code, out, _ = check(capsys, str(port), report, "--compare", "mainline")
    assert code == 0, out
    found = rows(report)
    assert found["subject.answer"]["verdict"] == "PASS"
    assert found["subject.recordings"]["cases"] == 56
    # It tells of its state; what would be judged by events is not taken for a pass.
    assert found["counts.tick-len"]["verdict"] == "PASS"
    assert found["delay.first"]["verdict"] == "NOT JUDGED"
    assert found["delay.first"]["remark"] == "the subject gives no events"


MOST_OPERATIONS = 4
"""Of a shortened history: what starts, what happens, what shows it."""


@pytest.mark.parametrize(
    ("mistake", "row", "detail"),
    [
        ("count", "subject.answer", ".full: 0, not 1"),
        ("errno", "subject.answer", "ret: -34, not -22"),
        ("lost", "subject.answer", "est_count: "),
        ("rate", "subject.answer", "bps: "),
        ("crash", "subject.crash", "killed by SIGABRT"),
        ("silence", "subject.silence", "no answer within 2 s"),
    ],
)
def test_each_mistake_of_the_port_is_told_with_a_short_history(
    mistake: str, row: str, detail: str, port: Path, tmp_path: Path, capsys: Capture
) -> None:
    report, saved = tmp_path / "r.json", tmp_path / "s.jsonl"
    options = ("--compare", "mainline", "--seconds", "2", "--save", str(saved))
    code, out, _ = check(capsys, f"'{port}' {mistake}", report, *options)
    assert code == 1
    first = out.partition("\n1. ")[2].partition("\n2. ")[0]
    assert first.startswith(f"{row}: ")
    assert detail in first
    assert rows(report)[row]["verdict"] == "FAIL"
    history = [line for line in first.splitlines() if line.startswith('{"op"')]
    assert 1 <= len(history) <= MOST_OPERATIONS
    assert isinstance(replay(saved), Passed)


def test_properties_are_judged_on_a_subject_that_gives_states(
    tmp_path: Path, capsys: Capture, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PYTHONPATH", environment()["PYTHONPATH"])
    # Each operation costs some milliseconds here: the states of a whole machine go through pipes.
    few = replace(QUICK, netns=Amount(1, 10, 6))
    monkeypatch.setattr(engine, "PROFILES", {"quick": few})
    report = tmp_path / "r.json"
    subject = f"'{sys.executable}' '{ODD}' none 0"
    code, out, _ = check(capsys, subject, report, "--property", "limits.cpulist")
    assert code == 0, out
    assert rows(report)["limits.cpulist"]["verdict"] == "PASS"


def test_a_subject_that_gives_nothing_passes_nothing(
    tmp_path: Path, capsys: Capture, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PYTHONPATH", environment()["PYTHONPATH"])
    report = tmp_path / "r.json"
    code, _, _ = check(capsys, f"'{sys.executable}' '{ODD}' minimal 0", report)
    assert code == 3
    assert {row["verdict"] for row in rows(report).values()} == {"NOT JUDGED"}


@pytest.mark.parametrize(
    ("subject", "message"),
    [
        ("/nowhere/port", "No such file or directory"),
        ("unix:/nowhere/socket", "No such file or directory"),
        ("true", "exit code 0"),
        ("echo hello", "not JSON: Expecting value at column 1: 'hello'"),
        ("", "the command is empty"),
        ("'", "No closing quotation"),
    ],
)
def test_what_is_no_subject_is_one_line(
    subject: str, message: str, tmp_path: Path, capsys: Capture
) -> None:
    code, out, err = check(capsys, subject, tmp_path / "r.json")
    assert (code, out) == (2, "")
    assert err == f"Error: --subject {subject}: {message}\n"


@pytest.mark.parametrize(
    ("way", "row", "detail"),
    [
        ("slow", "subject.silence", "no answer within 5 s"),
        ("null", "subject.no-answer", "result.: expected an object, found null"),
        ("refusal", "subject.no-answer", "configure is refused: params.hz: not this one"),
    ],
)
def test_a_failure_where_no_operation_is_to_blame_is_told_as_a_row(
    way: str,
    row: str,
    detail: str,
    tmp_path: Path,
    capsys: Capture,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("PYTHONPATH", environment()["PYTHONPATH"])
    report = tmp_path / "r.json"
    subject = f"'{sys.executable}' '{ODD}' {way} 0"
    options = ("--seconds", "5", "--property", "place.total")
    code, out, err = check(capsys, subject, report, *options)
    assert (code, err) == (1, "")
    assert detail in out
    assert rows(report)[row]["verdict"] == "FAIL"


def test_several_subjects_are_told_apart(port: Path, tmp_path: Path, capsys: Capture) -> None:
    report = tmp_path / "r.json"
    second = ("--subject", f"'{port}' errno", "--compare", "mainline", "-j", "2")
    code, out, _ = check(capsys, str(port), report, *second)
    assert code == 1
    assert f"subject-1: {port}" in out
    value = json.loads(report.read_text(encoding="utf-8"))
    verdicts = {
        entry["revision"]: entry["verdict"]
        for entry in value["rows"]
        if entry["id"] == "subject.answer"
    }
    assert verdicts == {"subject-1": "PASS", "subject-2": "FAIL"}
    assert "fails on subject-2" in out
    assert "fails on subject-1" not in out


def test_compare_is_for_a_subject(capsys: Capture) -> None:
    done = here(capsys, "check", "--compare", "mainline")
    assert (done.code, done.err) == (2, "Error: --compare is for a --subject or a --tree\n")
