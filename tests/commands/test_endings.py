"""Each command with workers: a worker is killed, a signal comes, nobody reads the output.

Nothing hangs, what was found is reported, and nobody prints a traceback.
"""

import json
import os
import re
import signal
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from xml.etree import ElementTree

import pytest

from command_line import COMMAND, TRACES, environment

COMMANDS = (
    (
        "check",
        *("--round", "0"),
        # A random one may come upon something else, which other tests look for.
        *("--seed", "1"),
        "--property",
        "counters.read",
        *("--revision", "v7"),
        *("--revision", "stable"),
    ),
    ("defects", "N5", "N6"),
    ("explore", "exit-of-an-idle-netns", "--revision", "mainline", "--revision", "repaired"),
    ("mutants", "D24", "D30"),
    ("prove", "rows.chain", "rows.in-range"),
    ("replay", str(TRACES / "early-3003.jsonl"), str(TRACES / "early-3007.jsonl")),
    ("bench", "--estimators", "1", "--no-explore", "--no-subject", "--repeat", "2"),
)
WITH_JUNIT = ("check", "defects", "explore", "prove", "replay")
SIGNALS = {"SIGINT": 130, "SIGTERM": 143, "SIGHUP": 129}

# The second work that is handed out never ends by itself.
SCRIPT = """\
import os, signal, sys, time
from functools import partial
from ipvs_est_checks import workers
from ipvs_est_checks.command import main
# Whoever runs the tests in the background ignores some.
for each in workers.ENDING:
    signal.signal(each, signal.SIG_DFL)
send = workers.Pool._send
handed_out = 0
def sending(pool, worker):
    global handed_out
    handed_out += 1
    if handed_out == 2:
        pool._todo[0].call = partial(workers._without_notes, time.sleep, (600,), {{}})
    send(pool, worker)
    if handed_out == 2:
        {action}
workers.Pool._send = sending
sys.exit(main())
"""

# A line now and then, on a machine that is busy with other things too.
_PROGRESS = re.compile(r"^\w+: \d+%, \d+ s: .*\n", re.MULTILINE)

each_command = pytest.mark.parametrize("command", COMMANDS, ids=lambda command: command[0])


@dataclass(frozen=True, slots=True)
class Ended:
    """What a command left."""

    code: int
    out: str
    err: str
    report: dict[str, object]
    junit: str


def ended(command: tuple[str, ...], action: str, directory: Path, *, closed: bool = False) -> Ended:
    """Run a command with two processes in a process group of its own; `action` is done there
    when the second work was handed out. closed: nobody reads its standard output."""
    as_json, as_junit = directory / "r.json", directory / "r.xml"
    options = ["--json", str(as_json)]
    if command[0] in WITH_JUNIT:
        options += ["--junit", str(as_junit)]
    if command[0] != "bench":
        options += ["-j", "2"]
    script = SCRIPT.format(action=action)
    words = [*COMMAND[1:]] if not action else ["-W", "error", "-c", script]
    reading, writing = os.pipe()
    if closed:
        os.close(reading)
    with subprocess.Popen(
        [sys.executable, *words, *command, *options],
        env=environment(),
        stdin=subprocess.DEVNULL,
        stdout=writing if closed else subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
    ) as process:
        os.close(writing)
        if not closed:
            os.close(reading)
        try:
            # Returns when nobody holds the other ends any more, so when all processes are gone.
            out, err = process.communicate(timeout=100)
        except subprocess.TimeoutExpired:
            os.killpg(process.pid, signal.SIGKILL)
            raise
    assert "Traceback" not in err
    assert "leaked" not in err
    assert "Exception" not in err
    junit = as_junit.read_text(encoding="utf-8") if as_junit.exists() else ""
    if command[0] in WITH_JUNIT:
        assert ElementTree.fromstring(junit).tag == "testsuites"
    return Ended(process.returncode, out or "", err, json.loads(as_json.read_text()), junit)


@each_command
def test_work_of_a_worker_that_is_killed_is_named_and_the_rest_goes_on(
    command: tuple[str, ...], tmp_path: Path
) -> None:
    # What is killed before it has told that it began would be done by another process.
    seen = ended(command, "worker.pipe.poll(None); worker.process.kill()", tmp_path)
    why = "its process was killed by SIGKILL"
    assert why in seen.out + seen.err
    assert why in json.dumps(seen.report)
    if command[0] in WITH_JUNIT:
        assert why in seen.junit
    assert seen.code == 3


@pytest.mark.parametrize("name", SIGNALS)
@each_command
def test_what_was_found_is_reported_when_a_signal_ends_it(
    command: tuple[str, ...], name: str, tmp_path: Path
) -> None:
    # To the command first, and then to the group with its workers, as `timeout` does it.
    action = f"os.kill(os.getpid(), signal.{name}); os.killpg(0, signal.{name})"
    seen = ended(command, action, tmp_path)
    assert seen.code == SIGNALS[name]
    assert seen.report["complete"] is False
    assert "interrupted" in (seen.out + seen.err).casefold()


@each_command
def test_reports_are_written_when_nobody_reads_the_output(
    command: tuple[str, ...], tmp_path: Path
) -> None:
    seen = ended(command, "", tmp_path, closed=True)
    assert (seen.code, _PROGRESS.sub("", seen.err)) == (141, "")
    assert isinstance(seen.report["complete"], bool)


def test_signals_that_are_ignored_stay_so() -> None:
    # As `nohup` leaves SIGHUP.
    script = """\
import os, signal, sys
from ipvs_est_checks.cli import group
from ipvs_est_checks.command import main
signal.signal(signal.SIGHUP, signal.SIG_IGN)
def run(arguments):
    os.kill(os.getpid(), signal.SIGHUP)
    return 0
group.run = run
sys.exit(main())
"""
    run = subprocess.run([sys.executable, "-c", script], env=environment(), check=False)
    assert run.returncode == 0


def test_a_second_signal_a_while_later_ends_the_report_too() -> None:
    script = """\
import os, signal, sys
from ipvs_est_checks.cli import group
from ipvs_est_checks.terminal import signals
from ipvs_est_checks.command import main
signals._SECONDS_OF_ONE = 0.0
for each in (signal.SIGTERM, signal.SIGINT):
    signal.signal(each, signal.SIG_DFL)
def run(arguments):
    try:
        os.kill(os.getpid(), signal.SIGTERM)
    except KeyboardInterrupt:
        print("reports")
        os.kill(os.getpid(), signal.SIGINT)
        print("has reported")
group.run = run
sys.exit(main())
"""
    run = subprocess.run(
        [sys.executable, "-c", script],
        env=environment(),
        capture_output=True,
        text=True,
        check=False,
    )
    assert (run.returncode, run.stdout, run.stderr) == (143, "reports\n", "")
