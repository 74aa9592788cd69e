"""docs/explanation/proofs.md shows commands that exist and a program that runs."""

import os
import re
import subprocess
import sys
from pathlib import Path

import click
import pytest

from ipvs_est_checks.cli.group import cli, run
from ipvs_est_checks.proving.select import select

CHECKOUT = Path(__file__).resolve().parents[2]
TEXT = (CHECKOUT / "docs" / "explanation" / "proofs.md").read_text(encoding="utf-8")


def blocks(language: str) -> list[str]:
    return re.findall(rf"^```{language}\n(.*?)^```$", TEXT, flags=re.MULTILINE | re.DOTALL)


def commands() -> list[str]:
    lines = [line for block in blocks("sh") for line in block.splitlines()]
    return [line.partition("#")[0] for line in lines if line.startswith("ipvs-est ")]


def test_the_document_shows_commands() -> None:
    assert len(commands()) == 9


@pytest.mark.parametrize("command", commands())
def test_a_command_means_something(command: str) -> None:
    name, *arguments = (word.strip("'") for word in command.split()[1:])
    with click.Context(cli) as context:
        subcommand = cli.get_command(context, name)
        assert subcommand is not None
        words = subcommand.make_context(name, arguments).params["ids"]
    assert select(words)


def test_the_program_finds_every_script_answered_as_its_status_says(tmp_path: Path) -> None:
    assert run(["prove", "--smtlib", str(tmp_path / "scripts"), "rows.chain", "timer.hz"]) == 0
    (program,) = blocks("python")
    roots = os.pathsep.join(str(CHECKOUT / name) for name in ("refimpl", "spec", "checks"))
    done = subprocess.run(
        [sys.executable, "-c", program],
        cwd=tmp_path,
        env={**os.environ, "PYTHONPATH": roots},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.stderr == ""
    lines = done.stdout.splitlines()
    assert len(lines) == len(list((tmp_path / "scripts").iterdir())) >= 6
    assert all(line.endswith(" True") for line in lines)
    assert any(" sat " in line for line in lines)


def test_files_that_the_document_names_exist() -> None:
    names = set(re.findall(r"\btests/\w+/test_\w+\.py\b", TEXT))
    assert names
    assert [name for name in names if not (CHECKOUT / name).is_file()] == []
