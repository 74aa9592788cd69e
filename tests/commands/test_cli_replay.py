"""`ipvs-est replay`: verdicts, exit codes and what it prints."""

import json
import os
import pickle
import pty
import re
import shutil
import signal
import subprocess
from io import StringIO
from pathlib import Path
from types import SimpleNamespace
from typing import NoReturn
from xml.etree import ElementTree

import pytest

from command_line import COMMAND, TRACES, environment, here, ipvs_est, piped, python
from faults.planted_traces import Path_, lines_of, numbers_in, plant, write_lines, written
from ipvs_est.answers.trace import TraceError
from ipvs_est.language.input_error import InputError
from ipvs_est.language.revision import Revision
from ipvs_est.replay import Failed, replay
from ipvs_est_checks.cli.group import SUBCOMMANDS
from ipvs_est_checks.conformance import outcomes as replays
from ipvs_est_checks.conformance.outcome import Outcome, outcome_of
from ipvs_est_checks.terminal import progress

Capture = pytest.CaptureFixture[str]


@pytest.fixture
def mixed(tmp_path: Path) -> Path:
    """A directory with one trace of each verdict, and what is none of its business."""
    directory = tmp_path / "mixed"
    directory.mkdir()
    shutil.copy(TRACES / "early-3007.jsonl", directory / "b.jsonl")
    shutil.copy(TRACES / "early-3003.jsonl", directory / "d.jsonl")
    write_lines(directory / "a.jsonl", plant(lines_of("early-3011"), 2, ("ret",), -12))
    (directory / "c.jsonl").write_bytes(b"")
    (directory / "notes.txt").write_text("not a trace")
    return directory


# Verdicts


def test_recorded_set_passes(capsys: Capture) -> None:
    run = here(capsys, "replay", TRACES)
    names = sorted(file.stem for file in TRACES.glob("*.jsonl"))
    assert run.out.splitlines() == [*(f"PASS {name}" for name in names), "258 passed, 0 failed"]
    assert (run.code, run.err) == (0, "")


def test_each_trace_of_a_directory_gets_its_line(mixed: Path, capsys: Capture) -> None:
    run = here(capsys, "replay", mixed)
    assert run.out == (
        f'FAIL early-3011: {mixed}/a.jsonl:2: {{"op":"tot"}}: ret: recorded -12, computed 0\n'
        "PASS early-3007\n"
        "PASS early-3003\n"
        "2 passed, 1 failed, 1 unusable\n"
    )
    assert run.err == f"ERROR {mixed}/c.jsonl: empty, not a trace\n"
    # 2 for the unusable file wins over 1 for the failed one.
    assert run.code == 2


def test_failure_gives_1(mixed: Path, capsys: Capture) -> None:
    run = here(capsys, "replay", mixed / "a.jsonl", mixed / "b.jsonl")
    assert (run.code, run.out.splitlines()[-1]) == (1, "1 passed, 1 failed")


def test_files_are_replayed_in_the_given_order(mixed: Path, capsys: Capture) -> None:
    run = here(capsys, "replay", mixed / "d.jsonl", mixed / "b.jsonl", mixed / "d.jsonl")
    assert run.out.splitlines()[:-1] == ["PASS early-3003", "PASS early-3007", "PASS early-3003"]


