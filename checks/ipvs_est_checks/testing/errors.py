"""What a test fails with."""

from dataclasses import dataclass

from ipvs_est import Params
from ipvs_est.language.operation_json import operation_to_json
from ipvs_est.language.operations import Operation
from ipvs_est_checks.history.file import header_line, line_of
from ipvs_est_checks.history.geometry_text import geometry_text
from ipvs_est_checks.history.operation_words import in_words


@dataclass(frozen=True, slots=True)
class SubjectProblem:
    """Something that a subject does wrong."""

    id: str
    """A property of the catalogue, `subject.answer`, or a way to fail to answer."""
    sentence: str
    """What does not hold."""
    detail: str
    """What was found; one line, perhaps ''."""


class HistoryError(AssertionError):
    """A subject does something wrong in a history; its text is the report."""

    def __init__(
        self,
        problem: SubjectProblem,
        params: Params,
        operations: tuple[Operation, ...],
        revision: str,
    ) -> None:
        super().__init__("\n".join(_lines(problem, params, operations, revision)))
        self.problem = problem
        self.params = params
        self.operations = operations
        """The shortest history that was found."""
        self.revision = revision
        """Name of the revision that was asked beside the subject."""

    def __reduce__(
        self,
    ) -> tuple[type["HistoryError"], tuple[SubjectProblem, Params, tuple[Operation, ...], str]]:
        # Makes the error pass between processes.
        return HistoryError, (self.problem, self.params, self.operations, self.revision)


def history_lines(
    name: str, params: Params, operations: tuple[Operation, ...], revision: str
) -> list[str]:
    """A history as the lines of a file."""
    return [
        header_line(name, revision, params),
        *(line_of(operation_to_json(operation)) for operation in operations),
    ]


def _lines(
    problem: SubjectProblem, params: Params, operations: tuple[Operation, ...], revision: str
) -> list[str]:
    return [
        f"{problem.id}: {problem.sentence}",
        *([f"  {problem.detail}"] if problem.detail else []),
        f"  with {geometry_text(params)}",
        f"  in words: {'; '.join(map(in_words, operations))}",
        "  history, as an input of `ipvs-est oracle`:",
        *history_lines(problem.id, params, operations, revision),
    ]
