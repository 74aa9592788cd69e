"""What is written into the columns of a timeline, as text and as a picture alike."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import groupby

from ipvs_est_checks.explore.timeline.steps import TimelineStep

_WIDTH = 52
"""Characters of a line with several accesses."""
_VERBS = ("reads", "writes")


@dataclass(frozen=True, slots=True)
class Line:
    """One line of one column."""

    column: int
    first: int
    """Index of its first step."""
    last: int
    label: str
    """Numbers of its steps, from 1; '' if a line before has them."""
    text: str
    is_function: bool
    """Names the function in which the thread is from here on."""
    preempts: bool


def runs_of(steps: Sequence[TimelineStep]) -> Iterator[list[Line]]:
    """The lines of each run: steps of one column in a row.

    Accesses to fields that come one after the other in one function share a line: nobody else
    did anything between them.
    """
    functions: dict[int, str] = {}
    for column, group in groupby(enumerate(steps), key=lambda pair: pair[1].column):
        lines: list[Line] = []
        for index, step in group:
            if step.function and functions.get(column) != step.function:
                functions[column] = step.function
                lines.append(Line(column, index, index, "", step.function, True, False))
            text = _joined(lines, step, steps)
            if text:
                first = lines.pop().first
                label = f"{first + 1}-{index + 1}"
            else:
                first, label, text = index, str(index + 1), step.action
            preempts = step.preempts or (first < index and steps[first].preempts)
            lines.append(Line(column, first, index, label, text, False, preempts))
            for name in step.releases:
                unlock = f"mutex_unlock({name})"
                lines.append(Line(column, index, index, "", unlock, False, False))
        yield lines


def _joined(lines: list[Line], step: TimelineStep, steps: Sequence[TimelineStep]) -> str:
    """The last line with the step added, if both are accesses and there is room; else ''."""
    verb, _, what = step.action.partition(" ")
    if not lines or verb not in _VERBS or step.preempts:
        return ""
    last = lines[-1]
    if last.is_function or not last.label or last.text.partition(" ")[0] not in _VERBS:
        return ""
    before = steps[last.last].action.partition(" ")[0]
    text = f"{last.text}, {what}" if verb == before else f"{last.text}; {step.action}"
    return text if len(text) <= _WIDTH else ""
