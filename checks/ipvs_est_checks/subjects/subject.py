"""A subject: a program that answers the oracle's protocol, used as the oracle itself is used.

The contract is SCHEMA.md. A subject is kept alive from history to history: a configuration
line gives it a new machine.
"""

import json
from collections.abc import Callable, Generator, Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any, Literal

from ipvs_est import OperationError, Params, Revision, Snapshot, Violation, ViolationError
from ipvs_est.answers.results import Deadlocked, Result, result_from_json
from ipvs_est.answers.snapshot import snapshot_from_json
from ipvs_est.language.event_json import event_from_json
from ipvs_est.language.events import Event
from ipvs_est.language.header import params_to_json
from ipvs_est.language.input_error import InputError, join
from ipvs_est.language.json_input import check_unique_keys, parse_object, type_name
from ipvs_est.language.operation_json import operation_to_json
from ipvs_est.language.operations import Operation
from ipvs_est.language.violations import from_json as violation_from_json
from ipvs_est.oracle_process import PROTOCOL
from ipvs_est_checks.history.subject_failure import FailureKind, RefusedError, SubjectError
from ipvs_est_checks.partly_known.partial import Partial, partial_from_json
from ipvs_est_checks.subjects.channel import Channel, close, exchange, open_channel

SECONDS = 10.0
"""For one answer, unless the user says otherwise."""
_TOGETHER = 256
"""Lines handed over at once: enough that waiting does not count, few enough to be waited for when
no more answers are wanted."""
_ENCODE = json.JSONEncoder(separators=(",", ":")).encode
SCHEDULES = "schedules"
"""The chapter of the contract about scheduling points."""
SCHEDULES_VERSIONS = (1, 2)
"""That are understood."""
_SHOWN = 120
"""Characters of a line that is shown."""

# Any in this file: parsed JSON of a subject; whoever takes a value out checks its type.


@dataclass(frozen=True, slots=True)
class Handshake:
    """What a subject says of itself first."""

    protocol: int
    operations: frozenset[str]
    """Names of those that it takes."""
    gives: dict[str, int]
    """Chapters of the contract beyond its minimum, with their versions."""


@dataclass(slots=True)
class Subject:
    """A subject that has been started."""

    channel: Channel
    handshake: Handshake
    seconds: float
    failed: bool = False
    """It cannot be asked any more."""


def start_subject(name: str, seconds: float = SECONDS) -> Subject:
    """Start a command or connect to `unix:PATH`, and read the handshake.

    Raises OSError and ValueError if it cannot be started, SubjectError if what it says first
    is no handshake of a protocol that is spoken here.
    """
    channel = open_channel(name)
    try:
        (said,) = exchange(channel, [(b"", 1)], seconds)
        return Subject(channel, _handshake(_object(said)), seconds)
    except BaseException:
        close(channel, at_once=True)
        raise


def stop_subject(subject: Subject) -> None:
    """End it."""
    close(subject.channel, at_once=subject.failed)


def answers_to(
    subject: Subject, lines: Sequence[dict[str, object]]
) -> Generator[dict[str, Any], None, None]:
    """The answers to some lines, as they come, up to the first failure.

    The subject goes on while an answer is looked at. Raises SubjectError where the subject fails;
    what it had answered before comes first. Whoever takes not all of them has to close it.
    """
    found = exchange(subject.channel, _texts(lines), subject.seconds)
    try:
        for line in found:
            yield _object(line)
    except SubjectError:
        subject.failed = True
        raise
    finally:
        try:
            found.close()
        except SubjectError:
            # What it was asked beyond is of no use to anybody, but it cannot be asked any more.
            subject.failed = True


def _texts(lines: Sequence[dict[str, object]]) -> Iterator[tuple[bytes, int]]:
    for start in range(0, len(lines), _TOGETHER):
        some = lines[start : start + _TOGETHER]
        text = "".join([_ENCODE(line) + "\n" for line in some])
        yield text.encode(), len(some)


def asking(subject: Subject) -> Callable[[dict[str, object]], dict[str, Any]]:
    """What asks it one line. Raises SubjectError."""

    def asked(line: dict[str, object]) -> dict[str, Any]:
        (answer,) = answers_to(subject, [line])
        return answer

    return asked


@dataclass(slots=True)
class SubjectMachine:
    """The machine of a subject, as far as it is known here."""

    params: Params
    events: list[Event] | None = None


