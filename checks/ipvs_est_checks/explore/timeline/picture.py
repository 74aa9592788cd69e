"""A timeline as a picture: one SVG file that needs nothing else, the same bytes each time.

It is as wide as a page: with up to four tasks at most 1,000 pixels. What is too long for its
column, or for the page, goes on in the next line.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import groupby
from textwrap import wrap
from xml.etree.ElementTree import Element, SubElement

from ipvs_est.language.violations import Deadlock
from ipvs_est_checks.explore.timeline.lines import Line, runs_of
from ipvs_est_checks.explore.timeline.steps import Standing, Timeline
from ipvs_est_checks.explore.timeline.text import changes_lines, violation_lines
from ipvs_est_checks.report import svg
from ipvs_est_checks.terminal.printable import printable, shorten

MUTEX_COLOURS = {
    "__ip_vs_mutex": svg.ORANGE,
    "service_mutex": svg.ORANGE,
    "est_mutex": svg.BLUE,
}
_OTHER_MUTEX = svg.PURPLE
_BOX = "#eef2f4"
_BORDER = "#9aa7ad"
_ALARM = "#b00020"
_LINE = "#cfd6d9"

_CHARACTER = 6.9
"""Width of one character of the common size, a wide font's average."""
_ROW = 19
_BETWEEN = 0.5
"""Of a row, between boxes."""
_GUTTER = 52
_MARGIN = 20
_HEAD_ROW = 18
_GAP = 24
"""Between columns; mutexes that are held are drawn there."""
_BAR = 5
_LEAST_COLUMN = 130
_PAGE = 1000
"""Width that columns share, unless there are so many that each has its least one."""
_LEAST_SHARE = 204
_PADDING = 16
"""Of a box, left and right together."""


@dataclass(frozen=True, slots=True)
class _Box:
    """Steps of one column in a row."""

    column: int
    top: float
    """Where it begins, in rows."""
    lines: tuple[Line, ...]
    preempts: bool
    """Its first step took the processor from a thread that could go on."""


@dataclass(frozen=True, slots=True)
class _Layout:
    """Where things are."""

    lefts: tuple[float, ...]
    widths: tuple[float, ...]
    top: float
    """Of the first row."""
    width: float

    def y(self, row: float) -> float:
        """Top of a row."""
        return self.top + _ROW * row


def timeline_svg(timeline: Timeline, title: str, about: str, caption: Sequence[str] = ()) -> str:
    """The picture as a complete SVG document, which ends in a newline; the caption's lines stand
    below what is about."""
    room = _room(len(timeline.columns))
    boxes = list(_boxes(timeline, room))
    count = max((box.top + len(box.lines) for box in boxes), default=0)
    waiting = [standing for standing in timeline.standings if standing.waits_on is not None]
    page = int((_page(len(timeline.columns)) - 2 * _MARGIN) / _CHARACTER)
    heads = [line for name in (about, *caption) for line in wrap(printable(name), page)]
    layout = _layout(timeline, boxes, waiting, title, heads)
    summary = [printable(line.strip()) for line in violation_lines(timeline)]
    notes = [line for name in summary for line in wrap(name, page, subsequent_indent="    ")]
    changes = [shorten(printable(line), page) for line in changes_lines(timeline)]
    tall = max((len(_waits(standing, room)) for standing in waiting), default=0)
    end = count + 1 + (tall + 2 if waiting else 0)
    height = layout.y(end) + _ROW * (len(notes) + len(changes) + 3)
    root = svg.picture(layout.width, height, "timeline", printable(title), " ".join(summary), 12)
    svg.text(root, _MARGIN, 30, printable(title), size=17, bold=True)
    for row, line in enumerate(heads):
        svg.text(root, _MARGIN, 50 + _HEAD_ROW * row, line, colour=svg.FAINT)
    _draw_legend(root, timeline, layout.top - 60)
    _draw_columns(root, timeline, layout, layout.y(count) + 6)
    _draw_mutexes(root, timeline, boxes, layout, count)
    for before, box in zip([None, *boxes], boxes, strict=False):
        _draw_box(root, layout, before, box)
    if waiting:
        _draw_waiting(root, timeline, layout, waiting, layout.y(count) + 14, tall)
    y = layout.y(end) + _ROW
    for index, line in enumerate(notes):
        svg.text(
            root,
            _MARGIN,
            y,
            line,
            colour=_ALARM if timeline.violation else svg.BLACK,
            bold=not index,
        )
        y += _ROW
    y += _ROW / 2
    for line in changes:
        svg.text(root, _MARGIN, y, line, colour=svg.FAINT)
        y += _ROW
    return svg.document(root)


