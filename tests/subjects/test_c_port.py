"""The port in C, written from the contract: it reproduces what mainline's kernel did."""

import shutil
import subprocess
from pathlib import Path

import pytest

from command_line import CHECKOUT
from ipvs_est import MAINLINE, Params
from ipvs_est.answers.trace import lines_of
from ipvs_est.language.header import header_from_json
from ipvs_est.language.json_input import parse_object
from ipvs_est.language.operations import Advance, Operation, StartService, StartTotal
from ipvs_est.replay import Failed, Passed
from ipvs_est_checks.conformance.recordings import recordings
from ipvs_est_checks.history.monitor import run
from ipvs_est_checks.subjects.subject import begin, start_subject, stop_subject
from ipvs_est_checks.subjects.trace import NotTaken, OnSubject, Unanswered, replay_on
from ipvs_est_spec.catalogue import STATE_PROPERTIES

COMPILER = shutil.which("cc")
pytestmark = pytest.mark.skipif(COMPILER is None, reason="the port in C needs a C compiler, cc")
KERNEL = "7.3.4"
REPRODUCED = 56
"""Recordings of that kernel with no other operations than the port's."""


@pytest.fixture(scope="module")
def port(tmp_path_factory: pytest.TempPathFactory) -> Path:
    program = tmp_path_factory.mktemp("port") / "port"
    sources = sorted((CHECKOUT / "examples" / "c").glob("*.c"))
    strict = ("-std=gnu11", "-O1", "-g", "-Wall", "-Wextra", "-Werror")
    subprocess.run([str(COMPILER), *strict, "-o", program, *sources], check=True)
    return program


def replayed(program: str) -> list[OnSubject]:
    subject = start_subject(program)
    try:
        return [
            replay_on(subject, recording.name, lines)
            for recording in recordings()
            if header_from_json(
                parse_object((lines := lines_of(recording.name, recording.data))[0])
            ).kernel
            == KERNEL
        ]
    finally:
        stop_subject(subject)


def test_the_port_reproduces_every_recording_whose_operations_it_takes(port: Path) -> None:
    found = replayed(str(port))
    assert [
        on_subject for on_subject in found if not isinstance(on_subject, Passed | NotTaken)
    ] == []
    assert sum(isinstance(on_subject, Passed) for on_subject in found) == REPRODUCED


@pytest.mark.parametrize("mistake", ["count", "lost", "rate", "errno"])
def test_a_mistake_makes_recordings_differ(port: Path, mistake: str) -> None:
    assert any(isinstance(on_subject, Failed) for on_subject in replayed(f"'{port}' {mistake}"))


SMALL = Params(hz=300, nticks=5, chain_factor=2, est_cost_ns=11875)
THREE: tuple[Operation, ...] = (StartTotal(), StartService(1), StartService(2))


@pytest.mark.parametrize(
    ("mistake", "operations", "broken"),
    [
        ("none", (*THREE, Advance(600)), set()),
        ("count", THREE, {"limits.chain"}),
        ("lost", (THREE[0], THREE[2]), {"place.one-list"}),
    ],
)
def test_what_it_tells_of_its_state_is_judged(
    port: Path, mistake: str, operations: tuple[Operation, ...], broken: set[str]
) -> None:
    subject = start_subject(f"'{port}' {mistake}")
    try:
        seen = run(SMALL, MAINLINE, operations, lambda p, r: begin(subject, p, r))
    finally:
        stop_subject(subject)
    assert seen.failures.keys() >= broken
    assert bool(seen.failures) == bool(broken)
    judged = {prop.id for prop in STATE_PROPERTIES if seen.checks[prop.id]}
    # Neither who owns a stats object nor a cpulist is told.
    assert judged >= {"counts.chain-len", "bitmaps.full", "limits.tick", "place.one-list"}
    assert len(judged) >= 20


def test_a_crash_is_told_as_one(port: Path) -> None:
    subject = start_subject(f"'{port}' crash")
    (lines,) = [
        lines_of(recording.name, recording.data)
        for recording in recordings()
        if recording.name == "small-1000.jsonl"
    ]
    found = replay_on(subject, "x", lines)
    stop_subject(subject)
    assert isinstance(found, Unanswered)
    assert found.failure.detail == "killed by SIGABRT"
