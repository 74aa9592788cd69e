"""Subjects that crash, fall silent, or say what is no answer: each by its own name, no hang."""

import random
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from itertools import islice
from pathlib import Path

import pytest

from command_line import environment
from ipvs_est import MAINLINE, OperationError, Params, ViolationError
from ipvs_est.answers.results import Returned
from ipvs_est.language.operations import AddService, Advance, InitNetns, Operation, Read
from ipvs_est_checks.history.monitor import run
from ipvs_est_checks.history.subject_failure import FailureKind, SubjectError, SubjectFailure
from ipvs_est_checks.history.watchable import absent_of
from ipvs_est_checks.subjects.channel import open_channel
from ipvs_est_checks.subjects.subject import (
    Handshake,
    Subject,
    SubjectMachine,
    SubjectRun,
    answers_to,
    begin,
    start_subject,
    stop_subject,
)

ODD = Path(__file__).parents[1] / "helpers" / "faults" / "odd_subject.py"
HISTORY: tuple[Operation, ...] = (InitNetns(), AddService(1), Advance(300), Read(1))
SMALL = Params(hz=100, nticks=5, chain_factor=3)


@contextmanager
def odd(
    way: str, nth: int, monkeypatch: pytest.MonkeyPatch, seconds: float = 20
) -> Iterator[Subject]:
    monkeypatch.setenv("PYTHONPATH", environment()["PYTHONPATH"])
    subject = start_subject(f"'{sys.executable}' '{ODD}' {way} {nth}", seconds)
    try:
        yield subject
    finally:
        stop_subject(subject)


def failed(subject: Subject) -> SubjectError:
    history = begin(subject, SMALL, MAINLINE)
    with pytest.raises(SubjectError) as caught:
        list(map(history.apply, HISTORY))
    with pytest.raises(OperationError):
        history.apply(HISTORY[0])
    return caught.value