@pytest.mark.parametrize(
    ("trace", "line", "path", "value", "expected"),
    [
        (
            "early-3003",
            3,
            ("ret",),
            -12,
            '{"op":"svc","id":1}: ret: recorded -12, computed 0',
        ),
        (
            "early-3003",
            8,
            ("enable",),
            1,
            '{"op":"dump"}: enable: recorded 1, computed 0',
        ),
        (
            "early-3003",
            19,
            ("kthreads", 0, "ticks", "4", "len"),
            6,
            '{"op":"dump"}: kthreads[0].ticks.4.len: recorded 6, computed 5',
        ),
        (
            "early-3003",
            19,
            ("kthreads", 0, "ticks", "4", "chains", "0", 2),
            1,
            '{"op":"dump"}: kthreads[0].ticks.4.chains.0[2]: recorded 1, computed 0',
        ),
        (
            "early-3003",
            19,
            ("kthreads", 0, "avail"),
            "f",
            '{"op":"dump"}: kthreads[0].avail: recorded "f", computed "1f"',
        ),
        (
            "early-3003",
            8,
            ("kthreads", 0, "running"),
            False,
            '{"op":"dump"}: kthreads[0].running: recorded false, computed true',
        ),
        (
            "early-3003",
            8,
            ("temp",),
            [1, 0, 2],
            '{"op":"dump"}: temp[2]: recorded 2, computed "(absent)"',
        ),
        (
            "recalc-3009",
            17,
            ("ktid",),
            0,
            '{"op":"read","id":0}: ktid: recorded 0, computed -1',
        ),
        (
            "recalc-3009",
            17,
            ("inbytes",),
            2**64 - 1,
            '{"op":"read","id":0}: inbytes: recorded 18446744073709551615, computed 0',
        ),
    ],
)
def test_planted_change_is_named_exactly(
    trace: str,
    line: int,
    path: Path_,
    value: object,
    expected: str,
    tmp_path: Path,
    capsys: Capture,
) -> None:
    file = write_lines(tmp_path / "copy.jsonl", plant(lines_of(trace), line, path, value))
    run = here(capsys, "replay", file)
    assert run.out == f"FAIL {trace}: {file}:{line}: {expected}\n0 passed, 1 failed\n"
    assert (run.code, run.err) == (1, "")


# Counted by walking the results of the file.
@pytest.mark.parametrize(("trace", "numbers"), [("early-3003", 87), ("recalc-3009", 339)])
def test_no_number_in_a_result_can_change_unnoticed(
    trace: str, numbers: int, tmp_path: Path
) -> None:
    lines = lines_of(trace)
    changes = 0
    for line in range(2, len(lines) + 1):
        for path, number in numbers_in(json.loads(lines[line - 1])["result"]):
            file = write_lines(tmp_path / "copy.jsonl", plant(lines, line, path, number + 1))
            found = replay(file)
            assert isinstance(found, Failed)
            assert (found.line, found.difference.path) == (line, written(path))
            assert (found.difference.recorded, found.difference.computed) == (number + 1, number)
            changes += 1
    assert changes == numbers


def test_long_value_is_shortened(tmp_path: Path, capsys: Capture) -> None:
    tick = {"len": 1, "present": "1", "full": "0", "chains": {"0": list(range(1000))}}
    lines = plant(lines_of("early-3003"), 8, ("kthreads", 0, "ticks"), {"4": tick})
    run = here(capsys, "replay", write_lines(tmp_path / "copy.jsonl", lines))
    line = run.out.splitlines()[0]
    assert 'kthreads[0].ticks.4: recorded {"len":1,"present":"1","full":"0","chains":' in line
    assert re.search(r"\.\.\. \(\d+ characters\), computed \"\(absent\)\"$", line)
    assert len(line) < 600


def test_what_a_trace_says_cannot_control_the_terminal(tmp_path: Path, capsys: Capture) -> None:
    header, *rest = lines_of("early-3003")
    name = json.dumps("\x1b[31mred\nPASS all\r\u202e\ud800")
    lines = [header.replace('"early-3003"', name), *plant(rest, 1, ("ret",), 1)]
    run = here(capsys, "replay", write_lines(tmp_path / "copy.jsonl", lines))
    shown = r"\x1b[31mred\nPASS all\r\u202e\ud800"
    assert run.out.splitlines() == [
        f'FAIL {shown}: {tmp_path}/copy.jsonl:2: {{"op":"tot"}}: ret: recorded 1, computed 0',
        "0 passed, 1 failed",
    ]


def test_trace_without_a_name_is_called_by_its_file(tmp_path: Path, capsys: Capture) -> None:
    header, *rest = lines_of("early-3003")
    file = write_lines(tmp_path / "x.jsonl", [header.replace('"early-3003"', '""'), *rest])
    assert here(capsys, "replay", file).out.splitlines()[0] == f"PASS {file}"


def test_history_without_a_defined_result_is_a_failure(tmp_path: Path, capsys: Capture) -> None:
    # The third allocation of adding a service is that of kd 0; v7's undo path then calls
    # through a scheduler that it has unbound.
    lines = [
        lines_of("small-1007")[0],
        '{"op":"fail_allocations","nth":3,"result":{"ret":0}}',
        '{"op":"add_service","id":1,"result":{"ret":-12}}',
    ]
    file = write_lines(tmp_path / "x.jsonl", lines)
    # Its kernel is v7-unwind, where that path is mended.
    run = here(capsys, "replay", "--revision", "v7", file)
    assert run.out.splitlines()[0] == (
        f'FAIL small-1007: {file}:3: {{"op":"add_service","id":1}}: result:'
        ' recorded {"ret":-12}, computed "no result: invalid-pointer:'
        ' thing=scheduler, where=ip_vs_add_service"'
    )
    assert run.code == 1


