"""Progress on standard error: a bar for people at a terminal, now and then a line in a log."""

import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING

import click

if TYPE_CHECKING:
    from rich.progress import Progress

OnProgress = Callable[[str, int, int], None]
"""Shows what is being done, and how much of how much is done."""

_QUIET_SECONDS = 1.0
_SECONDS_PER_FRAME = 0.1
_SECONDS_PER_LINE = 30.0
"""Where there is no terminal: a job that says nothing for long is taken for one that hangs."""


@dataclass(slots=True)
class Bar:
    """How far the work is. Not drawn by a thread of its own: the work forks processes."""

    label: str
    total: float
    next_frame: float
    """When it is to be drawn next, by the monotonic clock."""
    terminal: bool
    """Else lines are written."""
    began: float
    """By the monotonic clock."""
    furthest: float = 0.0
    """Most that was ever done: where more work turns up, the bar waits instead of going back."""
    drawn: "Progress | None" = None
    visible: bool = False


def no_progress(label: str, done: int, total: int) -> None:
    """Show nothing."""
    del label, done, total


@contextmanager
def progress_bar(label: str, total: float) -> Iterator[Bar]:
    """A bar that appears after a second and goes at the end; a line each half a minute if
    standard error is no terminal."""
    began = time.monotonic()
    terminal = is_terminal(sys.stderr)
    first = began + (_QUIET_SECONDS if terminal else _SECONDS_PER_LINE)
    bar = Bar(label, total, first, terminal, began)
    try:
        yield bar
    finally:
        hide(bar)


def draw(bar: Bar, done: float, label: str | None = None) -> None:
    """Show that so much is done, and what is done now, unless that was shown just now."""
    now = time.monotonic()
    bar.furthest = done = max(bar.furthest, done)
    if now < bar.next_frame:
        return
    if not bar.terminal:
        bar.next_frame = now + _SECONDS_PER_LINE
        share = f"{int(100 * done / bar.total)}%, " if bar.total else ""
        what = "" if label in (None, bar.label) else f": {label}"
        click.echo(f"{bar.label}: {share}{now - bar.began:.0f} s{what}", err=True)
        return
    bar.next_frame = now + _SECONDS_PER_FRAME
    if bar.drawn is None:
        from rich.console import Console
        from rich.progress import Progress

        bar.drawn = Progress(
            console=Console(stderr=True),
            auto_refresh=False,
            transient=True,
            redirect_stdout=False,
            redirect_stderr=False,
        )
        bar.drawn.add_task(bar.label, total=bar.total)
    bar.drawn.update(
        bar.drawn.task_ids[0], completed=done, total=bar.total, description=label or bar.label
    )
    if not bar.visible:
        bar.drawn.start()
        bar.visible = True
    bar.drawn.refresh()


def hide(bar: Bar) -> None:
    """Take the bar away, so that lines can be printed; the next frame brings it back."""
    if bar.drawn is not None and bar.visible:
        bar.drawn.stop()
        bar.visible = False


def is_terminal(stream: object) -> bool:
    """Whether that standard stream is a terminal; a closed one is none."""
    isatty = getattr(stream, "isatty", None)
    return isatty is not None and bool(isatty())
