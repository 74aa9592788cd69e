"""Options of all commands that name reports, and numbers that are none: refused before the work."""

import json
from pathlib import Path
from xml.etree import ElementTree

import pytest

from command_line import here

Capture = pytest.CaptureFixture[str]

COMMANDS = (
    (
        "check",
        *("--round", "0", "--seed", "1"),
        *("--property", "readers.group", "--revision", "repaired"),
    ),
    ("defects", "N5"),
    ("explore", "exit-of-an-idle-netns"),
    ("mutants", "D24"),
    ("prove", "timer.hz"),
    ("replay", str(Path(__file__).parents[1] / "data" / "traces" / "exit-1003.jsonl")),
    ("simulate", "--estimators", "5"),
    ("bench", "--estimators", "1", "--no-explore", "--repeat", "1"),
)
TWO = [command for command in COMMANDS if command[0] not in ("mutants", "simulate", "bench")]

by_name = pytest.mark.parametrize("command", COMMANDS, ids=lambda command: command[0])


@by_name
def test_a_report_that_cannot_be_written_is_refused_before_the_work(
    command: tuple[str, ...], capsys: Capture
) -> None:
    refused = here(capsys, *command, "--json", "/nowhere/r.json")
    assert (refused.code, refused.out) == (2, "")
    assert refused.err == "Error: --json /nowhere/r.json: No such file or directory\n"


@by_name
def test_a_report_needs_a_name(command: tuple[str, ...], capsys: Capture) -> None:
    refused = here(capsys, *command, "--json", "")
    assert (refused.code, refused.out) == (2, "")
    assert refused.err == "Error: --json: names no file\n"


@pytest.mark.parametrize(
    "command",
    [command for command in COMMANDS if command[0] != "bench"],
    ids=lambda command: command[0],
)
def test_a_full_disk_is_told_with_the_option_and_the_file(
    command: tuple[str, ...], capsys: Capture
) -> None:
    shown = here(capsys, *command, "--json", "/dev/full")
    assert shown.code == 2
    # Before it there may be lines of progress.
    assert shown.err.splitlines()[-1] == "Error: --json /dev/full: No space left on device"


@pytest.mark.parametrize("command", TWO, ids=lambda command: command[0])
def test_two_reports_do_not_overwrite_each_other(
    command: tuple[str, ...], capsys: Capture, tmp_path: Path
) -> None:
    file = tmp_path / "r"
    file.write_text("mine", encoding="utf-8")
    other = tmp_path / "." / "x" / ".." / "r"
    refused = here(capsys, *command, "--json", str(file), "--junit", str(other))
    assert (refused.code, refused.out) == (2, "")
    assert refused.err == "Error: --json and --junit name the same file\n"
    assert file.read_text(encoding="utf-8") == "mine"


@by_name
def test_a_report_on_standard_output_stands_there_alone(
    command: tuple[str, ...], capsys: Capture
) -> None:
    shown = here(capsys, *command, "--json", "-")
    assert shown.code in (0, 1, 3)
    assert isinstance(json.loads(shown.out), dict)
    # What else there is to say.
    assert shown.err.count("\n") >= 1


@pytest.mark.parametrize("command", TWO, ids=lambda command: command[0])
def test_junit_on_standard_output_stands_there_alone_and_excludes_json(
    command: tuple[str, ...], capsys: Capture
) -> None:
    shown = here(capsys, *command, "--junit", "-")
    assert ElementTree.fromstring(shown.out).tag == "testsuites"
    refused = here(capsys, *command, "--junit", "-", "--json", "-")
    assert (refused.code, refused.out) == (2, "")
    assert refused.err == "Error: --json and --junit name the same file\n"


@pytest.mark.parametrize("command", ["explore", "simulate"])
def test_a_picture_goes_to_a_file_only(command: str, capsys: Capture) -> None:
    refused = here(capsys, command, "--svg", "-")
    assert (refused.code, refused.out) == (2, "")
    assert refused.err == "Error: --svg: goes to a file only\n"


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["check", "--minutes", "nan"], "'--minutes': nan is not a number."),
        (["prove", "timer.hz", "--timeout", "NaN"], "'--timeout': NaN is not a number."),
        (["check", "--minutes", "0"], "'--minutes': 0.0 is not in the range x>0."),
    ],
)
def test_what_is_no_number_is_refused(arguments: list[str], message: str, capsys: Capture) -> None:
    refused = here(capsys, *arguments)
    assert (refused.code, refused.out) == (2, "")
    assert refused.err == f"Error: Invalid value for {message}\n"


def test_recorded_traces_that_are_none_are_refused(capsys: Capture, tmp_path: Path) -> None:
    for path in (tmp_path, Path("/dev/null")):
        refused = here(capsys, "check", "--traces", str(path))
        assert (refused.code, refused.out) == (2, "")
        assert refused.err == f"Error: --traces {path}: holds no *.jsonl file\n"


@pytest.mark.parametrize(
    ("arguments", "named"),
    [
        (["replay", ""], "FILE|DIR ..."),
        (["explore", ""], "SCENARIO"),
        (["check", "--traces", ""], "--traces"),
        (["bench", "--traces", ""], "--traces"),
        (["prove", "--smtlib", ""], "--smtlib"),
    ],
)
def test_an_empty_text_is_not_the_current_directory(
    arguments: list[str], named: str, capsys: Capture
) -> None:
    refused = here(capsys, *arguments)
    assert (refused.code, refused.out) == (2, "")
    assert refused.err.startswith("Error: ")
    assert named in refused.err
    assert refused.err.endswith("an empty text names no file\n")
    assert refused.err.count("\n") == 1
