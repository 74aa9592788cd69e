"""Where the documents are, and the numbered sections that the code cites.

A docstring says "semantics 5.3", a property's source "D21": each is a heading of a page, such as
`### 5.3 The row` or `### D21: a failed start is not reported`.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path

_PACKAGE = Path(__file__).parent

BEHAVIOUR = ("explanation/behaviour.md", "explanation/behaviour-around.md")
"""Sections 1 to 18: what the docstrings call the semantics."""
KNOWN_DEFECTS = "reference/known-defects.md"
"""D01 to D53, R1 to R7, N1 to N8, in three chapters."""
MODEL_MISTAKES = "reference/model-mistakes.md"
"""M1 and on: where running code has shown the model to be wrong."""
FINDINGS = "reference/findings"
"""A page for each finding, F01 and on, and one for the bounds B1 to B11."""

_HEADING = re.compile(r"^(#{1,6}) (.+?)\s*$")
_NUMBER = re.compile(r"(?P<section>\d{1,2}(?:\.\d|[a-e])?)\.? |(?P<id>[BDFMNR]\d{1,2}[a-f]?): ")
_FENCE = re.compile(r"^ *(```|~~~)")
_CITED = re.compile(r"\b(?:[BDFMNR]\d{1,2}[a-f]?|\d{1,2}(?:\.\d|[a-e])?)\b")


@dataclass(frozen=True, slots=True)
class Section:
    """A heading with a number that is cited, and what stands below it."""

    number: str
    """5, 5.3, 8d, D21, F01, B2."""
    title: str
    """The heading without its number."""
    page: str
    """Below the folder of the documents."""
    anchor: str
    """Of the heading, as GitHub makes it."""
    text: str
    """Markdown, its heading and all sections within it included."""


def folder() -> Path:
    """The documents: a wheel has them in this package, a clone in `docs`."""
    inside = _PACKAGE / "docs"
    return inside if inside.is_dir() else _PACKAGE.parents[1] / "docs"


def headings(text: str) -> Iterator[tuple[int, int, str]]:
    """Line number from 0, level and text of each heading of a page."""
    fenced = False
    for number, line in enumerate(text.splitlines()):
        if _FENCE.match(line):
            fenced = not fenced
        found = None if fenced else _HEADING.match(line)
        if found:
            yield number, len(found[1]), found[2]


def anchor(heading: str) -> str:
    """The anchor that GitHub gives a heading, if no heading before it has the same text."""
    plain = re.sub(r"\[([^]]*)\]\([^)]*\)", r"\1", heading)
    return re.sub(r"[^\w\- ]", "", plain.lower()).replace(" ", "-")


@cache
def sections() -> dict[str, Section]:
    """By number, all that can be cited; raises ValueError if a number occurs twice."""
    pages = [folder() / name for name in (*BEHAVIOUR, KNOWN_DEFECTS, MODEL_MISTAKES)]
    pages += sorted((folder() / FINDINGS).glob("*.md"))
    found: dict[str, Section] = {}
    for page in filter(Path.is_file, pages):
        for section in _sections_of(page):
            if section.number in found:
                raise ValueError(
                    f"{section.number} is in {found[section.number].page} and {section.page}"
                )
            found[section.number] = section
    return found


def _sections_of(page: Path) -> Iterator[Section]:
    text = page.read_text(encoding="utf-8")
    lines = text.splitlines()
    name = page.relative_to(folder()).as_posix()
    all_headings = list(headings(text))
    for index, (line, level, heading) in enumerate(all_headings):
        number = _NUMBER.match(heading)
        # Pages that are not of the behaviour may number their chapters as they like.
        if number is None or (number["section"] is not None and name not in BEHAVIOUR):
            continue
        after = [at for at, other, _ in all_headings[index + 1 :] if other <= level]
        end = after[0] if after else len(lines)
        yield Section(
            number["section"] or number["id"],
            heading[number.end() :],
            name,
            anchor(heading),
            "\n".join(lines[line:end]).rstrip(),
        )


def linked(source: str, up: str = "../") -> str:
    """A source such as "semantics 5.3; D30" as Markdown, each number a link.

    `up`: from the page that it stands on to the folder of the documents.
    """

    def link(found: re.Match[str]) -> str:
        section = sections().get(found[0])
        return f"[{found[0]}]({up}{section.page}#{section.anchor})" if section else found[0]

    return _CITED.sub(link, source)
