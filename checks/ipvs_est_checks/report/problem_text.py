"""A failure for a reader who knows the kernel's code: what, the history, the states."""

from collections.abc import Iterator

from ipvs_est_checks.report.changes import changes
from ipvs_est_checks.report.rows import Problem

_MOST_WORDS = 8
"""Operations that are told in words, which stand in one line."""


def problem_lines(problem: Problem) -> Iterator[str]:
    """A failure and its history, each operation with its words behind it."""
    yield f"{problem.property} on {problem.revision or 'every revision'}: {problem.detail}"
    yield from numbers_lines(problem)
    yield from history_lines(problem)
    yield from end_lines(problem)


def numbers_lines(problem: Problem) -> Iterator[str]:
    """With which numbers it fails, on which machine."""
    if problem.found:
        yield f"  found: {problem.found}"
    if problem.geometry:
        yield f"  with {problem.geometry}"


def history_lines(problem: Problem) -> Iterator[str]:
    """The history in words, then as it is: what begins a line with { can be given to the oracle."""
    if not problem.operations:
        return
    if problem.words:
        more = len(problem.words) - _MOST_WORDS
        rest = f"; and {more} more" if more > 0 else ""
        yield f"  in words: {'; '.join(problem.words[:_MOST_WORDS])}{rest}"
    if problem.header:
        yield "  history, as an input of `ipvs-est oracle`:"
        yield problem.header
        yield from problem.operations
    else:
        yield "  history:"
        yield from (f"    {operation}" for operation in problem.operations)


def end_lines(problem: Problem) -> Iterator[str]:
    """Where it fails, what changed there, how to see it again."""
    failure = problem.failure
    if failure is not None:
        where = (
            "after the quiet time" if failure.step < 0 else f"after operation {failure.step + 1}"
        )
        changed = list(changes(failure.before, failure.after))
        yield f"  it fails {where}{'; what changed in that step:' if changed else ''}"
        yield from (f"    {line}" for line in changed)
    if problem.command:
        yield f"  again: {problem.command}"