def _page(columns: int) -> float:
    return max(_PAGE, 2 * _MARGIN + _GUTTER + columns * (_LEAST_SHARE + _GAP))


def _room(columns: int) -> int:
    """Characters of a line in a box."""
    share = (_page(columns) - 2 * _MARGIN - _GUTTER) / max(columns, 1) - _GAP
    return int((share - _PADDING) / _CHARACTER)


def _boxes(timeline: Timeline, room: int) -> Iterator[_Box]:
    top = 0.0
    for run in runs_of(timeline.steps):
        lines = [part for line in run for part in _parts(line, room)]
        last = lines[-1]
        ends = last.last == len(timeline.steps) - 1
        if ends and timeline.violation is not None and not isinstance(timeline.violation, Deadlock):
            text = f"✗ {timeline.violation.kind}"
            lines.append(replace(last, label="", text=text, is_function=False, preempts=True))
        preempts = any(line.preempts for line in run)
        yield _Box(last.column, top, tuple(lines), preempts)
        top += len(lines) + _BETWEEN


def _parts(line: Line, room: int) -> Iterator[Line]:
    """The line, in several if it is too long."""
    for index, text in enumerate(wrap(line.text, room, subsequent_indent="  ")):
        yield replace(line, text=text, label="" if index else line.label)


def _layout(
    timeline: Timeline, boxes: list[_Box], waiting: list[Standing], title: str, heads: list[str]
) -> _Layout:
    room = _room(len(timeline.columns))
    longest = [min(len(column), room) for column in timeline.columns]
    for box in boxes:
        for line in box.lines:
            longest[box.column] = max(longest[box.column], len(line.text))
    for standing in waiting:
        longest[standing.column] = max(longest[standing.column], *map(len, _waits(standing, room)))
    widths = [max(_LEAST_COLUMN, _PADDING + _CHARACTER * number) for number in longest]
    lefts = []
    left = float(_MARGIN + _GUTTER)
    for width in widths:
        lefts.append(left)
        left += width + _GAP
    least = 2 * _MARGIN + max(10 * len(title), *(_CHARACTER * len(head) for head in heads), 640)
    top = 104 + _HEAD_ROW * len(heads)
    return _Layout(tuple(lefts), tuple(widths), top, max(left, least))


def _draw_legend(root: Element, timeline: Timeline, y: float) -> None:
    x = float(_MARGIN)
    mutexes = sorted({name for step in timeline.steps for name, _ in step.holds})
    for name in mutexes:
        svg.rect(root, x, y, _BAR, 14, _colour(name))
        svg.text(root, x + 10, y + 12, f"{name} held", colour=svg.FAINT)
        x += 30 + _CHARACTER * len(f"{name} held")
    svg.line(root, x, y + 7, x + 22, y + 7, _ALARM, dashed=True)
    text = "taken from a task that could go on"
    svg.text(root, x + 28, y + 12, text, colour=svg.FAINT)


def _draw_columns(root: Element, timeline: Timeline, layout: _Layout, bottom: float) -> None:
    for name, left, width in zip(timeline.columns, layout.lefts, layout.widths, strict=True):
        svg.text(
            root, left + width / 2, layout.top - 14, printable(name), bold=True, anchor="middle"
        )
        svg.line(root, left + width / 2, layout.top - 6, left + width / 2, bottom, _LINE)


