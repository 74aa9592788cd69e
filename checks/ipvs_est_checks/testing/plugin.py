"""The plugin of pytest: recorded traces and histories for the tests of a subject.

A test that takes `ipvs_trace` runs once for each recorded trace, one that takes `ipvs_history`
once for each history: those that failed before come first, then random ones. `ipvs_subject` is
what `--ipvs-subject` names, unless a conftest.py says otherwise. A test that a HistoryError ends
shows its lines and nothing else, and its history is kept.

pytest loads this in every project where the package is installed, so what it needs is imported
when a test uses it.
"""

from __future__ import annotations

import sys
from collections.abc import Generator
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from ipvs_est import Params, Revision
    from ipvs_est.language.operations import Operation
    from ipvs_est_checks.testing.errors import HistoryError
    from ipvs_est_checks.testing.subject import AnySubject

KEPT = "ipvs_est"
"""Name of the folder in pytest's cache."""
HISTORIES = 20
"""Random ones, unless the option says otherwise."""
RULES = 12
"""Of the state machine in each; one is one operation or some."""


@dataclass(frozen=True, slots=True)
class Trace:
    """A recorded trace, as `check_trace` takes it."""

    name: str
    lines: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class RandomHistory:
    """A history, as `check_history` takes it."""

    name: str
    params: Params
    operations: tuple[Operation, ...]


def pytest_addoption(parser: pytest.Parser) -> None:
    """The options of this plugin."""
    group = parser.getgroup("ipvs-est", "an implementation of the IPVS estimator")
    group.addoption(
        "--ipvs-subject", metavar="COMMAND", help="The program to test, or unix:PATH, a socket."
    )
    group.addoption(
        "--ipvs-compare",
        metavar="REVISION",
        default="mainline",
        help="Whose recordings and histories are taken.  [default: mainline]",
    )
    group.addoption(
        "--ipvs-traces",
        metavar="DIRECTORY",
        type=Path,
        help="Recorded traces, instead of those that the package holds.",
    )
    group.addoption(
        "--ipvs-histories",
        metavar="N",
        type=int,
        default=HISTORIES,
        help=f"Random histories for each test that takes one.  [default: {HISTORIES}]",
    )
    group.addoption("--ipvs-seed", metavar="N", type=int, default=1, help="Of these.  [default: 1]")


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """A test for each trace or history."""
    if "ipvs_trace" in metafunc.fixturenames:
        traces = _traces(metafunc.config)
        metafunc.parametrize("ipvs_trace", traces, ids=[trace.name for trace in traces])
    if "ipvs_history" in metafunc.fixturenames:
        histories = [*_kept(metafunc.config), *_random(metafunc.config)]
        metafunc.parametrize("ipvs_history", histories, ids=[history.name for history in histories])


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Histories that failed before are tried before all other tests."""
    items.sort(key=lambda item: "[kept-" not in item.name)


def pytest_report_header(config: pytest.Config) -> list[str]:
    """What the tests' histories depend on, if a subject is named."""
    subject = config.getoption("--ipvs-subject")
    if subject is None:
        return []
    compare, seed = config.getoption("--ipvs-compare"), config.getoption("--ipvs-seed")
    return [f"ipvs-est: subject {subject}, beside {compare}, histories of seed {seed}"]


@pytest.fixture(scope="session")
def ipvs_subject(request: pytest.FixtureRequest) -> AnySubject:
    """What `--ipvs-subject` names, started once; a project with an object of Python has a
    fixture of the same name that answers what makes it."""
    from ipvs_est_checks.testing.subject import CommandSubject

    command = request.config.getoption("--ipvs-subject")
    if command is None:
        pytest.fail("no subject: give --ipvs-subject COMMAND, or have a fixture ipvs_subject")
    return CommandSubject(str(command))


@pytest.fixture(scope="session")
def ipvs_compare(request: pytest.FixtureRequest) -> Revision:
    """The revision that `--ipvs-compare` names."""
    return _revision(request.config)


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(
    item: pytest.Item, call: pytest.CallInfo[None]
) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """The report of a history that fails is what pytest shows; the history is kept."""
    report = yield
    # Nobody has raised what was never imported.
    if call.excinfo is not None and "ipvs_est_checks.testing.errors" in sys.modules:
        from ipvs_est_checks.testing.errors import HistoryError

        error = call.excinfo.value
        if isinstance(error, HistoryError):
            report.longrepr = str(error)
            _keep(item.config, error)
    return report


def _keep(config: pytest.Config, error: HistoryError) -> None:
    from ipvs_est_checks.testing.errors import history_lines

    folder = _folder(config)
    if folder is None:
        return
    lines = history_lines(error.problem.id, error.params, error.operations, error.revision)
    text = "".join(f"{line}\n" for line in lines)
    name = f"{error.problem.id}-{sha256(text.encode()).hexdigest()[:8]}.jsonl"
    (folder / name).write_text(text, encoding="utf-8")


def _folder(config: pytest.Config) -> Path | None:
    """Where histories are kept; None if pytest was told to keep nothing."""
    cache: pytest.Cache | None = getattr(config, "cache", None)
    return None if cache is None else cache.mkdir(KEPT)


def _kept(config: pytest.Config) -> list[RandomHistory]:
    from ipvs_est.answers.trace import TraceError
    from ipvs_est_checks.history.file import read_history

    folder = _folder(config)
    if folder is None:
        return []
    found: list[RandomHistory] = []
    for file in sorted(folder.glob("*.jsonl")):
        try:
            history = read_history(file)
        except TraceError as error:
            raise pytest.UsageError(f"a history that was kept: {error}") from None
        name = f"kept-{file.stem}"
        found.append(RandomHistory(name, history.header.params, history.operations))
    return found


def _random(config: pytest.Config) -> list[RandomHistory]:
    from ipvs_est_checks.generate.histories import Wish, make_histories

    seed, count = config.getoption("--ipvs-seed"), config.getoption("--ipvs-histories")
    made = make_histories(Wish(_revision(config), seed, count, RULES))
    return [
        RandomHistory(f"seed{seed}-{number}", one_made.params, one_made.operations)
        for number, one_made in enumerate(made)
    ]


def _traces(config: pytest.Config) -> list[Trace]:
    from ipvs_est.answers.trace import TraceError, lines_of, read_lines
    from ipvs_est.language.header import find_revision
    from ipvs_est.language.json_input import parse_object
    from ipvs_est_checks.conformance.recordings import recordings

    folder: Path | None = config.getoption("--ipvs-traces")
    if folder is not None:
        files = sorted(folder.glob("*.jsonl"))
        if not files:
            raise pytest.UsageError(f"--ipvs-traces {folder}: holds no *.jsonl file")
        try:
            return [Trace(file.stem, tuple(read_lines(file))) for file in files]
        except TraceError as error:
            raise pytest.UsageError(str(error)) from None
    found: list[Trace] = []
    for recording in recordings():
        lines = tuple(lines_of(recording.name, recording.data))
        kernel = parse_object(lines[0])["kernel"]
        if find_revision(kernel, "kernel") is _revision(config):
            found.append(Trace(recording.name.removesuffix(".jsonl"), lines))
    return found


def _revision(config: pytest.Config) -> Revision:
    from ipvs_est import REVISIONS

    name = config.getoption("--ipvs-compare")
    if name not in REVISIONS:
        raise pytest.UsageError(f"--ipvs-compare {name}: no revision; {', '.join(REVISIONS)}")
    return REVISIONS[name]
