"""Small named changes of the model, made in place and taken back.

A mutant is text: in the source of one function a piece that occurs exactly once is replaced
by another. The changed function is compiled and its code object put into the original
function, so it takes effect wherever the function was imported to, all types stay those of
the one package, and a report can show the change as a patch. Nothing is copied, so a mutant
follows the model; a piece that no longer occurs is an error, never a mutant without effect.
The price is that mypy does not see the replacement text. A process has one mutant at a time.
"""

import inspect
import textwrap
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from enum import Enum
from functools import cache
from pkgutil import resolve_name
from types import CodeType, FunctionType

from ipvs_est.language.revision import Revision


class MutationError(Exception):
    """An edit that does not fit the function that it names."""


@dataclass(frozen=True, slots=True)
class Edit:
    """In one function, `old` becomes `new`."""

    function: str
    """Module below `ipvs_est` and name, such as `enqueue:choose_row`."""
    old: str
    """Occurs exactly once in the source of the function."""
    new: str


class Engine(Enum):
    """What is expected to kill a mutant."""

    HISTORIES = "histories"
    """Random histories under the sequential schedule."""
    DIRECTED = "directed"
    """A short hand-made history, perhaps with interruptions."""
    EXPLORER = "explorer"
    """Only other schedules, or a property that is not in the catalogue yet."""


@dataclass(frozen=True, slots=True)
class Mutant:
    """One change that must not go unnoticed."""

    id: str
    sentence: str
    """What is wrong, in kernel terms."""
    base: Revision
    properties: tuple[str, ...]
    """Ids; one of them must break."""
    edits: tuple[Edit, ...]
    engine: Engine = Engine.HISTORIES
    reason: str = ""
    """With EXPLORER: why nothing here can kill it."""
    directed: str = ""
    """Name of its hand-made history."""


@contextmanager
def applied(edits: Sequence[Edit]) -> Iterator[None]:
    """The model with these edits, until the block is left. Raises MutationError."""
    texts: dict[str, str] = {}
    for edit in edits:
        before = texts.get(edit.function)
        texts[edit.function] = edited(_source(edit.function) if before is None else before, edit)
    changed = [(_function(name), _code(name, text)) for name, text in texts.items()]
    originals = [function.__code__ for function, _ in changed]
    try:
        for function, code in changed:
            function.__code__ = code
        yield
    finally:
        for (function, _), original in zip(changed, originals, strict=True):
            function.__code__ = original


def edited(source: str, edit: Edit) -> str:
    """The function's source with the edit made."""
    found = source.count(edit.old)
    if found != 1:
        text = " / ".join(line.strip() for line in edit.old.splitlines())
        raise MutationError(f"{edit.function}: the text occurs {found} times, not once: {text}")
    return source.replace(edit.old, edit.new)


def patch(edits: Sequence[Edit]) -> list[str]:
    """The edits for people: the function's name, lines taken out, lines put in."""
    lines: list[str] = []
    for edit in edits:
        lines.append(f"ipvs_est.{edit.function.replace(':', '.')}")
        lines += [f"- {line}" for line in textwrap.dedent(edit.old).splitlines()]
        lines += [f"+ {line}" for line in textwrap.dedent(edit.new).splitlines()]
    return lines


def _function(name: str) -> FunctionType:
    try:
        found: object = resolve_name(f"ipvs_est.{name}")
    except (ImportError, AttributeError):
        found = None
    if not isinstance(found, FunctionType):
        raise MutationError(f"there is no function {name}")
    return found


@cache
def _source(name: str) -> str:
    # Read once: the file may be edited while the process runs.
    return textwrap.dedent(inspect.getsource(_function(name)))


@cache
def _code(name: str, text: str) -> CodeType:
    function = _function(name)
    # A copy of the globals, for the annotations: the function itself stays where it was.
    namespace = dict(function.__globals__)
    exec(compile(text, f"<mutant of {name}>", "exec", dont_inherit=True), namespace)
    made: object = namespace[function.__name__]
    assert isinstance(made, FunctionType)
    if inspect.isgeneratorfunction(made) != inspect.isgeneratorfunction(function):
        raise MutationError(f"{name}: a plain function became a generator, or the reverse")
    return made.__code__
