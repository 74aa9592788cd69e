"""How a subject can fail to answer at all, as opposed to answering something wrong."""

from dataclasses import dataclass
from enum import Enum


class FailureKind(Enum):
    """What happened instead of an answer; the value is the id in reports."""

    CRASH = "subject.crash"
    SILENCE = "subject.silence"
    NO_ANSWER = "subject.no-answer"


SENTENCES = {
    FailureKind.CRASH.value: "The subject runs until its input ends.",
    FailureKind.SILENCE.value: "The subject answers each line within the time limit.",
    FailureKind.NO_ANSWER.value: "What the subject writes is an answer of the protocol.",
}
"""By id: what holds of a subject that does not fail."""


ANSWER = "subject.answer"
"""Id of what a comparison with a revision says."""
RECORDED = "subject.recordings"
"""Id of what the recordings say."""


@dataclass(frozen=True, slots=True)
class SubjectFailure:
    """One such failure; the subject cannot be asked any more."""

    kind: FailureKind
    detail: str
    """One line."""


class RefusedError(Exception):
    """A subject cannot be the machine that was asked for; the text is its reason."""


class SubjectError(Exception):
    """A subject has failed, or cannot be used at all."""

    def __init__(self, kind: FailureKind, detail: str) -> None:
        super().__init__(detail)
        self.failure = SubjectFailure(kind, detail)

    def __reduce__(self) -> tuple[type["SubjectError"], tuple[FailureKind, str]]:
        # Makes the error pass between processes.
        return SubjectError, (self.failure.kind, self.failure.detail)