def test_name_that_the_terminal_cannot_show_is_no_reason_to_fail(tmp_path: Path) -> None:
    header, *rest = lines_of("early-3003")
    file = write_lines(tmp_path / "copy.jsonl", [header.replace("early-3003", "表"), *rest])
    run = ipvs_est("replay", file, PYTHONIOENCODING="latin-1")
    assert (run.code, run.out, run.err) == (0, "PASS \\u8868\n1 passed, 0 failed\n", "")


# Files that cannot be used


def test_header_alone_is_truncated(tmp_path: Path, capsys: Capture) -> None:
    file = write_lines(tmp_path / "x.jsonl", lines_of("early-3003")[:1])
    run = here(capsys, "replay", file)
    assert run.err == f"ERROR {file}:1: no operation follows the header: truncated\n"
    assert (run.code, run.out) == (2, "0 passed, 0 failed, 1 unusable\n")


def test_file_cut_within_a_line_names_the_line(tmp_path: Path, capsys: Capture) -> None:
    file = tmp_path / "x.jsonl"
    file.write_bytes((TRACES / "early-3003.jsonl").read_bytes()[:1000])
    whole = file.read_bytes().count(b"\n")
    run = here(capsys, "replay", file)
    assert run.err == f"ERROR {file}:{whole + 1}: the file ends within this line\n"
    assert run.code == 2


@pytest.mark.parametrize(
    ("data", "expected"),
    [
        (b"\x7fELF\x02\x01\x01" + bytes(range(256)), "{file}:2: not UTF-8"),
        (b"\0" * 4096, "{file}:1: the file ends within this line"),
        (b"\n\n", "{file}:1: not JSON: Expecting value at column 1"),
        (b"[]\n[]\n", "{file}:1: expected a JSON object"),
        (b"{}\n{}\n", "{file}:1: format: missing: this is not a trace's first line"),
    ],
)
def test_other_data_is_no_trace(
    data: bytes, expected: str, tmp_path: Path, capsys: Capture
) -> None:
    file = tmp_path / "x.jsonl"
    file.write_bytes(data)
    run = here(capsys, "replay", file)
    assert run.err == f"ERROR {expected.format(file=file)}\n"
    assert run.code == 2


@pytest.mark.parametrize(
    ("line", "old", "new", "expected"),
    [
        (1, '"7.3.4"', '"7.3.5"', "kernel: unknown kernel '7.3.5', known are"),
        (1, '"format":1', '"format":2', "format: 2 is not 1, the one known here"),
        (1, '"hz":', '"khz":', "params.hz: missing"),
        (2, '"tot"', '"to"', "op: there is no operation 'to'"),
        (2, '"ret":0', '"ret":0.0', "result.ret: 0.0 is not an integer"),
        (2, '"ret":0', '"ret":"0"', "result.ret: expected an integer, found a string"),
        (2, '{"ret":0}', "0", "result: expected an object, found an integer"),
        (2, '{"op"', '{"op":"tot","op"', "op: given twice"),
        (3, '"id":1', '"id":0', "id: 0 cannot be an object's id, they start at 1"),
    ],
)
def test_malformed_line_is_named_with_its_field(
    line: int, old: str, new: str, expected: str, tmp_path: Path, capsys: Capture
) -> None:
    lines = lines_of("early-3007")
    assert lines[line - 1].count(old) == 1
    lines[line - 1] = lines[line - 1].replace(old, new)
    file = write_lines(tmp_path / "x.jsonl", lines)
    run = here(capsys, "replay", file)
    assert run.err.startswith(f"ERROR {file}:{line}: {expected}")
    assert (run.err.count("\n"), run.code) == (1, 2)


def test_missing_file_does_not_keep_the_others_back(tmp_path: Path, capsys: Capture) -> None:
    run = here(capsys, "replay", tmp_path / "no", TRACES / "early-3003.jsonl")
    assert run.out == "PASS early-3003\n1 passed, 0 failed, 1 unusable\n"
    assert run.err == f"ERROR {tmp_path}/no: cannot be read: No such file or directory\n"
    assert run.code == 2