@dataclass(slots=True)
class SubjectRun:
    """One history on a subject; has the methods of `Oracle`."""

    subject: Subject
    machine: SubjectMachine
    reported: list[Violation] = field(default_factory=list)
    ended: str = ""
    _snapshot: Snapshot | None = None
    _known: Snapshot | None = None
    """The last state that was told."""
    _absent: frozenset[str] = frozenset()

    @property
    def violations(self) -> tuple[Violation, ...]:
        """All violations so far, in order."""
        return tuple(self.reported)

    @property
    def absent(self) -> frozenset[str]:
        """What the snapshots so far did not hold; see `history.watchable`."""
        return self._absent

    def apply(self, operation: Operation) -> Result:
        """Apply one operation; raises OperationError, ViolationError, SubjectError."""
        if self.ended:
            raise OperationError("cannot-answer", "", f"the history has ended: {self.ended}")
        try:
            return self._taken(operation, self._ask(operation_to_json(operation)))
        except SubjectError as error:
            self.ended = str(error)
            raise

    def snapshot(self) -> Snapshot:
        """The state of now, complete but for what is `absent`. Raises SubjectError."""
        if self._snapshot is None:
            if self.ended and self._known is not None:
                # Where nothing defined follows, a program may have no state any more.
                return self._known
            answer = self._ask({"op": "snapshot"})
            try:
                self._snapshot = self._told_snapshot(answer.get("result"))
            except InputError as error:
                raise _no_answer(f"result.{error.field}", error.message) from None
        return self._snapshot

    def _told_snapshot(self, value: object, where: str = "") -> Snapshot:
        if not self._absent:
            # Most tell all, which is quicker to read.
            with suppress(InputError):
                return snapshot_from_json(value)
        if not isinstance(value, dict):
            raise InputError(where, f"expected an object, found {type_name(value)}")
        try:
            partial: Partial = partial_from_json(value, self.machine.params)
        except InputError as error:
            raise InputError(join(where, error.field), error.message) from None
        self._absent |= partial.absent
        return partial.snapshot

    def _ask(self, line: dict[str, object]) -> dict[str, Any]:
        return asking(self.subject)(line)

    def _taken(self, operation: Operation, answer: dict[str, Any]) -> Result:
        try:
            if "error" in answer:
                raise _operation_error(answer["error"])
            self._note(answer)
            if "violation" in answer:
                violation = violation_from_json(answer["violation"], "violation")
                self.reported.append(violation)
                error = ViolationError(violation)
                self.ended = str(error)
                raise error
            if "result" not in answer:
                raise InputError("result", "missing")
            result = result_from_json(operation, answer["result"])
        except InputError as error:
            raise _no_answer(error.field, error.message) from None
        if isinstance(result, Deadlocked):
            self.ended = "deadlock"
        return result

    def _note(self, answer: dict[str, Any]) -> None:
        """What the answer tells besides the result."""
        self._known = self._snapshot or self._known
        self._snapshot = None
        for index, value in enumerate(_list(answer, "violations")):
            self.reported.append(violation_from_json(value, f"violations[{index}]"))
        if self.machine.events is not None:
            for index, value in enumerate(_list(answer, "events")):
                self.machine.events.append(event_from_json(value, f"events[{index}]"))
        if "snapshot" in answer:
            self._snapshot = self._told_snapshot(answer["snapshot"], "snapshot")


WATCHED = ("snapshot", "events")
"""Chapters of the contract that are told with each answer, if they are watched."""


def begin(
    subject: Subject, params: Params, revision: Revision, watched: Sequence[str] = WATCHED
) -> SubjectRun:
    """Give the subject a new machine, of which that is watched what it gives.

    Raises SubjectError, and RefusedError if it cannot be it.
    """
    watch = [name for name in watched if name in subject.handshake.gives]
    configure: dict[str, object] = {"revision": revision.name, "params": params_to_json(params)}
    if watch:
        configure["watch"] = watch
    machine = SubjectMachine(params, [] if "events" in watch else None)
    (answer,) = answers_to(subject, [{"configure": configure}])
    if isinstance(error := answer.get("error"), dict):
        raise RefusedError(f"{error.get('field', '')}: {error.get('message', '')}")
    if "configured" not in answer:
        subject.failed = True
        raise _no_answer("configured", "missing")
    return SubjectRun(subject, machine)


def _handshake(value: dict[str, Any]) -> Handshake:
    protocol = value.get("protocol")
    if protocol != PROTOCOL or type(protocol) is not int:
        raise _no_answer("protocol", f"expected {PROTOCOL}, found {str(protocol)[:40]}")
    operations = value.get("operations")
    if not isinstance(operations, list) or not all(
        isinstance(operation, str) for operation in operations
    ):
        raise _no_answer("operations", "expected a list of names")
    gives = value.get("gives", {})
    if not isinstance(gives, dict) or not all(type(entry) is int for entry in gives.values()):
        raise _no_answer("gives", "expected an object of versions")
    return Handshake(protocol, frozenset(operations), gives)


def _object(line: bytes) -> dict[str, Any]:
    try:
        text = line.decode()
        value = parse_object(text)
        check_unique_keys(text)
    except UnicodeDecodeError as error:
        raise _no_answer("", f"not UTF-8 at byte {error.start + 1}") from None
    except InputError as error:
        shown = ascii(line[:_SHOWN].decode(errors="replace"))
        raise _no_answer(error.field, f"{error.message}: {shown}") from None
    return value


def _list(answer: dict[str, Any], name: str) -> Sequence[object]:
    value = answer.get(name, [])
    if not isinstance(value, list):
        raise InputError(name, f"expected a list, found {type_name(value)}")
    return value


def _operation_error(value: object) -> Exception:
    if not isinstance(value, dict):
        raise InputError("error", f"expected an object, found {type_name(value)}")
    reason: Literal["bad-input", "cannot-answer"]
    match value.get("type"):
        case "bad-input":
            reason = "bad-input"
        case "cannot-answer":
            reason = "cannot-answer"
        case _:
            raise InputError("error.type", "expected bad-input or cannot-answer")
    where, message = (str(value.get(name, "")) for name in ("field", "message"))
    return OperationError(reason, where, message)


def _no_answer(where: str, message: str) -> SubjectError:
    return SubjectError(FailureKind.NO_ANSWER, f"{where}: {message}" if where else message)
