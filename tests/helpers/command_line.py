"""Running the `ipvs-est` command in tests, in a process of its own or in this one."""

import os
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import pytest

from ipvs_est_checks.command import main

CHECKOUT = Path(__file__).resolve().parents[2]
TRACES = Path(__file__).parents[1] / "data" / "traces"

# `-W error`: a warning, such as about a file left open, would fail the tests.
COMMAND = (sys.executable, "-W", "error", "-m", "ipvs_est_checks.command")


@dataclass(frozen=True, slots=True)
class Run:
    """What a command left."""

    code: int
    out: str
    err: str


def environment(**changes: str) -> dict[str, str]:
    """That of the tests with this checkout, without wishes about colours and buffers.

    An unbuffered Python would never leave output for its last flush.
    """
    roots = (str(CHECKOUT / root) for root in ("refimpl", "spec", "checks"))
    wishes = ("NO_COLOR", "PYTHONUNBUFFERED")
    kept = {name: value for name, value in os.environ.items() if name not in wishes}
    return {**kept, "PYTHONPATH": os.pathsep.join(roots), **changes}


def ipvs_est(*arguments: str | Path, **changes: str) -> Run:
    """Run the command as a process; `changes` are made to its environment."""
    return python(*COMMAND[1:], *arguments, **changes)


def piped(text: str, *arguments: str | Path) -> Run:
    """Run the command as a process with that standard input."""
    return _run([*COMMAND[1:], *arguments], environment(), text)


def python(*arguments: str | Path, **changes: str) -> Run:
    """Run an interpreter that finds the project."""
    return _run(arguments, environment(**changes), "")


def _run(arguments: Sequence[str | Path], environment: dict[str, str], text: str) -> Run:
    run = subprocess.run(
        [sys.executable, *arguments],
        env=environment,
        input=text,
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    return Run(run.returncode, run.stdout, run.stderr)


def here(capsys: pytest.CaptureFixture[str], *arguments: str | Path) -> Run:
    """Run the command in this process."""
    code = main([str(argument) for argument in arguments])
    captured = capsys.readouterr()
    return Run(code, captured.out, captured.err)
