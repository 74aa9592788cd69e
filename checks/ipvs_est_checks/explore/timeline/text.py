"""A timeline as text: a line for each step, a column for each task, in kernel terms.

No line is longer than 120 characters. A line tells of one column alone, so where columns are too
wide together the text of one may reach below the names of those to its right.
"""

from collections.abc import Iterator, Sequence
from itertools import accumulate
from textwrap import wrap

from ipvs_est.language.violations import BrokenProperty, Deadlock, Livelock, describe
from ipvs_est_checks.explore.timeline.lines import Line, runs_of
from ipvs_est_checks.explore.timeline.steps import Standing, Timeline, TimelineStep
from ipvs_est_checks.terminal.printable import shorten
from ipvs_est_spec.case_words import named_numbers
from ipvs_est_spec.catalogue import PROPERTIES

# Steps at the end whose changes are told in full.
LAST_CHANGES = 4
_WIDTH = 120
_LEAST_COLUMN = 10
_LEAST_ROOM = 30
"""Characters from where a column begins; longer lines may go on in the next one."""
_SENTENCES = {prop.id: prop.sentence for prop in PROPERTIES}


def timeline_lines(timeline: Timeline) -> Iterator[str]:
    """The steps, what they end with, who waits for whom, and the last changes of the state."""
    yield from step_lines(timeline.columns, timeline.steps)
    for line in (*violation_lines(timeline), *_standings(timeline)):
        yield from wrapped(line)
    yield from _changes(timeline)


def violation_lines(timeline: Timeline) -> Iterator[str]:
    """What the schedule ends with."""
    if isinstance(timeline.violation, Deadlock):
        yield "  deadlock: each of these waits for the next, and the last for the first"
        for line in timeline.violation.cycle:
            yield f"    {line}"
    elif isinstance(timeline.violation, Livelock):
        round_ = timeline.violation.steps
        first = len(timeline.steps) - round_ + 1
        yield f"  livelock: steps {first} to {len(timeline.steps)} lead back to where they began,"
        yield "  and no task that could go on all the time is passed over"
    elif isinstance(timeline.violation, BrokenProperty):
        broken = timeline.violation.property
        yield f"  {broken} does not hold: {_SENTENCES[broken]}"
        if timeline.violation.case:
            yield f"    found: {case_text(timeline.violation)}"
    elif timeline.violation is not None:
        yield f"  {describe(timeline.violation)}"
    else:
        yield "  no failure"


def case_text(broken: BrokenProperty) -> str:
    """The numbers with which a property of what happened fails, with their names."""
    return named_numbers(broken.property, tuple(map(int, broken.case.split(", "))))


def step_lines(columns: Sequence[str], steps: Sequence[TimelineStep]) -> Iterator[str]:
    """The steps, each in the column of its task, below the names of the columns."""
    lines = [line for run in runs_of(steps) for line in run]
    longest = [
        max((len(_cell(line)) for line in lines if line.column == index), default=0)
        for index in range(len(columns))
    ]
    number = max((len(line.label) for line in lines), default=0)
    # "  NUMBER  ", then the columns.
    room = _WIDTH - number - 4
    lefts = _lefts(columns, longest, room)
    head = ""
    for name, left in zip(columns, lefts, strict=True):
        head = f"{head:<{left}}"
        head += f" {name}" if len(head) > left else name
    yield f"  {'':>{number}}  {head}".rstrip()
    for line in lines:
        left = lefts[line.column]
        first, *more = wrap(_cell(line), room - left, subsequent_indent="   ")
        yield f"  {line.label:>{number}}  {'':{left}}{first}"
        for rest in more:
            yield f"  {'':>{number}}  {'':{left}}{rest}"
    if any(step.preempts for step in steps):
        yield "  !: takes the processor from a task that could go on, or lets time pass meanwhile"


def _lefts(names: Sequence[str], longest: Sequence[int], room: int) -> list[int]:
    """Where each column begins: as far from the one before as there is room for."""
    lefts: list[int] = []
    latest = [room - min(width, _LEAST_ROOM) for width in longest]
    for most in range(max(longest, default=0), _LEAST_COLUMN - 1, -1):
        widths = [
            max(len(name), min(width, most)) + 2 for name, width in zip(names, longest, strict=True)
        ]
        lefts = list(accumulate(widths, initial=0))[:-1]
        if all(left <= last for left, last in zip(lefts, latest, strict=True)):
            break
    # With very many columns the last ones share a place.
    return [min(left, last) for left, last in zip(lefts, latest, strict=True)]


def wrapped(line: str) -> Iterator[str]:
    """The line, in several if it is too long; what follows the first is indented further."""
    indent = " " * (len(line) - len(line.lstrip()) + 4)
    yield from wrap(line, _WIDTH, subsequent_indent=indent) or [""]


def _cell(line: Line) -> str:
    if line.is_function:
        return f"[{line.text}]"
    return f"{'!' if line.preempts else ' '}{line.text}"


def _standings(timeline: Timeline) -> Iterator[str]:
    waiting = [standing for standing in timeline.standings if standing.waits_on is not None]
    others = [standing for standing in timeline.standings if standing.waits_on is None]
    if timeline.violation is None or not timeline.standings:
        return
    yield "  at that moment:"
    for other in (*waiting, *others):
        yield f"    {standing_text(timeline, other)}"


def standing_text(timeline: Timeline, standing: Standing) -> str:
    """Who stands where, and waits for what."""
    name = timeline.columns[standing.column]
    where = f", in {standing.function}," if standing.function != name else ""

    holds = f"; holds {', '.join(standing.holds)}" if standing.holds else ""
    return f"{name}{where} {standing.does}{holds}"


def _changes(timeline: Timeline) -> Iterator[str]:
    for line in changes_lines(timeline):
        yield f"  {line}"


def changes_lines(timeline: Timeline) -> Iterator[str]:
    """What the last steps that changed the estimator state changed in it."""
    numbered = [(index, step) for index, step in enumerate(timeline.steps, 1) if step.changes]
    if not numbered:
        return
    yield "what the last steps changed in the state:"
    for index, step in numbered[-LAST_CHANGES:]:
        for line in step.changes:
            yield shorten(f"  {index} {timeline.columns[step.column]}: {line}", _WIDTH)