def _draw_mutexes(
    root: Element, timeline: Timeline, boxes: list[_Box], layout: _Layout, count: float
) -> None:
    """A bar left of a column for each time that it holds a mutex."""
    first: dict[int, float] = {}
    for box in boxes:
        for place, line in enumerate(box.lines):
            for step in range(line.first, line.last + 1):
                first.setdefault(step, box.top + place)
    names = sorted({name for step in timeline.steps for name, _ in step.holds})
    for slot, name in enumerate(names):
        owners = [
            step.column if name in step.releases else dict(step.holds).get(name)
            for step in timeline.steps
        ]
        for owner, group in groupby(range(len(owners)), key=owners.__getitem__):
            steps = list(group)
            if owner is None:
                continue
            top = first[steps[0]]
            after = steps[-1] + 1
            bottom = first.get(after, count)
            x = layout.lefts[owner] - 4 - (_BAR + 2) * (slot + 1)
            height = _ROW * (bottom - top) - 4
            svg.rect(root, x, layout.y(top) + 4, _BAR, height, _colour(name))


def _draw_box(root: Element, layout: _Layout, before: _Box | None, box: _Box) -> None:
    left, width = layout.lefts[box.column], layout.widths[box.column]
    top = layout.y(box.top) + 2
    border = _ALARM if box.preempts else _BORDER
    if before is not None:
        middle = layout.lefts[before.column] + layout.widths[before.column] / 2
        target = left if middle < left else left + width
        y = top + 8
        svg.line(root, middle, top - 4, middle, y, border, dashed=box.preempts)
        svg.line(root, middle, y, target, y, border, dashed=box.preempts)
        side = -6 if middle < left else 6
        _path(root, f"M{svg.number(target)} {svg.number(y)} l{side} -4 l0 8 z", border)
    rect = svg.rect(root, left, top, width, _ROW * len(box.lines) + 2, _BOX)
    rect.set("stroke", border)
    rect.set("rx", "4")
    for row, line in enumerate(box.lines):
        y = layout.y(box.top + row) + 17
        if line.label:
            svg.text(root, _MARGIN + _GUTTER - 24, y, line.label, colour=svg.FAINT, anchor="end")
        colour = svg.FAINT if line.is_function else _ALARM if line.preempts else svg.BLACK
        svg.text(root, left + 8, y, printable(line.text), colour=colour, bold=line.is_function)


def _draw_waiting(
    root: Element,
    timeline: Timeline,
    layout: _Layout,
    waiting: list[Standing],
    y: float,
    tall: int,
) -> None:
    """Who waits for whom, below the last step; an arrow leads to who has to go on first."""
    at = {standing.column for standing in waiting}
    colour = _ALARM if isinstance(timeline.violation, Deadlock) else svg.FAINT
    room = _room(len(timeline.columns))
    for number, standing in enumerate(waiting):
        left, width = layout.lefts[standing.column], layout.widths[standing.column]
        rect = svg.rect(root, left, y, width, tall * _ROW + 2, svg.WHITE)
        rect.set("stroke", colour)
        rect.set("rx", "4")
        for row, text in enumerate(_waits(standing, room)):
            bold = row == 0
            svg.text(root, left + 8, y + 15 + _ROW * row, printable(text), colour=colour, bold=bold)
        if standing.waits_on is None or standing.waits_on not in at:
            continue
        # One arrow below the other, so that both are seen of two tasks that wait mutually.
        level = y + tall * _ROW + 12 + 9 * number
        start = left + width / 2 + 12
        other = layout.lefts[standing.waits_on] + layout.widths[standing.waits_on] / 2 - 12
        bottom = y + tall * _ROW + 2
        path = (
            f"M{svg.number(start)} {svg.number(bottom)} V{svg.number(level)} H{svg.number(other)}"
        )
        line = _path(root, f"{path} V{svg.number(bottom + 5)}", "none")
        line.set("stroke", colour)
        _path(root, f"M{svg.number(other)} {svg.number(bottom)} l-4 6 l8 0 z", colour)


def _waits(standing: Standing, room: int) -> list[str]:
    """Where a task stands, and what it waits for; the first line is bold."""
    function = standing.function
    first = function if len(function) <= room else f"{function[: room - 1]}…"
    return [first, *wrap(standing.does, room, subsequent_indent="  ")]


def _colour(mutex: str) -> str:
    return MUTEX_COLOURS.get(mutex, _OTHER_MUTEX)


def _path(parent: Element, data: str, colour: str) -> Element:
    return SubElement(parent, "path", d=data, fill=colour)
