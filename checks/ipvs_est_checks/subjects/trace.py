"""Replaying a trace on a subject: does it answer what was recorded?"""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from ipvs_est.answers.results import Deadlocked, result_from_json, result_to_json
from ipvs_est.answers.trace import TraceError
from ipvs_est.language.difference import Difference, first_difference
from ipvs_est.language.header import Header, header_from_json, params_to_json
from ipvs_est.language.input_error import InputError
from ipvs_est.language.json_input import check_unique_keys, parse_object
from ipvs_est.language.operation_json import operation_from_json, operation_to_json
from ipvs_est.language.operations import Operation
from ipvs_est.language.revision import Revision
from ipvs_est.replay import Failed, Passed
from ipvs_est_checks.history.subject_failure import SubjectError, SubjectFailure
from ipvs_est_checks.subjects.subject import Subject, answers_to

# Any in this file: parsed JSON of a trace; the codecs check it.


@dataclass(frozen=True, slots=True)
class Unanswered:
    """The subject failed on the way."""

    file: str
    header: Header
    line: int
    """Line of the trace whose operation was not answered, from 1; 1: its header."""
    failure: SubjectFailure


@dataclass(frozen=True, slots=True)
class NotTaken:
    """The trace has an operation that the subject does not take."""

    file: str
    header: Header
    operation: str


@dataclass(frozen=True, slots=True)
class Refused:
    """The subject does not take the trace's parameters."""

    file: str
    header: Header
    message: str
    """The subject's reason, or '' if it gave none."""


OnSubject = Passed | Failed | Unanswered | NotTaken | Refused
"""What became of a trace."""


def replay_on(
    subject: Subject, file: str, lines: Sequence[str], override: Revision | None = None
) -> OnSubject:
    """Replay the lines of a trace, for `override` instead of its own kernel's revision if given.

    While an answer is compared, the subject goes on. Raises TraceError for a malformed trace.
    """
    header, steps = _steps(file, lines, override)
    for operation, _ in steps:
        if operation.op not in subject.handshake.operations:
            return NotTaken(file, header, operation.op)
    configure = {"revision": header.revision.name, "params": params_to_json(header.params)}
    asked: list[dict[str, object]] = [
        {"configure": configure},
        *(operation_to_json(operation) for operation, _ in steps),
    ]
    answers = answers_to(subject, asked)
    line = 0
    try:
        for line, answer in enumerate(answers, 1):
            if line == 1:
                if "configured" not in answer:
                    return Refused(file, header, _reason(answer))
                continue
            found = _compared(*steps[line - 2], answer)
            if found is not None:
                operation = steps[line - 2][0]
                return Failed(file, header, line - 1, line, operation, found, ())
    except SubjectError as error:
        return Unanswered(file, header, line + 1, error.failure)
    finally:
        answers.close()
    return Passed(file, header, len(steps), ())


def _steps(
    file: str, lines: Sequence[str], override: Revision | None
) -> tuple[Header, list[tuple[Operation, dict[str, Any]]]]:
    number = 1
    try:
        value = parse_object(lines[0])
        check_unique_keys(lines[0])
        header = header_from_json(value, override)
        steps = []
        for text in lines[1:]:
            number += 1
            value = parse_object(text)
            check_unique_keys(text)
            operation = operation_from_json(value, extra=1)
            if "result" not in value:
                raise InputError("result", "missing")
            steps.append((operation, value["result"]))
    except InputError as error:
        raise TraceError(file, number, error) from None
    return header, steps


def _compared(
    operation: Operation, recorded: dict[str, Any], answer: dict[str, Any]
) -> Difference | None:
    if "violation" in answer:
        return first_difference(recorded, {"violation": answer["violation"]})
    if "error" in answer:
        return Difference("", recorded, f"no result: {json.dumps(answer['error'])}")
    result = answer.get("result")
    difference = first_difference(recorded, result)
    if difference is None:
        return None
    # What is no result at all is told as such, and by field.
    try:
        computed = result_from_json(operation, result)
    except InputError as error:
        return Difference(error.field, recorded, f"no result: {error.message}")
    if isinstance(computed, Deadlocked):
        return Difference("", recorded, result_to_json(computed))
    return difference


def _reason(answer: dict[str, Any]) -> str:
    error = answer.get("error")
    return str(error.get("message", "")) if isinstance(error, dict) else ""
