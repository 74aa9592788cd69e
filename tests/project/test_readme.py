"""The README's transcripts and programs are run, and say what they are shown to say."""

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

CHECKOUT = Path(__file__).resolve().parents[2]
README = (CHECKOUT / "README.md").read_text(encoding="utf-8")


def blocks(language: str) -> list[str]:
    """The README's code blocks in that language."""
    return re.findall(rf"^```{language}\n(.*?)^```$", README, flags=re.MULTILINE | re.DOTALL)


def transcripts() -> list[tuple[str, str]]:
    """Each command of the console blocks with the output shown below it."""
    found: list[tuple[str, str]] = []
    for block in blocks("console"):
        for part in re.split(r"^\$ ", block, flags=re.MULTILINE)[1:]:
            command, _, output = part.partition("\n")
            found.append((command, output))
    return found


def run(command: list[str]) -> subprocess.CompletedProcess[str]:
    path = os.pathsep.join([str(Path(sys.executable).parent), os.environ["PATH"]])
    roots = os.pathsep.join(str(CHECKOUT / each) for each in ("refimpl", "spec", "checks"))
    environment = {**os.environ, "PATH": path, "PYTHONPATH": roots}
    return subprocess.run(
        command, cwd=CHECKOUT, env=environment, capture_output=True, text=True, check=False
    )


def test_the_readme_has_transcripts() -> None:
    assert len(transcripts()) == 4


@pytest.mark.parametrize(("command", "output"), transcripts())
def test_a_transcript_shows_what_its_command_prints(command: str, output: str) -> None:
    done = run(["bash", "-c", f"set -o pipefail; {command}"])
    assert done.stdout == output
    assert done.stderr == ""


def test_the_python_program_runs_as_shown() -> None:
    (program,) = blocks("python")
    done = run([sys.executable, "-c", program])
    assert done.stderr == ""
    # 10 connections in one revolution are 5 a second, of which the first average has 1/4,
    # and so on; 1.25 is rounded down.
    assert "counters=(10, 2000, 2000, 120000, 90000)" in done.stdout
    assert "rates=(1, 250, 250, 15000, 11250)" in done.stdout
    assert done.stdout.endswith("()\n")


def test_the_files_that_the_readme_links_exist() -> None:
    links = re.findall(r"\]\(([^)#]+)\)", README)
    assert len(links) == 10
    for link in links:
        assert (CHECKOUT / link).is_file(), link