@pytest.mark.parametrize(
    ("way", "kind", "detail"),
    [
        ("exit", FailureKind.CRASH, "exit code 7: this is said before the end"),
        ("signal", FailureKind.CRASH, "killed by SIGKILL"),
        ("half", FailureKind.CRASH, "exit code 0"),
        ("bytes", FailureKind.NO_ANSWER, "not UTF-8 at byte 1"),
        ("list", FailureKind.NO_ANSWER, "expected a JSON object: '[{"),
        ("no-result", FailureKind.NO_ANSWER, "result: missing"),
    ],
)
def test_each_way_to_fail_has_a_name_and_one_line(
    way: str, kind: FailureKind, detail: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    with odd(way, 3, monkeypatch) as subject:
        failure = failed(subject).failure
    assert failure.kind is kind
    assert failure.detail.startswith(detail)
    assert "\n" not in failure.detail


def test_text_that_is_no_json_is_shown(monkeypatch: pytest.MonkeyPatch) -> None:
    with odd("text", 2, monkeypatch) as subject:
        failure = failed(subject).failure
    assert failure.kind is FailureKind.NO_ANSWER
    assert "Segmentation fault?" in failure.detail


def test_silence_ends_with_the_time_limit(monkeypatch: pytest.MonkeyPatch) -> None:
    with odd("silence", 2, monkeypatch, seconds=3) as subject:
        failure = failed(subject).failure
    assert failure.kind is FailureKind.SILENCE
    assert failure.detail == "no answer within 3 s"


def test_another_protocol_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    with (
        pytest.raises(SubjectError, match="protocol: expected 1, found 99"),
        odd("handshake", 1, monkeypatch),
    ):
        pass


def test_what_cannot_be_started_is_an_os_error() -> None:
    with pytest.raises(OSError, match="No such file"):
        start_subject("/nonexistent/subject")
    with pytest.raises(OSError, match="No such file"):
        start_subject("unix:/nonexistent/socket")


def test_a_failure_is_a_failure_of_the_history(monkeypatch: pytest.MonkeyPatch) -> None:
    with odd("signal", 3, monkeypatch) as subject:
        seen = run(SMALL, MAINLINE, HISTORY, lambda p, r: begin(subject, p, r))
    # Its first operation was to tell the state before all others.
    assert seen.failures["subject.crash"].step == 1
    assert seen.operations == list(HISTORY[:2])


def test_the_oracle_as_a_subject_shows_what_the_oracle_shows(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    alone = run(SMALL, MAINLINE, HISTORY)
    with odd("none", 0, monkeypatch) as subject:
        seen = run(SMALL, MAINLINE, HISTORY, lambda p, r: begin(subject, p, r))
        again = run(SMALL, MAINLINE, HISTORY, lambda p, r: begin(subject, p, r))
    assert seen.checks == alone.checks
    assert seen.failures == alone.failures == {}
    assert seen.before == alone.before == again.before


def test_what_a_snapshot_lacks_is_not_judged_and_the_rest_is(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    alone = run(SMALL, MAINLINE, HISTORY)
    with odd("partial", 0, monkeypatch) as subject:
        seen = run(SMALL, MAINLINE, HISTORY, lambda p, r: begin(subject, p, r))
        assert absent_of(seen.oracle) == {"memory", "contexts.chain_len"}
    assert seen.failures == {}
    unjudged = alone.checks.keys() - seen.checks.keys()
    assert unjudged == {"counts.chain-len"}
    assert {id_: alone.checks[id_] for id_ in seen.checks} == seen.checks


def test_whoever_takes_no_more_answers_leaves_the_subject_in_step(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    dump: dict[str, object] = {"op": "dump"}
    lines: list[dict[str, object]] = [{"configure": {}}, {"op": "init"}, *[dump] * 900]
    with odd("none", 0, monkeypatch) as subject:
        for taken in (1, 600, len(lines)):
            answers = answers_to(subject, lines)
            assert "configured" in next(answers)
            assert sum(1 for _ in islice(answers, taken - 1)) == taken - 1
            # Behind the last one nothing is waited for.
            answers.close()
            assert not subject.failed
        assert begin(subject, SMALL, MAINLINE).apply(AddService(1)) == Returned(0)


def test_a_subject_that_fails_behind_the_last_answer_that_is_taken_is_asked_no_more(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    dump: dict[str, object] = {"op": "dump"}
    with odd("exit", 5, monkeypatch) as subject:
        answers = answers_to(subject, [{"configure": {}}, *[dump] * 9])
        next(answers)
        answers.close()
        assert subject.failed


# Answers that are damaged, all of one seed.

ANSWERS = (
    b'{"result":{"ret":0}}',
    b'{"result":{"ret":-12},"violations":[{"kind":"leak-at-exit","thing":"kd 0"}]}',
    b'{"violation":{"kind":"double-free","thing":"kd 1","where":"ip_vs_est_kthread_destroy"}}',
    b'{"error":{"type":"bad-input","field":"id","message":"there is none","line":3}}',
    b'{"result":{"ret":0},"events":[{"event":"started","jiffies":1000,"id":1}]}',
)
TOKENS = (
    b"null",
    b"[]",
    b"{}",
    b'"',
    b"-",
    b"1e9",
    b"\xff",
    b"\x00",
    b",",
    b":",
    b"true",
    b"9" * 60,
)
COUNT = 20_000


def damaged(rng: random.Random) -> bytes:
    data = bytearray(rng.choice(ANSWERS))
    for _ in range(rng.randint(1, 3)):
        at = rng.randrange(len(data) + 1)
        match rng.randrange(4):
            case 0:
                del data[at : at + rng.randint(1, 9)]
            case 1:
                data[at:at] = rng.choice(TOKENS)
            case 2:
                data[at : at + rng.randint(1, 5)] = rng.choice(TOKENS)
            case _:
                data[at:at] = data[: rng.randrange(len(data) + 1)]
    return bytes(data).replace(b"\n", b" ")


def test_damaged_answers_are_named_and_never_a_traceback() -> None:
    rng = random.Random(20)
    found = {"result": 0, "error": 0, "violation": 0}
    failures: list[SubjectFailure] = []
    # It takes every line and says nothing: what it "says" is put there by hand.
    channel = open_channel("sh -c 'cat > /dev/null'")
    subject = Subject(channel, Handshake(1, frozenset(), {}), 20)
    try:
        for _ in range(COUNT):
            channel.rest[:] = damaged(rng) + b"\n"
            history = SubjectRun(subject, SubjectMachine(SMALL, []))
            try:
                history.apply(InitNetns())
                found["result"] += 1
            except OperationError:
                found["error"] += 1
            except ViolationError:
                found["violation"] += 1
            except SubjectError as error:
                failures.append(error.failure)
    finally:
        stop_subject(subject)
    assert sum(found.values()) + len(failures) == COUNT
    assert len(failures) > COUNT // 2
    assert min(found.values()) > 0
    assert {failure.kind for failure in failures} == {FailureKind.NO_ANSWER}
    assert not any("\n" in failure.detail for failure in failures)
    assert max(len(failure.detail) for failure in failures) < 500
