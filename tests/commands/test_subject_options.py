"""`replay --subject` and `findings --subject`: whatever drives a subject drives it."""

import json
import sys
from pathlib import Path

import pytest

from command_line import CHECKOUT, environment, here

ODD = CHECKOUT / "tests" / "helpers" / "faults" / "odd_subject.py"
TRACES = CHECKOUT / "tests" / "data" / "traces"
Capture = pytest.CaptureFixture[str]


@pytest.fixture(autouse=True)
def sources(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PYTHONPATH", environment()["PYTHONPATH"])


def odd(way: str, nth: int = 0) -> str:
    return f"'{sys.executable}' '{ODD}' {way} {nth}"


def test_a_trace_is_replayed_on_a_subject(capsys: Capture) -> None:
    done = here(capsys, "replay", TRACES / "small-1010.jsonl", "--subject", odd("none"))
    assert (done.code, done.out) == (0, "PASS small-1010\n1 passed, 0 failed\n")


def test_a_wrong_answer_is_a_failure(capsys: Capture) -> None:
    done = here(capsys, "replay", TRACES / "small-1010.jsonl", "--subject", odd("errno", 3))
    assert done.code == 1
    assert "small-1010.jsonl:4: " in done.out
    assert 'computed "-5"' in done.out or "computed -5" in done.out


def test_a_subject_that_dies_loses_the_trace(capsys: Capture) -> None:
    done = here(capsys, "replay", TRACES / "small-1010.jsonl", "--subject", odd("exit", 3))
    assert done.code == 3
    assert "line 4: subject.crash: exit code 7: this is said before the end" in done.err


def test_a_trace_that_is_not_asked_is_no_pass(tmp_path: Path, capsys: Capture) -> None:
    say = '{"oracle":"few","protocol":1,"operations":["svc"]}'
    script = tmp_path / "few.py"
    script.write_text(f"print({say!r}, flush=True)\ninput()\n", encoding="utf-8")
    subject = f"'{sys.executable}' '{script}'"
    json_file, junit_file = tmp_path / "report.json", tmp_path / "report.xml"
    reports = ("--json", json_file, "--junit", junit_file)
    done = here(capsys, "replay", TRACES / "small-1010.jsonl", "--subject", subject, *reports)
    assert done.code == 3
    verdict, closing = done.out.splitlines()
    assert verdict.startswith("NOT ASKED ")
    assert ": the subject does not take " in verdict
    assert closing == "0 passed, 0 failed, 1 not asked"
    report = json.loads(json_file.read_text(encoding="utf-8"))
    (trace,) = report["traces"]
    assert trace["verdict"] == "not asked"
    assert trace["error"]["message"].startswith("the subject does not take ")
    assert report["totals"]["not_asked"] == 1
    assert 'skipped="1"' in junit_file.read_text(encoding="utf-8")


def test_findings_are_tried_on_a_subject(capsys: Capture) -> None:
    done = here(capsys, "findings", "F01", "F03", "F16", "--subject", odd("none"))
    assert done.code == 3
    lines = done.out.splitlines()
    assert lines[0].startswith("F01  shows ")
    assert lines[1].strip() == "breaks bitmaps.in-range"
    assert lines[2].startswith("F03  shows ")
    assert lines[5].strip() == "the subject gives no schedules"
    assert lines[6] == "2 shows, 0 does not show, 1 cannot be tried"


def test_findings_that_need_a_schedule_are_searched_for_where_there_are_schedules(
    capsys: Capture, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PYTHONPATH", environment()["PYTHONPATH"])
    model = f"'{sys.executable}' -m ipvs_est_checks.command oracle"
    done = here(capsys, "findings", "F16", "F17", "--subject", model, "--seconds", "60")
    assert done.code == 3
    lines = done.out.splitlines()
    assert lines[1].strip() == "no outcome of a schedule tells of tasks.enabled"
    assert lines[2].startswith("F17  shows ")
    assert lines[3].strip().startswith("deadlock: ")
    assert lines[4] == "1 shows, 0 does not show, 1 cannot be tried"


def test_what_a_subject_does_not_give_is_no_verdict(capsys: Capture) -> None:
    done = here(capsys, "findings", "F03", "--subject", odd("minimal"))
    assert done.code == 3
    assert "the subject gives no snapshot" in done.out


@pytest.mark.parametrize(
    "arguments",
    [
        ("replay", str(TRACES / "small-1010.jsonl"), "--tree", "/nowhere"),
        ("findings", "--revision", "stable"),
    ],
)
def test_what_excludes_a_subject(arguments: tuple[str, ...], capsys: Capture) -> None:
    done = here(capsys, *arguments, "--subject", "true")
    assert done.code == 2
    assert "--subject" in done.err
