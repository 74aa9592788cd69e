"""The documents as tests read them: fenced blocks with their marks, links, anchors."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from ipvs_est_checks.documents import anchor, headings

CHECKOUT = Path(__file__).resolve().parents[2]

_OPEN = re.compile(r"^(?P<indent> *)```(?P<language>\w*)\s*$")
_MARK = re.compile(r"^\s*<!-- not run: (?P<reason>.+) -->\s*$")
_LINK = re.compile(r"\[(?:[^][]|\[[^]]*\])*\]\((?P<target>[^)\s]+)\)")


@dataclass(frozen=True, slots=True)
class Block:
    """A fenced block."""

    language: str
    text: str
    line: int
    """Of its first line, from 1."""
    not_run: str
    """The reason that stands above it, in `<!-- not run: REASON -->`; '' = it is run."""


def documents() -> tuple[Path, ...]:
    """Every page that people read."""
    pages = [*CHECKOUT.glob("*.md"), *(CHECKOUT / "docs").rglob("*.md")]
    pages += [
        CHECKOUT / name
        for name in (
            "examples/README.md",
            "refimpl/ipvs_est/SCHEMA.md",
            "tests/MUTATION.md",
            "tests/data/README.md",
        )
    ]
    return tuple(sorted(pages))


def blocks(text: str) -> Iterator[Block]:
    """The fenced blocks of a page."""
    lines = text.splitlines()
    index = 0
    while index < len(lines):
        opened = _OPEN.match(lines[index])
        if opened is None:
            index += 1
            continue
        close = next(at for at in range(index + 1, len(lines)) if lines[at].strip() == "```")
        above = next((line for line in reversed(lines[:index]) if line.strip()), "")
        mark = _MARK.match(above)
        indent = len(opened["indent"])
        inside = "".join(f"{line[indent:]}\n" for line in lines[index + 1 : close])
        reason = mark["reason"] if mark else ""
        yield Block(opened["language"], inside, index + 2, reason)
        index = close + 1


def prose(text: str) -> str:
    """A page without its blocks and its code in the line."""
    kept: list[str] = []
    fenced = False
    for line in text.splitlines():
        if line.strip().startswith("```"):
            fenced = not fenced
        elif not fenced:
            kept.append(line)
    return re.sub(r"`[^`\n]*`", "code", "\n".join(kept))


def links(text: str) -> list[str]:
    """The targets of a page's links and pictures."""
    return [found["target"] for found in _LINK.finditer(prose(text))]


def anchors(text: str) -> set[str]:
    """The anchors of a page's headings; one that comes again gets a number."""
    found: set[str] = set()
    for _, _, heading in headings(text):
        name, again = anchor(heading), 0
        while (unique := f"{name}-{again}" if again else name) in found:
            again += 1
        found.add(unique)
    return found


def transcript(text: str) -> list[tuple[str, str]]:
    """Each command of a console block with the output shown below it."""
    found: list[tuple[str, str]] = []
    for part in re.split(r"^\$ ", text, flags=re.MULTILINE)[1:]:
        command, _, output = part.partition("\n")
        while command.endswith("\\"):
            more, _, output = output.partition("\n")
            command = f"{command}\n{more.removeprefix('> ')}"
        found.append((command, output))
    return found


def shows(expected: str, printed: str) -> bool:
    """Whether that is what was printed.

    A line `...` stands for any lines, `...` at the end of one for the rest of it.
    """
    pattern = ""
    for line in expected.splitlines():
        if line == "...":
            pattern += r"(?:.*\n)*"
        elif line.endswith("..."):
            pattern += re.escape(line.removesuffix("...")) + r".*\n"
        else:
            pattern += re.escape(line) + r"\n"
    return re.fullmatch(pattern, printed) is not None
