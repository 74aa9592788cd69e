"""A project outside of this one, with the wheel: the plugin, the API, and its types."""

import os
import subprocess
import sys
import venv
from pathlib import Path

import pytest

from command_line import CHECKOUT

CONFTEST = """
import pytest

from port import Port


@pytest.fixture
def ipvs_subject() -> type[Port]:
    return Port
"""
PORT = """
from dataclasses import replace

from ipvs_est import MAINLINE, Oracle, Params
from ipvs_est.answers.results import ReadObject, Result
from ipvs_est.answers.state import State
from ipvs_est.language.operations import Operation


class Port:
    def __init__(self, params: Params) -> None:
        self.model = Oracle(params, MAINLINE)

    def apply(self, operation: Operation) -> Result:
        return self.model.apply(operation)

    def state(self) -> State:
        return self.model.state()


class Doubled(Port):
    def apply(self, operation: Operation) -> Result:
        result = super().apply(operation)
        if isinstance(result, ReadObject):
            rates = result.reading.rates
            doubled = replace(result.reading, rates=rates._replace(outbps=2 * rates.outbps))
            return replace(result, reading=doubled)
        return result
"""
TESTS = """
from typing import assert_type

from hypothesis import given, settings
from hypothesis.strategies import SearchStrategy

from ipvs_est import MAINLINE, Params, Revision
from ipvs_est.language.operations import Operation
from ipvs_est_checks.explore.scenarios.scenario import Scenario
from ipvs_est_checks.testing import (
    AnySubject,
    Explored,
    Judged,
    NetnsMachine,
    ScheduleRun,
    check_history,
    check_trace,
    cpulists,
    explore,
    histories,
    operations,
    run_schedule,
    scenarios,
)
from ipvs_est_checks.testing.plugin import RandomHistory, Trace
from port import Doubled, Port


def test_recorded(ipvs_subject: AnySubject, ipvs_trace: Trace) -> None:
    check_trace(ipvs_subject, ipvs_trace.lines)


def test_random(ipvs_subject: AnySubject, ipvs_history: RandomHistory) -> None:
    check_history(ipvs_subject, ipvs_history.operations, params=ipvs_history.params)


def test_doubled(ipvs_history: RandomHistory) -> None:
    check_history(Doubled, ipvs_history.operations, params=ipvs_history.params)


def test_compare(ipvs_compare: Revision) -> None:
    assert ipvs_compare is MAINLINE


class PortMachine(NetnsMachine):
    subject = Port


TestPort = PortMachine.TestCase
TestPort.settings = settings(max_examples=3, stateful_step_count=3, deadline=None)


@settings(max_examples=3, deadline=None)
@given(histories(Params(), max_size=6))
def test_histories(made: tuple[Operation, ...]) -> None:
    check_history(Port, made)


def types() -> None:
    assert_type(check_history(Port, []), Judged)
    assert_type(explore("exit-and-sysctl"), Explored)
    assert_type(run_schedule("token"), ScheduleRun)
    assert_type(operations(), SearchStrategy[Operation])
    assert_type(histories(Params()), SearchStrategy[tuple[Operation, ...]])
    assert_type(cpulists(4), SearchStrategy[str])
    assert_type(scenarios(), SearchStrategy[Scenario])
    assert_type(check_history(Port, []).known.get("limits.chain"), str | None)
"""
WRONG = """
from ipvs_est_checks.testing import check_history

check_history(3, [])
"""


@pytest.fixture(scope="module")
def python(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A Python that has the wheel, and of this one's packages all others."""
    folder = tmp_path_factory.mktemp("installed")
    pip = [sys.executable, "-m", "pip", "--disable-pip-version-check", "--quiet"]
    wheel = [*pip, "wheel", "--no-deps", "--no-build-isolation", "--no-index"]
    subprocess.run([*wheel, "--wheel-dir", folder, CHECKOUT], check=True)
    venv.create(folder / "venv", with_pip=False)
    (site,) = (folder / "venv").glob("lib/python*/site-packages")
    (file,) = folder.glob("*.whl")
    install: list[str | Path] = [*pip, "install", "--no-deps", "--no-index", "--target", site, file]
    subprocess.run(install, check=True)
    # A folder that is named this way brings no editable install along.
    others = [name for name in sys.path if name.endswith("site-packages")]
    (site / "others.pth").write_text("\n".join(others), encoding="utf-8")
    return folder / "venv" / "bin" / "python"


@pytest.fixture
def project(tmp_path: Path) -> Path:
    for name, text in (("conftest", CONFTEST), ("port", PORT), ("test_port", TESTS)):
        (tmp_path / f"{name}.py").write_text(text, encoding="utf-8")
    # pytest looks upwards for a project's root, and keeps its cache there: none of another's.
    (tmp_path / "pytest.ini").write_text("[pytest]\n", encoding="utf-8")
    traces = tmp_path / "traces"
    traces.mkdir()
    for name in ("small-1010", "exit-1003"):
        source = CHECKOUT / "tests" / "data" / "traces" / f"{name}.jsonl"
        (traces / source.name).write_bytes(source.read_bytes())
    return tmp_path


def run(python: Path, project: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    variables = {name: os.environ[name] for name in ("PATH", "HOME", "LANG") if name in os.environ}
    return subprocess.run(
        [str(python), *arguments], cwd=project, env=variables, capture_output=True, text=True
    )


def test_the_plugin_in_a_project_outside(python: Path, project: Path) -> None:
    options = ("-m", "pytest", "-q", "--ipvs-histories", "4", "--ipvs-traces", "traces")
    done = run(python, project, *options, "-k", "not doubled")
    # 2 traces, 4 histories, the fixture, the machine, the strategy.
    assert done.stdout.splitlines()[-1].startswith("9 passed"), done.stdout
    done = run(python, project, *options, "-k", "doubled")
    assert done.returncode == 1
    assert "subject.answer: The subject answers what mainline answers." in done.stdout
    assert '{"op":"read","id":1}' in done.stdout
    # What is told is the history, not the library's own lines.
    assert "Traceback" not in done.stdout
    assert "judging" not in done.stdout
    kept = sorted((project / ".pytest_cache" / "d" / "ipvs_est").iterdir())
    assert kept
    done = run(python, project, *options, "-x", "-k", "random or doubled")
    failed = [line for line in done.stdout.splitlines() if line.startswith("FAILED")]
    (first,) = failed
    assert first.startswith(f"FAILED test_port.py::test_doubled[kept-{kept[0].stem}]")


def test_types_are_seen_from_outside(python: Path, project: Path) -> None:
    strict = ("--strict", "--python-executable", str(python), "--cache-dir", ".mypy")
    files = ("conftest.py", "port.py", "test_port.py")
    done = run(Path(sys.executable), project, "-m", "mypy", *strict, *files)
    assert done.stdout == "Success: no issues found in 3 source files\n"
    (project / "wrong.py").write_text(WRONG, encoding="utf-8")
    done = run(Path(sys.executable), project, "-m", "mypy", *strict, "wrong.py")
    assert 'Argument 1 to "check_history" has incompatible type "int"' in done.stdout
