"""Edits of a tree's C, applied to a copy of the user's file when a program is built.

A pattern holds identifiers, operators, and one statement at most; it is anchored by the function
in which it is looked for, and must be found there exactly once. Blanks and comments do not
count. So an edit says what it changes without a line of the kernel's, and is refused by name on
a tree where it does not fit.
"""

import re
from collections.abc import Iterable
from dataclasses import dataclass, replace

from ipvs_est_checks.harness.building.tree import FILES, HEADER, Tree, text_of, with_texts
from ipvs_est_checks.terminal.bad_input import BadInputError

FOUND = "$&"
"""In a replacement: what was found, as it is written in the tree."""
_TOKEN = re.compile(
    r"(?P<skipped>\s+|/\*.*?\*/|//[^\n]*|^[ \t]*\#(?:\\\n|[^\n])*)"
    r"|(?P<token>\"(?:\\.|[^\"\\])*\"|'(?:\\.|[^'\\])*'|\w+|->|\+\+|--|<<=|>>=|<<|>>"
    r"|[<>=!+\-*/&|^%]=|&&|\|\||\.\.\.|[^\s\w])",
    re.S | re.M,
)


@dataclass(frozen=True, slots=True)
class CodeEdit:
    """One change at one place."""

    file: str
    """Its last name: ip_vs_est.c, ip_vs_ctl.c, ip_vs_core.c or ip_vs.h."""
    function: str
    """In which the pattern is looked for."""
    find: str
    """The pattern."""
    replace: str
    """What stands there instead; `FOUND` is what was there."""
    after: str = ""
    """A pattern that is found once in the function: only what follows it is looked at."""
    before: str = ""
    """The same, found once behind `after`: only what precedes it is looked at."""


@dataclass(frozen=True, slots=True)
class _Token:
    text: str
    start: int
    end: int


def edited(tree: Tree, name: str, edits: Iterable[CodeEdit]) -> Tree:
    """The tree as it would be with these edits, in their order; nothing is written.

    Raises BadInputError, with `name` and the place, if one does not fit.
    """
    texts = dict(tree.edited)
    for edit in edits:
        path = FILES.get(edit.file)
        if path is None:
            raise BadInputError(f"edit {name}: {edit.file} is none of {', '.join(FILES)}")
        old = texts.get(path) or text_of(tree, path)
        try:
            texts[path] = apply_edit(old, edit)
        except ValueError as error:
            where = f"{path}: {edit.function}"
            raise BadInputError(f"edit {name} does not fit {tree.path}: {where}: {error}") from None
    changed = with_texts(tree, texts)
    return replace(changed, header=texts.get(HEADER, tree.header))


def apply_edit(text: str, edit: CodeEdit) -> str:
    """The text with the edit. Raises ValueError, with the reason, if it does not fit."""
    tokens = _function(_tokens(text), edit.function)
    if edit.after:
        tokens = tokens[_only(tokens, edit.after) + len(_tokens(edit.after)) :]
    if edit.before:
        tokens = tokens[: _only(tokens, edit.before)]
    first = _only(tokens, edit.find)
    start, end = tokens[first].start, tokens[first + len(_tokens(edit.find)) - 1].end
    found = text[start:end]
    new = edit.replace.replace(FOUND, found)
    # As many lines as before, so that places in the file stay what they are.
    new += "\n" * (found.count("\n") - new.count("\n"))
    return text[:start] + new + text[end:]


def _tokens(text: str) -> list[_Token]:
    found = _TOKEN.finditer(text)
    return [_Token(match.group(), match.start(), match.end()) for match in found if match["token"]]


def _function(tokens: list[_Token], name: str) -> list[_Token]:
    """Those of the function's body."""
    depth = 0
    for at, token in enumerate(tokens):
        if token.text in "({":
            depth += 1
        elif token.text in ")}":
            depth -= 1
        elif depth == 0 and token.text == name and tokens[at + 1].text == "(":
            behind = _closing(tokens, at + 1) + 1
            if tokens[behind].text == "{":
                return tokens[behind + 1 : _closing(tokens, behind)]
    raise ValueError("there is no such function")


def _closing(tokens: list[_Token], opening: int) -> int:
    depth = 0
    for at in range(opening, len(tokens)):
        if tokens[at].text in "({":
            depth += 1
        elif tokens[at].text in ")}":
            depth -= 1
            if depth == 0:
                return at
    raise ValueError("its end is not found")


def _only(tokens: list[_Token], pattern: str) -> int:
    """Where the pattern begins."""
    wanted = [token.text for token in _tokens(pattern)]
    texts = [token.text for token in tokens]
    found = [
        at for at in range(len(texts) - len(wanted) + 1) if texts[at : at + len(wanted)] == wanted
    ]
    if len(found) != 1:
        times = f"{len(found)} times" if found else "nowhere"
        raise ValueError(f"`{pattern}` is found {times}, not once")
    return found[0]
