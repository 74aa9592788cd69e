"""Edits of source text: how mutants, injected failures, wrong steps and planted faults are made.

In the text of one place a piece that occurs exactly once is replaced by another. A piece that
does not occur, or not once only, is an error that names the place, never an edit without effect:
so edits follow the code that they change.

`applied` changes functions of this process and takes the change back. The changed function is
compiled and its code object put into the original function, so it takes effect wherever the
function was imported to, all types stay those of the one package, and a report can show the
change as a patch. The price is that mypy does not see the replacement text. `planted` changes
the files of a copy of a package, for what another process imports.
"""

import inspect
import textwrap
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from pkgutil import resolve_name
from types import CodeType, FunctionType

PACKAGE = "ipvs_est"
"""Where functions are, unless their name begins with that of another package."""
_PREFIX = f"{PACKAGE}_"


class EditError(Exception):
    """An edit that does not fit the place that it names."""


@dataclass(frozen=True, slots=True)
class Edit:
    """At one place, `old` becomes `new`."""

    place: str
    """A function: module and name, such as `estimator.enqueue:choose_row`. In a copy of a package:
    a file, such as `estimator/enqueue.py`."""
    old: str
    """Occurs exactly once in the text of the place."""
    new: str


def edited(text: str, edit: Edit) -> str:
    """The place's text with the edit made. Raises EditError."""
    found = text.count(edit.old)
    if found != 1:
        piece = " / ".join(line.strip() for line in edit.old.splitlines())
        raise EditError(f"{edit.place}: the text occurs {found} times, not once: {piece}")
    return text.replace(edit.old, edit.new)


@contextmanager
def applied(edits: Sequence[Edit]) -> Iterator[None]:
    """This process's functions with the edits, until the block is left. Raises EditError."""
    texts: dict[FunctionType, str] = {}
    for edit in edits:
        function = _function(edit.place)
        before = texts.get(function)
        texts[function] = edited(_source(function) if before is None else before, edit)
    codes = {function: _code(function, text) for function, text in texts.items()}
    originals = {function: function.__code__ for function in codes}
    try:
        for function, code in codes.items():
            function.__code__ = code
        yield
    finally:
        for function, original in originals.items():
            function.__code__ = original


def function_edit(function: FunctionType, old: str, new: str) -> Edit:
    """The edit of a function that is at hand."""
    return Edit(
        f"{function.__module__}:{function.__qualname__}".removeprefix(f"{PACKAGE}."), old, new
    )


def plant(edits: Sequence[Edit], package: Path) -> None:
    """Edit the files of a copy of a package, whose directory is given. Raises EditError.

    A text that is no Python any more is refused too: its import would fail on every trace, and
    what looks caught would not have been tried.
    """
    for edit in edits:
        file = package / edit.place
        text = edited(file.read_text(encoding="utf-8"), edit)
        try:
            compile(text, str(file), "exec", dont_inherit=True)
        except SyntaxError as error:
            raise EditError(f"{edit.place}: {error}") from error
        # The name of a compiled module does not tell sources of one second apart.
        for compiled in (file.parent / "__pycache__").glob(f"{file.stem}.*"):
            compiled.unlink()
        file.write_text(text, encoding="utf-8")


def patch(edits: Sequence[Edit]) -> list[str]:
    """Edits of functions for people: the function's name, lines taken out, lines put in."""
    lines: list[str] = []
    for edit in edits:
        lines.append(_full_name(edit.place).replace(":", "."))
        lines += [f"- {line}" for line in textwrap.dedent(edit.old).splitlines()]
        lines += [f"+ {line}" for line in textwrap.dedent(edit.new).splitlines()]
    return lines


def _full_name(place: str) -> str:
    return place if place.startswith(_PREFIX) else f"{PACKAGE}.{place}"


def _function(place: str) -> FunctionType:
    try:
        found: object = resolve_name(_full_name(place))
    except (ImportError, AttributeError, ValueError):
        found = None
    if not isinstance(found, FunctionType):
        raise EditError(f"there is no function {place}")
    return found


@cache
def _source(function: FunctionType) -> str:
    # Read once: the file may be edited while the process runs.
    return textwrap.dedent(inspect.getsource(function))


@cache
def _code(function: FunctionType, text: str) -> CodeType:
    place = f"{function.__module__}:{function.__qualname__}"
    # A copy of the globals, for the default values: the function itself stays where it was.
    namespace = dict(function.__globals__)
    # Annotations may name what is imported for type checkers only, so they are not evaluated.
    text = f"from __future__ import annotations\n{text}"
    exec(compile(text, f"<edited {place}>", "exec", dont_inherit=True), namespace)
    made: object = namespace[function.__name__]
    assert isinstance(made, FunctionType)
    if inspect.isgeneratorfunction(made) != inspect.isgeneratorfunction(function):
        raise EditError(f"{place}: a plain function became a generator, or the reverse")
    return made.__code__
