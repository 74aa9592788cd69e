"""Recorded traces on subjects: reproduced, or the first difference, or why not."""

import json
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

import pytest

from command_line import environment
from ipvs_est.answers.trace import TraceError, lines_of
from ipvs_est.replay import Failed, Passed
from ipvs_est_checks.conformance.recordings import recordings
from ipvs_est_checks.history.subject_failure import FailureKind
from ipvs_est_checks.subjects.subject import Subject, start_subject, stop_subject
from ipvs_est_checks.subjects.trace import NotTaken, Unanswered, replay_on

ODD = Path(__file__).parents[1] / "helpers" / "faults" / "odd_subject.py"


@contextmanager
def odd(way: str, nth: int, monkeypatch: pytest.MonkeyPatch) -> Iterator[Subject]:
    monkeypatch.setenv("PYTHONPATH", environment()["PYTHONPATH"])
    subject = start_subject(f"'{sys.executable}' '{ODD}' {way} {nth}")
    try:
        yield subject
    finally:
        stop_subject(subject)


def recorded(name: str) -> list[str]:
    (found,) = [recording for recording in recordings() if recording.name == name]
    return lines_of(found.name, found.data)


@pytest.mark.parametrize("name", ["early-3003.jsonl", "exit-1003.jsonl", "small-1007.jsonl"])
def test_the_oracle_as_a_subject_reproduces_what_was_recorded(
    name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    lines = recorded(name)
    with odd("none", 0, monkeypatch) as subject:
        found = replay_on(subject, name, lines)
        again = replay_on(subject, name, lines)
    assert isinstance(found, Passed)
    assert found.operations == len(lines) - 1
    assert again == found


def test_a_wrong_answer_is_told_with_its_line_and_the_recorded_one(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    lines = recorded("small-1007.jsonl")
    with odd("errno", 2, monkeypatch) as subject:
        found = replay_on(subject, "x", lines)
    assert isinstance(found, Failed)
    assert found.line == 3
    recorded_result = json.loads(lines[2])["result"]
    assert (found.difference.path, found.difference.computed) == ("ret", -5)
    assert found.difference.recorded == recorded_result["ret"]


@pytest.mark.parametrize(
    ("way", "kind"),
    [
        ("signal", FailureKind.CRASH),
        ("text", FailureKind.NO_ANSWER),
    ],
)
def test_a_subject_that_fails_is_told_with_the_line_that_it_did_not_answer(
    way: str, kind: FailureKind, monkeypatch: pytest.MonkeyPatch
) -> None:
    with odd(way, 5, monkeypatch) as subject:
        found = replay_on(subject, "x", recorded("small-1007.jsonl"))
    assert isinstance(found, Unanswered)
    assert found.failure.kind is kind
    # Line 1 is the header, so the fifth operation stands in line 6.
    assert found.line == 6


def test_what_a_subject_does_not_take_is_not_asked(monkeypatch: pytest.MonkeyPatch) -> None:
    with odd("none", 0, monkeypatch) as subject:
        few = replace(subject.handshake, operations=frozenset({"tot", "svc"}))
        found = replay_on(replace(subject, handshake=few), "x", recorded("small-1007.jsonl"))
    assert isinstance(found, NotTaken)
    assert found.operation not in few.operations


def test_a_damaged_trace_is_named_by_line_and_field(monkeypatch: pytest.MonkeyPatch) -> None:
    lines = recorded("small-1007.jsonl")
    damaged = [*lines[:3], lines[3].replace('"op":', '"po":'), *lines[4:]]
    with odd("none", 0, monkeypatch) as subject, pytest.raises(TraceError, match=r"^x:4: "):
        replay_on(subject, "x", damaged)