def test_file_that_vanishes_after_the_directory_was_listed(mixed: Path, capsys: Capture) -> None:
    # A link to nowhere: listed, and not there when it is opened.
    (mixed / "a.jsonl").unlink()
    (mixed / "a.jsonl").symlink_to(mixed / "gone")
    run = here(capsys, "replay", mixed)
    assert f"ERROR {mixed}/a.jsonl: cannot be read: No such file or directory\n" in run.err
    assert run.out == "PASS early-3007\nPASS early-3003\n2 passed, 0 failed, 2 unusable\n"
    assert run.code == 2


def test_directory_in_the_place_of_a_trace_cannot_be_read(tmp_path: Path, capsys: Capture) -> None:
    (tmp_path / "x.jsonl").mkdir()
    run = here(capsys, "replay", tmp_path)
    assert run.err == f"ERROR {tmp_path}/x.jsonl: cannot be read: Is a directory\n"
    assert run.code == 2


def test_file_that_may_not_be_read(
    mixed: Path, capsys: Capture, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(path: Path) -> NoReturn:
        raise PermissionError(13, "Permission denied", str(path))

    # Permissions do not stop a test run by root.
    monkeypatch.setattr(Path, "read_bytes", refuse)
    run = here(capsys, "replay", mixed / "b.jsonl")
    assert run.err == f"ERROR {mixed}/b.jsonl: cannot be read: Permission denied\n"
    assert run.code == 2


def test_directory_without_traces_is_an_error(tmp_path: Path, capsys: Capture) -> None:
    (tmp_path / "trace.json").write_text("{}")
    run = here(capsys, "replay", tmp_path, TRACES / "early-3003.jsonl")
    assert run.err == f"ERROR {tmp_path}: holds no *.jsonl file\n"
    assert (run.code, run.out) == (2, "PASS early-3003\n1 passed, 0 failed, 1 unusable\n")


def test_directory_that_may_not_be_listed_is_an_error(
    mixed: Path, capsys: Capture, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(path: Path) -> NoReturn:
        raise PermissionError(13, "Permission denied", str(path))

    monkeypatch.setattr(os, "listdir", refuse)
    run = here(capsys, "replay", mixed)
    assert run.err == f"ERROR {mixed}: cannot be listed: Permission denied\n"
    assert run.code == 2


# Options


@pytest.mark.parametrize("option", [("--kernel", "6.12.94"), ("--revision", "v7")])
def test_override_replays_as_another_kernel(option: tuple[str, str], capsys: Capture) -> None:
    file = TRACES / "early-3011.jsonl"
    assert here(capsys, "replay", file).code == 0
    run = here(capsys, "replay", *option, file)
    assert run.out == (
        f'FAIL early-3011: {file}:9: {{"op":"dump"}}: temp[0]: recorded 1, computed "(absent)"\n'
        "0 passed, 1 failed\n"
    )
    assert run.code == 1


def test_override_makes_an_unknown_kernel_usable(tmp_path: Path, capsys: Capture) -> None:
    header, *rest = lines_of("early-3003")
    file = write_lines(tmp_path / "x.jsonl", [header.replace("6.12.117", "6.12.118"), *rest])
    assert here(capsys, "replay", file).code == 2
    assert here(capsys, "replay", "--revision", "stable", file).code == 0


@pytest.mark.parametrize(
    ("arguments", "expected"),
    [
        (["--kernel", "7.3.4", "--revision", "mainline", "x"], "exclude each other"),
        (
            ["--kernel", "5.4", "x"],
            "--kernel: unknown kernel '5.4', known are 6.12.94, 6.12.95, 6.12.117",
        ),
        (["--revision", "V7", "x"], "--revision: unknown kernel 'V7', known are"),
        (["-j", "-1", "x"], "-1 is not in the range x>=0"),
        (["-j", "two", "x"], "'two' is not a valid integer"),
        (["--json", "x/../r", "--junit", "r", "x"], "--json and --junit name the same file"),
        (["--nope", "x"], "No such option"),
        ([], "Missing argument 'FILE|DIR ...'"),
    ],
)
def test_wrong_usage_gives_2_and_replays_nothing(
    arguments: list[str], expected: str, capsys: Capture
) -> None:
    run = here(capsys, "replay", *arguments)
    assert (run.code, run.out) == (2, "")
    assert expected in run.err.splitlines()[-1]


def test_quiet_leaves_failures_and_the_closing_line(mixed: Path, capsys: Capture) -> None:
    loud, quiet = here(capsys, "replay", mixed), here(capsys, "replay", "-q", mixed)
    assert quiet.out.splitlines() == [
        line for line in loud.out.splitlines() if not line.startswith("PASS ")
    ]
    assert (quiet.err, quiet.code) == (loud.err, loud.code)


def test_verbose_counts_violations_of_the_modelled_kernel(capsys: Capture) -> None:
    files = [TRACES / f"{name}.jsonl" for name in ("small-1007", "small-1009", "small-1010")]
    run = here(capsys, "replay", "-v", *files)
    assert run.out == (
        "PASS small-1007\n"
        "  1 x use-after-free: thing=kd 2, field=est_row, where=ip_vs_est_calc_phase\n"
        "  1 x use-after-free: thing=kd 1, field=est_row, where=ip_vs_est_calc_phase\n"
        "PASS small-1009\n"
        "  2 x use-after-free: thing=kd 1, field=est_row, where=ip_vs_est_calc_phase\n"
        "PASS small-1010\n"
        "3 passed, 0 failed\n"
    )
    assert "use-after-free" not in here(capsys, "replay", *files).out
    assert here(capsys, "replay", "-v", "-q", *files).out == "3 passed, 0 failed\n"


# Several processes


@pytest.mark.parametrize("jobs", [0, 2, 3, 100])
def test_number_of_processes_does_not_show(jobs: int, mixed: Path) -> None:
    paths = (mixed, TRACES / "early-3011.jsonl", mixed / "no", mixed)
    alone = ipvs_est("replay", "-v", "--json", "-", *paths)
    assert alone.out.count('"verdict": "pass"') == 5
    assert alone.err.count("\n") == 11
    assert alone.code == 2
    assert ipvs_est("replay", "-v", "--json", "-", "-j", str(jobs), *paths) == alone


def test_recorded_set_passes_in_two_processes() -> None:
    run = ipvs_est("replay", "-j", "2", TRACES)
    assert run.out.splitlines()[0] == "PASS again-6.12.117-60000"
    assert run.out.splitlines()[-2:] == ["PASS trash-7.3.4-60007", "258 passed, 0 failed"]
    assert (run.code, run.err) == (0, "")


REPLACED = """\
import os, signal, sys
from pathlib import Path
from ipvs_est_checks.conformance import outcomes as replays
from ipvs_est_checks.command import main
original = replays.outcome_of
def replaced(path, override):
    if path.name == "d.jsonl":
        {what}
    return original(path, override)
replays.outcome_of = replaced
sys.exit(main())
"""


def test_unusable_trace_passes_between_processes() -> None:
    error = TraceError("x.jsonl", 3, InputError("result.ret", "missing"))
    copy = pickle.loads(pickle.dumps(error))
    assert isinstance(copy, TraceError)
    assert str(copy) == str(error) == "x.jsonl:3: result.ret: missing"
    assert (copy.file, copy.line) == ("x.jsonl", 3)
    assert (copy.field, copy.message) == ("result.ret", "missing")


def test_trace_whose_worker_dies_is_named_and_the_others_are_replayed(
    mixed: Path, tmp_path: Path
) -> None:
    as_json, as_junit = tmp_path / "report.json", tmp_path / "report.xml"
    script = REPLACED.format(what="os.kill(os.getpid(), signal.SIGKILL)")
    options = ("-j", "2", "--json", as_json, "--junit", as_junit)
    run = python("-c", script, "replay", *options, mixed / "b.jsonl", mixed / "d.jsonl", mixed)
    lost = f"{mixed}/d.jsonl: its process was killed by SIGKILL"
    assert run.out.splitlines()[-1] == "2 passed, 1 failed, 1 unusable, 2 lost"
    assert run.err.splitlines().count(f"LOST {lost}") == 2
    # Input that cannot be used goes before.
    assert run.code == 2
    assert python("-c", script, "replay", "-j", "2", mixed / "b.jsonl", mixed / "d.jsonl").code == 3
    written = json.loads(as_json.read_text())
    assert written["complete"] is True
    assert written["totals"]["lost"] == 2
    (first, _) = [entry for entry in written["traces"] if entry["verdict"] == "lost"]
    assert (first["file"], first["error"]["message"]) == (
        f"{mixed}/d.jsonl",
        "its process was killed by SIGKILL",
    )
    skipped = ElementTree.parse(as_junit).iter("skipped")
    assert [(element.get("type"), element.get("message")) for element in skipped] == [
        ("lost", lost)
    ] * 2


def test_workers_end_with_a_parent_that_was_killed(mixed: Path) -> None:
    script = REPLACED.format(what="os.kill(os.getppid(), signal.SIGKILL)")
    with subprocess.Popen(
        [COMMAND[0], "-c", script, "replay", "-j", "3", mixed],
        env=environment(),
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        start_new_session=True,
    ) as process:
        try:
            # Returns when nobody holds the other ends any more.
            process.communicate(timeout=60)
        except subprocess.TimeoutExpired:
            os.killpg(process.pid, signal.SIGKILL)
            raise
    assert process.returncode == -signal.SIGKILL


# Interrupted


def test_interrupt_tells_what_was_found_so_far(
    mixed: Path, tmp_path: Path, capsys: Capture, monkeypatch: pytest.MonkeyPatch
) -> None:
    def interrupted(path: Path, override: Revision | None) -> Outcome:
        if path.name == "d.jsonl":
            raise KeyboardInterrupt
        return outcome_of(path, override)

    monkeypatch.setattr(replays, "outcome_of", interrupted)
    report = tmp_path / "report.json"
    report.write_text("of the last run")
    run = here(capsys, "replay", "-j", "1", "--json", report, mixed, mixed)
    assert run.out.splitlines()[1:] == ["PASS early-3007", "1 passed, 1 failed, 1 unusable"]
    assert run.err.splitlines()[1:] == ["interrupted after 3 of 8 traces"]
    assert run.code == 130
    written = json.loads(report.read_text())
    assert written["complete"] is False
    assert written["stopped"] == "interrupted after 3 of 8 traces"
    assert [entry["verdict"] for entry in written["traces"]] == ["fail", "pass", "error"]


def test_interrupted_junit_report_cannot_be_taken_for_the_whole(
    mixed: Path, tmp_path: Path, capsys: Capture, monkeypatch: pytest.MonkeyPatch
) -> None:
    def interrupted(path: Path, override: Revision | None) -> Outcome:
        raise KeyboardInterrupt

    monkeypatch.setattr(replays, "outcome_of", interrupted)
    report = tmp_path / "report.xml"
    assert here(capsys, "replay", "-j", "1", "--junit", report, mixed).code == 130
    (error,) = ElementTree.parse(report).iter("error")
    assert error.get("message") == "interrupted after 0 of 4 traces"


def test_interrupt_is_the_parents_business_alone(mixed: Path) -> None:
    script = REPLACED.format(what="os.kill(os.getpid(), signal.SIGINT)")
    run = python("-c", script, "replay", "-j", "2", mixed / "b.jsonl", mixed / "d.jsonl")
    assert run.out == "PASS early-3007\nPASS early-3003\n2 passed, 0 failed\n"
    assert (run.code, run.err) == (0, "")


def test_interrupt_of_all_processes_at_once_is_told_once(mixed: Path) -> None:
    # As a terminal does it: the signal goes to the whole process group.
    script = REPLACED.format(what="os.killpg(0, signal.SIGINT); signal.pause()")
    with subprocess.Popen(
        [COMMAND[0], "-c", script, "replay", "-j", "2", mixed],
        env=environment(),
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
    ) as process:
        out, err = process.communicate(timeout=60)
    assert process.returncode == 130
    assert re.search(r"^\d passed, \d failed(, 1 unusable)?$", out.splitlines()[-1])
    assert re.fullmatch(r"(ERROR .*\n)?interrupted after \d of 4 traces\n", err)
    # Nobody is left to be waited for: the group is gone.
    with pytest.raises(ProcessLookupError):
        os.killpg(process.pid, signal.SIGKILL)


# Output that nobody takes


@pytest.mark.parametrize(
    "arguments",
    [
        ("replay", TRACES),
        ("replay", "-j", "2", TRACES),
        ("replay", "-q", TRACES / "early-3003.jsonl"),
        ("replay", "--json", "-", TRACES / "early-3003.jsonl"),
        # Writes without a flush of its own.
        ("simulate", "--estimators", "10"),
        ("--help",),
    ],
    ids=lambda arguments: " ".join(map(str, arguments[:2])),
)
def test_dead_pipe_ends_quietly(arguments: tuple[str | Path, ...]) -> None:
    reader, writer = os.pipe()
    os.close(reader)
    run = subprocess.run(
        [*COMMAND, *arguments],
        env=environment(),
        stdout=writer,
        stderr=subprocess.PIPE,
        text=True,
        timeout=60,
        check=False,
    )
    os.close(writer)
    lines = [line for line in run.stderr.splitlines() if not line.startswith("PASS ")]
    # With --json - the human lines are on standard error.
    assert lines == (["1 passed, 0 failed"] if "--json" in arguments else [])
    # No verdict: neither 0 nor 1.
    assert run.returncode == 141


def test_reader_that_leaves_after_a_line_is_no_problem() -> None:
    with subprocess.Popen(
        [*COMMAND, "replay", TRACES],
        env=environment(),
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    ) as process:
        assert process.stdout is not None
        assert process.stderr is not None
        assert process.stdout.readline() == "PASS again-6.12.117-60000\n"
        process.stdout.close()
        assert process.stderr.read() == ""
    assert process.returncode == 141


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="needs a device that is always full")
def test_output_that_cannot_be_written_is_no_pass() -> None:
    with open("/dev/full", "wb") as full:
        run = subprocess.run(
            [*COMMAND, "replay", "-q", TRACES / "early-3003.jsonl"],
            env=environment(),
            stdout=full,
            stderr=subprocess.PIPE,
            text=True,
            timeout=60,
            check=False,
        )
    assert run.stderr == "Error: [Errno 28] No space left on device\n"
    assert run.returncode == 2


# Terminals


def in_terminal(*arguments: str | Path, **changes: str) -> str:
    """What a terminal gets from the command, standard error included."""
    ours, theirs = pty.openpty()
    with subprocess.Popen(
        [*COMMAND, *arguments],
        env=environment(TERM="xterm", **changes),
        stdin=theirs,
        stdout=theirs,
        stderr=theirs,
    ):
        os.close(theirs)
        data = b""
        while True:
            try:
                data += os.read(ours, 65536)
            except OSError:
                # Linux: the other side is closed.
                break
    os.close(ours)
    return data.decode().replace("\r\n", "\n")


def test_verdicts_are_coloured_on_a_terminal(mixed: Path) -> None:
    lines = in_terminal("replay", mixed).splitlines()
    assert [line.partition(" ")[0] for line in lines[:4]] == [
        "\x1b[31mFAIL\x1b[0m",
        "\x1b[32mPASS\x1b[0m",
        "\x1b[31mERROR\x1b[0m",
        "\x1b[32mPASS\x1b[0m",
    ]
    assert lines[4:] == ["2 passed, 1 failed, 1 unusable"]


def test_terminal_without_colours_gets_none(mixed: Path) -> None:
    assert "\x1b" not in in_terminal("replay", mixed, NO_COLOR="1")


class Terminal(StringIO):
    """A stream that says that it is one."""

    def isatty(self) -> bool:
        return True


def test_progress_bar_appears_after_a_second_and_gives_way(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    clock = SimpleNamespace(now=100.0)
    monkeypatch.setattr(progress, "time", SimpleNamespace(monotonic=lambda: clock.now))
    monkeypatch.setenv("TERM", "xterm")
    terminal = Terminal()
    monkeypatch.setattr("sys.stderr", terminal)
    with progress.progress_bar("replay", 50) as bar:
        clock.now = 100.9
        progress.draw(bar, 10)
        assert terminal.getvalue() == ""
        clock.now = 101.1
        progress.draw(bar, 20)
        assert re.search(r"replay .* 40%", terminal.getvalue())
        clock.now = 101.15
        progress.draw(bar, 25)
        assert "50%" not in terminal.getvalue()
        progress.hide(bar)
        # Up one line and erased.
        assert terminal.getvalue().endswith("\x1b[1A\x1b[2K")
        clock.now = 101.3
        progress.draw(bar, 30)
        assert "60%" in terminal.getvalue()
    assert terminal.getvalue().endswith("\x1b[1A\x1b[2K")


def test_progress_waits_where_more_work_turns_up(monkeypatch: pytest.MonkeyPatch) -> None:
    clock = SimpleNamespace(now=0.0)
    monkeypatch.setattr(progress, "time", SimpleNamespace(monotonic=lambda: clock.now))
    log = StringIO()
    monkeypatch.setattr("sys.stderr", log)
    with progress.progress_bar("check", 100) as bar:
        for clock.now, done in ((31.0, 47.0), (62.0, 27.0), (93.0, 48.0)):
            progress.draw(bar, done)
    assert log.getvalue() == "check: 47%, 31 s\ncheck: 47%, 62 s\ncheck: 48%, 93 s\n"


def test_lines_and_progress_bar_do_not_mix(
    mixed: Path, monkeypatch: pytest.MonkeyPatch, capsys: Capture
) -> None:
    clock = SimpleNamespace(now=0.0)
    monkeypatch.setattr(progress, "time", SimpleNamespace(monotonic=lambda: clock.now))
    monkeypatch.setenv("TERM", "xterm")
    monkeypatch.setenv("NO_COLOR", "1")

    def slow(path: Path, override: Revision | None) -> Outcome:
        clock.now += 0.8
        return outcome_of(path, override)

    monkeypatch.setattr(replays, "outcome_of", slow)
    terminal = Terminal()
    monkeypatch.setattr("sys.stdout", terminal)
    monkeypatch.setattr("sys.stderr", terminal)
    here(capsys, "replay", "-j", "1", mixed)
    seen = terminal.getvalue()
    # After 0.8 s none, then after each.
    assert [percent for percent in (25, 50, 75, 100) if f"{percent}%" in seen] == [50, 75, 100]
    for start in ("FAIL early-3011", "PASS early-3007", "ERROR", "PASS early-3003", "2 passed"):
        before, _, _ = seen.partition(start)
        assert before.endswith(("\n", "\x1b[1A\x1b[2K")) or before == "", start
    assert seen.count("\x1b[1A\x1b[2K") == 3


def test_a_log_gets_a_line_of_progress_now_and_then(monkeypatch: pytest.MonkeyPatch) -> None:
    clock = SimpleNamespace(now=100.0)
    monkeypatch.setattr(progress, "time", SimpleNamespace(monotonic=lambda: clock.now))
    log = StringIO()
    monkeypatch.setattr("sys.stderr", log)
    with progress.progress_bar("replay", 50) as bar:
        for clock.now, done in ((129.0, 9), (131.0, 10), (150.0, 20), (162.0, 30)):
            progress.draw(bar, done, "this one" if done == 30 else None)
    assert log.getvalue() == "replay: 20%, 31 s\nreplay: 60%, 62 s: this one\n"
    assert bar.drawn is None


# Standard input


def test_a_trace_is_read_from_standard_input() -> None:
    trace = (TRACES / "early-3003.jsonl").read_text(encoding="utf-8")
    run = piped(trace, "replay", "-")
    assert (run.code, run.out, run.err) == (0, "PASS early-3003\n1 passed, 0 failed\n", "")
    lines = trace.splitlines(keepends=True)
    broken = piped("".join([*lines[:3], "{}\n"]), "replay", "-", TRACES / "early-3007.jsonl")
    assert broken.err.startswith("ERROR -:4: ")
    assert (broken.code, broken.out) == (2, "PASS early-3007\n1 passed, 0 failed, 1 unusable\n")


def test_standard_input_that_is_empty_or_closed_is_told() -> None:
    assert piped("", "replay", "-").err.startswith("ERROR -: empty")
    script = "import sys; sys.stdin = None; from ipvs_est_checks.command import main; main()"
    closed = python("-c", script, "replay", "-")
    assert closed.err == "ERROR -: standard input is closed\n"


# Speed


def test_replay_loads_nothing_that_it_does_not_use() -> None:
    script = """\
import sys
from ipvs_est_checks.command import main
assert main() == 0
print(*sys.modules, sep="\\n")
"""
    run = python("-c", script, "replay", TRACES / "early-3003.jsonl")
    loaded = set(run.out.splitlines())
    assert {"click", "ipvs_est.replay", "ipvs_est_checks.cli.commands.replay"} <= loaded
    slow = {
        "rich",
        "hypothesis",
        "z3",
        "xml",
        "multiprocessing",
        "concurrent",
        "importlib.metadata",
    }
    assert slow & loaded == set()
    subcommands = {f"ipvs_est_checks.cli.commands.{name}" for name in SUBCOMMANDS}
    assert subcommands & loaded == {"ipvs_est_checks.cli.commands.replay"}
