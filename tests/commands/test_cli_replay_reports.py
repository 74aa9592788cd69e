"""The JSON and JUnit reports of `ipvs-est replay`, and how report files are written."""

import errno
import json
import os
import shutil
import stat
from pathlib import Path
from xml.etree import ElementTree

import pytest

from command_line import TRACES, here
from faults.planted_traces import lines_of, plant, write_lines

Capture = pytest.CaptureFixture[str]

NASTY = 'a<b>&"c"\x00\x1b[31m\r\n\ufffe\ud800'
NASTY_SHOWN = 'a<b>&"c"\\x00\\x1b[31m\\r\\n\\ufffe\\ud800'


@pytest.fixture
def mixed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The working directory; `mixed` in it has a trace of each verdict."""
    monkeypatch.chdir(tmp_path)
    directory = Path("mixed")
    directory.mkdir()
    shutil.copy(TRACES / "small-1007.jsonl", directory / "pass.jsonl")
    header, *rest = lines_of("early-3003")
    renamed = [header.replace('"early-3003"', json.dumps(NASTY)), *rest]
    write_lines(directory / "fail.jsonl", plant(renamed, 10, ("kthreads", 0, "est_row"), 4))
    write_lines(directory / "error.jsonl", [header, '{"op":"del","id":7,"result":{"ret":0}}'])
    return directory


# What the reports say

REPORT = {
    "report": "ipvs-est replay",
    "version": 1,
    "complete": True,
    "stopped": None,
    "traces": [
        {
            "file": "mixed/error.jsonl",
            "trace": None,
            "kernel": None,
            "revision": None,
            "verdict": "error",
            "operations": 0,
            "violations": {},
            "difference": None,
            "error": {"line": 2, "field": "id", "message": "there is no object 7"},
        },
        {
            "file": "mixed/fail.jsonl",
            "trace": NASTY,
            "kernel": "6.12.117",
            "revision": "stable",
            "verdict": "fail",
            "operations": 9,
            "violations": {},
            "difference": {
                "line": 10,
                "operation": {"op": "dump"},
                "path": "kthreads[0].est_row",
                "recorded": 4,
                "computed": 0,
            },
            "error": None,
        },
        {
            "file": "mixed/pass.jsonl",
            "trace": "small-1007",
            "kernel": "6.12.94",
            "revision": "v7-unwind",
            "verdict": "pass",
            "operations": 172,
            "violations": {"use-after-free": 2},
            "difference": None,
            "error": None,
        },
    ],
    "totals": {"passed": 1, "failed": 1, "unusable": 1, "lost": 0, "not_asked": 0},
}

DIFFERENCE = 'mixed/fail.jsonl:10: {"op":"dump"}: kthreads[0].est_row: recorded 4, computed 0'
UNUSABLE = "mixed/error.jsonl:2: id: there is no object 7"


def test_json_report_holds_each_trace(mixed: Path, capsys: Capture) -> None:
    run = here(capsys, "replay", "--json", "report.json", mixed)
    text = Path("report.json").read_text(encoding="ascii")
    assert json.loads(text) == REPORT
    assert text.endswith("}\n")
    assert run.out.splitlines()[-1] == "1 passed, 1 failed, 1 unusable"
    assert run.code == 2


def test_json_report_on_standard_output_moves_the_lines_away(mixed: Path, capsys: Capture) -> None:
    run = here(capsys, "replay", "--json", "-", mixed)
    assert json.loads(run.out) == REPORT
    assert run.err.splitlines() == [
        f"ERROR {UNUSABLE}",
        f"FAIL {NASTY_SHOWN}: {DIFFERENCE}",
        "PASS small-1007",
        "1 passed, 1 failed, 1 unusable",
    ]
    assert sorted(os.listdir()) == ["mixed"]


def test_json_report_names_the_revision_that_was_replayed(mixed: Path, capsys: Capture) -> None:
    run = here(capsys, "replay", "--json", "-", "--kernel", "7.3.4", mixed / "pass.jsonl")
    (trace,) = json.loads(run.out)["traces"]
    assert (trace["kernel"], trace["revision"]) == ("6.12.94", "mainline")


def test_json_report_has_values_in_full(mixed: Path, capsys: Capture) -> None:
    temp = [*range(1000)]
    lines = plant(lines_of("early-3003"), 8, ("kthreads", 0, "ticks"), {"0": long_tick(temp)})
    file = write_lines(Path("long.jsonl"), lines)
    run = here(capsys, "replay", "--json", "-", file)
    (trace,) = json.loads(run.out)["traces"]
    assert trace["difference"]["recorded"] == long_tick(temp)
    assert trace["difference"]["computed"] == "(absent)"


def long_tick(ids: list[int]) -> dict[str, object]:
    """A recorded tick with one chain."""
    return {"len": len(ids), "present": "1", "full": "0", "chains": {"0": ids}}


def test_file_as_a_whole_has_no_line(mixed: Path, capsys: Capture) -> None:
    run = here(capsys, "replay", "--json", "-", "missing")
    (trace,) = json.loads(run.out)["traces"]
    assert trace["error"] == {
        "line": None,
        "field": "",
        "message": "cannot be read: No such file or directory",
    }


def test_junit_report_holds_each_trace(mixed: Path, capsys: Capture) -> None:
    here(capsys, "replay", "--junit", "report.xml", mixed)
    root = ElementTree.fromstring(Path("report.xml").read_bytes())
    counts = {"tests": "3", "failures": "1", "errors": "1", "skipped": "0"}
    assert (root.tag, root.attrib) == ("testsuites", counts)
    (suite,) = root
    assert (suite.tag, suite.attrib) == ("testsuite", {"name": "ipvs-est replay", **counts})
    error, failure, success = suite
    assert {case.tag for case in suite} == {"testcase"}
    assert {case.get("classname") for case in suite} == {"ipvs_est.replay"}
    assert [case.get("name") for case in suite] == ["mixed/error.jsonl", NASTY_SHOWN, "small-1007"]
    assert [case.get("file") for case in suite] == [
        "mixed/error.jsonl",
        "mixed/fail.jsonl",
        "mixed/pass.jsonl",
    ]
    assert [(e.tag, e.attrib, e.text) for e in error] == [
        ("error", {"type": "unusable", "message": UNUSABLE}, UNUSABLE)
    ]
    assert [(e.tag, e.attrib, e.text) for e in failure] == [
        ("failure", {"type": "difference", "message": DIFFERENCE}, DIFFERENCE)
    ]
    assert list(success) == []


def test_junit_report_can_hold_any_file_name(mixed: Path, capsys: Capture) -> None:
    names = [b"a\x01&<b>.jsonl", b"b\xff.jsonl"]
    for name in names:
        shutil.copy(os.fsencode(mixed / "pass.jsonl"), name)
    run = here(capsys, "replay", "--junit", "report.xml", "--json", "-", ".")
    assert run.code == 0
    (suite,) = ElementTree.fromstring(Path("report.xml").read_bytes())
    assert [case.get("file") for case in suite] == [r"a\x01&<b>.jsonl", r"b\udcff.jsonl"]
    files = [trace["file"] for trace in json.loads(run.out)["traces"]]
    assert [os.fsencode(file) for file in files] == names


def test_reports_of_equal_runs_are_equal(mixed: Path, capsys: Capture) -> None:
    reports = []
    for _ in range(2):
        here(capsys, "replay", "--json", "r.json", "--junit", "r.xml", mixed)
        reports.append((Path("r.json").read_bytes(), Path("r.xml").read_bytes()))
    assert reports[0] == reports[1]


# Writing them


@pytest.mark.parametrize("option", ["--json", "--junit"])
@pytest.mark.parametrize(
    ("target", "reason"),
    [
        ("missing/report", "No such file or directory"),
        ("mixed/pass.jsonl/report", "Not a directory"),
        ("mixed", "Is a directory"),
        ("loop", "Too many levels of symbolic links"),
    ],
)
def test_unwritable_report_is_told_before_the_replay(
    option: str, target: str, reason: str, mixed: Path, capsys: Capture
) -> None:
    Path("loop").symlink_to("loop")
    run = here(capsys, "replay", option, target, mixed)
    assert (run.code, run.out, run.err) == (2, "", f"Error: {option} {target}: {reason}\n")
    assert sorted(os.listdir()) == ["loop", "mixed"]


def test_protected_report_is_not_replaced(
    mixed: Path, capsys: Capture, monkeypatch: pytest.MonkeyPatch
) -> None:
    Path("report.json").write_text("protected")
    # Permissions do not stop a test run by root.
    monkeypatch.setattr(os, "access", lambda path, mode: mode != os.W_OK)
    run = here(capsys, "replay", "--json", "report.json", mixed)
    assert (run.code, run.err) == (2, "Error: --json report.json: Permission denied\n")
    assert Path("report.json").read_text() == "protected"


@pytest.mark.parametrize(("option", "name"), [("--json", "r.json"), ("--junit", "r.xml")])
def test_report_that_fails_halfway_leaves_the_old_one(
    option: str, name: str, mixed: Path, capsys: Capture, monkeypatch: pytest.MonkeyPatch
) -> None:
    Path(name).write_text("old")

    def full(descriptor: int) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    run = here(capsys, "replay", option, name, mixed / "pass.jsonl")
    assert run.out == "PASS small-1007\n1 passed, 0 failed\n"
    assert run.err == f"Error: {option} {name}: No space left on device\n"
    assert run.code == 2
    assert Path(name).read_text() == "old"
    assert sorted(os.listdir()) == ["mixed", name]


def test_report_is_never_half_of_the_new_one(mixed: Path, capsys: Capture) -> None:
    # Who has the old file open keeps it whole: it is replaced, not written over.
    Path("report.json").write_text("old")
    os.link("report.json", "opened")
    here(capsys, "replay", "--json", "report.json", mixed)
    assert Path("opened").read_text() == "old"
    assert json.loads(Path("report.json").read_text()) == REPORT


def test_report_keeps_the_mode_of_the_one_it_replaces(mixed: Path, capsys: Capture) -> None:
    Path("report.json").write_text("old")
    Path("report.json").chmod(0o640)
    here(capsys, "replay", "--json", "report.json", mixed)
    assert stat.S_IMODE(Path("report.json").stat().st_mode) == 0o640
    assert json.loads(Path("report.json").read_text()) == REPORT


def test_new_report_has_the_usual_mode(mixed: Path, capsys: Capture) -> None:
    before = os.umask(0o027)
    try:
        here(capsys, "replay", "--json", "report.json", mixed)
    finally:
        os.umask(before)
    assert stat.S_IMODE(Path("report.json").stat().st_mode) == 0o640


def test_report_through_a_link_leaves_the_link(mixed: Path, capsys: Capture) -> None:
    Path("kept").mkdir()
    Path("report.json").symlink_to("kept/report.json")
    here(capsys, "replay", "--json", "report.json", mixed)
    assert Path("report.json").is_symlink()
    assert json.loads(Path("kept/report.json").read_text()) == REPORT


def test_pipe_is_written_to_and_not_replaced(mixed: Path, capsys: Capture) -> None:
    # Stands for every special file. Never a real device here: where the check is broken and
    # the tests are run by root, the machine would lose it.
    pipe = Path("pipe")
    os.mkfifo(pipe)
    reader = os.open(pipe, os.O_RDONLY | os.O_NONBLOCK)
    try:
        run = here(capsys, "replay", "--json", pipe, mixed / "pass.jsonl")
        text = os.read(reader, 65536)
    finally:
        os.close(reader)
    assert (run.code, run.err) == (0, "")
    totals = {"passed": 1, "failed": 0, "unusable": 0, "lost": 0, "not_asked": 0}
    assert json.loads(text)["totals"] == totals
    assert pipe.is_fifo()
