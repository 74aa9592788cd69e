"""The gate runs what the documents tell the reader to run."""

import re
from pathlib import Path

import pytest

CHECKOUT = Path(__file__).resolve().parents[2]

# A command of a virtual environment, whatever the environment is called.
STEP = re.compile(r"\.venv[\w-]*/bin/(?P<step>(?:pip install|python -m pytest)\b[^&|;\n]*)")


def install_and_test_steps(line: str) -> list[str]:
    """The `pip install` and `python -m pytest` commands of a text, in order, arguments included."""
    return [found["step"].strip() for found in STEP.finditer(line)]


def documented_test_steps(document: str) -> list[str]:
    """The steps of a document's test command: its only line that installs and runs pytest."""
    commands = [
        steps
        for steps in map(install_and_test_steps, document.splitlines())
        if any(step.startswith("pip install") for step in steps)
        and any(step.startswith("python -m pytest") for step in steps)
    ]
    assert len(commands) == 1, f"{len(commands)} test commands: {commands}"
    return commands[0]


def without_comments(script: str) -> str:
    """A shell script less the lines that are comments."""
    return "\n".join(line for line in script.splitlines() if not line.lstrip().startswith("#"))


@pytest.mark.parametrize("document", ["README.md", "CONTRIBUTING.md"])
def test_ci_installs_and_tests_as_documented(document: str) -> None:
    documented = documented_test_steps((CHECKOUT / document).read_text(encoding="utf-8"))
    script = (CHECKOUT / ".ci" / "run").read_text(encoding="utf-8")
    assert documented == ["pip install -q -e '.[dev]'", "python -m pytest -q -n auto"]
    assert install_and_test_steps(without_comments(script)) == documented


COMMAND = (
    "python3 -m venv .venv && .venv/bin/pip install -q -e '.[dev]' && .venv/bin/python -m pytest"
)


def test_steps_keep_their_arguments_but_not_the_environment() -> None:
    assert install_and_test_steps(f"{COMMAND} -q -n auto") == [
        "pip install -q -e '.[dev]'",
        "python -m pytest -q -n auto",
    ]


@pytest.mark.parametrize(
    "script",
    [
        ".venv-ci/bin/python -m pytest -q",
        ".venv-ci/bin/python -m pytest -q -n auto tests/project/test_layers.py",
        ".venv-ci/bin/python -m pytest -q -n auto -k quick",
        ".venv-ci/bin/python -m mypy",
        "# .venv-ci/bin/python -m pytest -q -n auto",
    ],
)
def test_other_invocation_is_a_difference(script: str) -> None:
    assert install_and_test_steps(without_comments(script)) != ["python -m pytest -q -n auto"]


@pytest.mark.parametrize("document", ["", "pytest", f"{COMMAND} -q\n{COMMAND} -q -n auto\n"])
def test_document_without_one_clear_test_command_is_refused(document: str) -> None:
    with pytest.raises(AssertionError, match="test commands"):
        documented_test_steps(document)
