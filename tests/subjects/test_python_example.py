"""The example in Python, as its own page says to run it; and that its tests are able to fail."""

import subprocess
import sys
from pathlib import Path

import pytest

from command_line import CHECKOUT, environment

EXAMPLE = CHECKOUT / "examples" / "python"
MOST_LINES = 100


def run(folder: Path) -> subprocess.CompletedProcess[str]:
    # Its own settings, not those of this project.
    options = ["-q", "--rootdir", str(folder), "-c", "/dev/null", "-p", "no:cacheprovider"]
    return subprocess.run(
        [sys.executable, "-m", "pytest", *options, str(folder)],
        env=environment(),
        capture_output=True,
        text=True,
        cwd=folder,
    )


@pytest.fixture
def copy(tmp_path: Path) -> Path:
    for path in EXAMPLE.glob("*.py"):
        (tmp_path / path.name).write_bytes(path.read_bytes())
    return tmp_path


def test_the_example_passes(copy: Path) -> None:
    done = run(copy)
    assert done.stdout.splitlines()[-1].startswith("2 passed"), done.stdout


def test_a_mistake_is_found(copy: Path) -> None:
    port = copy / "port.py"
    text = port.read_text(encoding="utf-8")
    assert text.count("OSError(ERANGE") == 1
    port.write_text(text.replace("OSError(ERANGE", "OSError(EINVAL"), encoding="utf-8")
    done = run(copy)
    assert "ret: -22, not -34" in done.stdout


def test_it_is_short() -> None:
    assert len((EXAMPLE / "port.py").read_text(encoding="utf-8").splitlines()) <= MOST_LINES
