"""Subjects of tests: objects of Python, and programs."""

import weakref
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Protocol, runtime_checkable

from ipvs_est import OperationError, Oracle, Params, Revision, Snapshot, Violation, ViolationError
from ipvs_est.answers.results import Deadlocked, Dumped, Result, result_to_json
from ipvs_est.answers.state import State
from ipvs_est.language.events import Event
from ipvs_est.language.operations import OPERATIONS, Dump, Operation
from ipvs_est.oracle_process import GIVES
from ipvs_est_checks.history.subject_failure import FailureKind, SubjectError
from ipvs_est_checks.history.watchable import Watchable
from ipvs_est_checks.subjects.keeper import Keeper, running, stop
from ipvs_est_checks.subjects.subject import SECONDS, SubjectMachine, begin


class PythonSubject(Protocol):
    """The least that an object has to answer.

    It may also have `operations`, if it does not take all, and `snapshot`, `events` or
    `violations` (see the other protocols here): without them the properties that read those are
    not judged.
    """

    def apply(self, operation: Operation, /) -> Result:
        """Apply one operation; `OperationError` refuses it, any other exception is a crash."""
        ...

    def state(self) -> State:
        """The estimator state, as the operation `dump` tells it."""
        ...


@runtime_checkable
class TakesSome(Protocol):
    """A subject that is not asked all."""

    @property
    def operations(self) -> frozenset[str]:
        """Names of the operations that it takes, such as `svc`."""
        ...


@runtime_checkable
class GivesSnapshot(Protocol):
    """A subject that tells its complete state."""

    def snapshot(self) -> Snapshot:
        """The complete state of now."""
        ...


@runtime_checkable
class GivesEvents(Protocol):
    """A subject that tells what has happened."""

    @property
    def events(self) -> Sequence[Event]:
        """All so far, oldest first."""
        ...


@runtime_checkable
class GivesViolations(Protocol):
    """A subject that notices violations."""

    @property
    def violations(self) -> Sequence[Violation]:
        """All so far, oldest first."""
        ...


@dataclass(frozen=True, slots=True, weakref_slot=True)
class CommandSubject:
    """A program on standard input and output, or `unix:PATH`, a socket.

    It is started when it is first needed, kept alive from history to history, and ended with
    this object. Starting it raises OSError, and ValueError for a command that is none.
    """

    command: str
    seconds: float = SECONDS
    """For one answer."""
    _keeper: Keeper = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        keeper = Keeper(self.command, self.seconds)
        object.__setattr__(self, "_keeper", keeper)
        weakref.finalize(self, stop, keeper)


class MakesSubject(Protocol):
    """What makes an object of Python that is a machine with these parameters: its class."""

    def __call__(self, params: Params, /) -> PythonSubject:
        """Raises nothing."""
        ...


AnySubject = str | CommandSubject | MakesSubject
"""A command line or `unix:PATH`, a program that is kept, or what makes an object of Python."""


@dataclass(frozen=True, slots=True)
class StartedSubject:
    """A subject that is a new machine."""

    run: Watchable
    gives: Mapping[str, int]
    """Chapters of the contract beyond its minimum."""
    operations: frozenset[str]
    """Names of those that it takes."""


def as_subject(subject: AnySubject) -> CommandSubject | MakesSubject:
    """The same for ever: a command line becomes a program that is kept."""
    return CommandSubject(subject) if isinstance(subject, str) else subject


def start(
    subject: CommandSubject | MakesSubject,
    params: Params,
    revision: Revision,
) -> StartedSubject:
    """Make it a new machine; raises SubjectError, and RefusedError if it cannot be that one."""
    if isinstance(subject, CommandSubject):
        # The keeper belongs to it: this is the only other place that uses it.
        kept = running(subject._keeper)
        run = begin(kept, params, revision)
        return StartedSubject(run, kept.handshake.gives, kept.handshake.operations)
    try:
        made = subject(params)
    except Exception as error:
        # Whatever an object of somebody else raises, here and below, is a crash of the subject.
        raise _crash(error) from error
    names = frozenset(operation.op for operation in OPERATIONS)
    if isinstance(made, TakesSome):
        names &= made.operations
    if isinstance(made, Oracle):
        # It is watched as the checks do.
        return StartedSubject(made, GIVES, names)
    kinds = {
        "snapshot": GivesSnapshot,
        "events": GivesEvents,
        "violations": GivesViolations,
    }
    gives = {name: GIVES[name] for name, kind in kinds.items() if isinstance(made, kind)}
    return StartedSubject(PythonRun(made, _Recorder(params, made)), gives, names)


@dataclass(frozen=True, slots=True)
class _Recorder:
    """What is read of an object, as of the machine of an oracle."""

    params: Params
    subject: PythonSubject

    @property
    def events(self) -> list[Event] | None:
        return list(self.subject.events) if isinstance(self.subject, GivesEvents) else None


@dataclass(slots=True)
class PythonRun:
    """One history on an object of Python; has the methods of `Oracle`."""

    subject: PythonSubject
    recorder: _Recorder
    ended: str = ""

    @property
    def machine(self) -> SubjectMachine:
        """Its parameters, and what has happened."""
        return SubjectMachine(self.recorder.params, self.recorder.events)

    @property
    def violations(self) -> tuple[Violation, ...]:
        """All violations so far, in order."""
        found = self.subject
        return tuple(found.violations) if isinstance(found, GivesViolations) else ()

    def apply(self, operation: Operation) -> Result:
        """Apply one operation; raises OperationError, ViolationError, SubjectError."""
        try:
            if isinstance(operation, Dump):
                result: Result = Dumped(self.subject.state())
            else:
                result = self.subject.apply(operation)
        except OperationError:
            raise
        except ViolationError as error:
            self.ended = str(error)
            raise
        except Exception as error:
            self.ended = str(error)
            raise _crash(error) from error
        try:
            result_to_json(result)
        except Exception as error:
            self.ended = "no answer"
            detail = f"{type(result).__name__} is no result of {operation.op}"
            raise SubjectError(FailureKind.NO_ANSWER, detail) from error
        if isinstance(result, Deadlocked):
            self.ended = "deadlock"
        return result

    def snapshot(self) -> Snapshot:
        """The complete state of now. Raises SubjectError."""
        if not isinstance(self.subject, GivesSnapshot):
            raise SubjectError(FailureKind.NO_ANSWER, "the subject gives no snapshot")
        try:
            return self.subject.snapshot()
        except Exception as error:
            raise _crash(error) from error


def _crash(error: Exception) -> SubjectError:
    return SubjectError(FailureKind.CRASH, f"{type(error).__name__}: {error}")
