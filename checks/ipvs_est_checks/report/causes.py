"""What is wrong: the failures of all engines by their causes, the shortest history of each first.

One mistake breaks many properties, in many histories, on many revisions. The shortest history is
run again under all properties; whatever else fails in it is taken for the same cause, on a
revision on which it fails there too. What is left has another cause, and so on. What has no
history (searches of schedules, mutants, theorems) is told behind, one entry for each kind.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from ipvs_est import REVISIONS
from ipvs_est.language.header import header_from_json
from ipvs_est.language.json_input import parse_object
from ipvs_est.language.operation_json import operation_from_json
from ipvs_est_checks.history.monitor import run
from ipvs_est_checks.report.problem_text import end_lines, history_lines, numbers_lines
from ipvs_est_checks.report.rows import Problem, Row
from ipvs_est_checks.report.verdict import Verdict
from ipvs_est_spec.catalogue import PROPERTIES

_SENTENCES = {prop.id: prop.sentence for prop in PROPERTIES}
_MOST_NAMED = 6


@dataclass(frozen=True, slots=True)
class SharedCause:
    """One thing that is wrong."""

    title: str
    problem: Problem
    """With the shortest history."""
    properties: tuple[str, ...]
    """That fail for this cause, the problem's own first."""
    revisions: tuple[str, ...]
    """On which; () = it is not about revisions."""
    problems: int
    """That were taken for it, this one included."""


def causes(rows: Sequence[Row]) -> tuple[SharedCause, ...]:
    """The causes of all failures: broken properties, recordings, what does not show any more,
    then the rest."""
    failed = [
        (row, problem) for row in rows if row.verdict is Verdict.FAIL for problem in row.problems
    ]
    broken = [problem for _, problem in failed if _is_history(problem)]
    found = list(_by_history(sorted(broken, key=_length)))
    explained = {id_ for shared_cause in found for id_ in shared_cause.properties}
    rest = [
        (row, problem)
        for row, problem in failed
        if not _is_history(problem)
        # The same property, found broken in another way.
        and not (
            problem.property in _SENTENCES and problem.property in explained and not problem.header
        )
    ]
    found += _by_kind(rest)
    return tuple(found)


def _is_history(problem: Problem) -> bool:
    """One that breaks a property, and can be run again."""
    return bool(problem.header and problem.failure)


def _length(problem: Problem) -> tuple[bool, int, str, str]:
    # One without a history is not the shortest.
    number = len(problem.operations)
    return not number, number, problem.property, problem.revision


def _by_history(problems: list[Problem]) -> Iterator[SharedCause]:
    left = problems
    while left:
        first = left[0]
        breaks = _again(first)
        same = [
            problem
            for problem in left
            if problem is first or problem.property in breaks(problem.revision)
        ]
        properties = dict.fromkeys(problem.property for problem in same)
        yield SharedCause(
            _SENTENCES.get(first.property, first.detail),
            first,
            tuple(properties),
            tuple(dict.fromkeys(problem.revision for problem in same)),
            len(same),
        )
        left = [problem for problem in left if problem not in same]


def _again(problem: Problem) -> Callable[[str], frozenset[str]]:
    """Which properties the problem's history breaks, by revision."""
    params = header_from_json(parse_object(problem.header)).params
    operations = tuple(
        operation_from_json(parse_object(operation)) for operation in problem.operations
    )
    seen: dict[str, frozenset[str]] = {}

    def breaks(revision: str) -> frozenset[str]:
        if revision not in seen:
            seen[revision] = frozenset(run(params, REVISIONS[revision], operations).failures)
        return seen[revision]

    return breaks


def _by_kind(failed: Sequence[tuple[Row, Problem]]) -> Iterator[SharedCause]:
    """One entry for each property that fails in schedules alone, and one for all recordings, one
    for all mutants, and so on."""
    groups: dict[tuple[str, ...], list[tuple[Row, Problem]]] = {}
    for row, problem in failed:
        kind = problem.property if problem.property in _SENTENCES else row.how
        if problem.header and problem.failure is None:
            kind = row.id
        key: tuple[str, ...] = (kind,)
        if problem.revision and problem.revision not in REVISIONS:
            # Each subject has causes of its own.
            key = (kind, problem.revision)
        groups.setdefault(key, []).append((row, problem))
    for (kind, *_), group in _alike(groups).items():
        row, first = min(group, key=lambda pair: _length(pair[1]))
        names = tuple(dict.fromkeys(problem.property for _, problem in group))
        title = _SENTENCES.get(kind, row.sentence)
        revisions = tuple(
            dict.fromkeys(problem.revision for _, problem in group if problem.revision)
        )
        yield SharedCause(title, first, names, revisions, len(group))


_Groups = Mapping[tuple[str, ...], list[tuple[Row, Problem]]]


def _alike(groups: _Groups) -> _Groups:
    """The same with those of several subjects in one where all that is told is word for word
    alike."""
    found: dict[tuple[str, ...], list[tuple[Row, Problem]]] = {}
    by_words: dict[tuple[object, ...], tuple[str, ...]] = {}
    for key, group in groups.items():
        words = (
            key[0],
            *((problem.detail, problem.header, problem.operations) for _, problem in group),
        )
        found.setdefault(by_words.setdefault(words, key), []).extend(group)
    return found


def cause_lines(cause: SharedCause, number: int) -> Iterator[str]:
    """For people; what begins a line with { can be given to the oracle as it is."""
    problem = cause.problem
    yield f"{number}. {problem.property}: {cause.title}"
    on = ", ".join(cause.revisions) or "every revision"
    yield f"  fails on {on}{_and_others(cause)}"
    if problem.detail != cause.title:
        yield f"  {problem.detail}"
    yield from numbers_lines(problem)
    yield from history_lines(problem)
    yield from end_lines(problem)


def _and_others(cause: SharedCause) -> str:
    others = cause.properties[1:]
    named = ", ".join(others[:_MOST_NAMED])
    more = f" and {len(others) - _MOST_NAMED} more" if len(others) > _MOST_NAMED else ""
    also = f"; so do {named}{more}" if others else ""
    return f"{also} ({cause.problems} failures taken for this one)" if cause.problems > 1 else also
