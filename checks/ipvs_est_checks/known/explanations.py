"""What FINDINGS.md, which travels with the package, says of one finding."""

import re
from functools import cache
from importlib import resources

_HEADING = re.compile(r"^## (.*)$", re.MULTILINE)
_NUMBER = re.compile(r"F(\d\d)\b")


def explanation(finding: str) -> str:
    """The section about a finding, several of which may share one; KeyError if there is none."""
    return _sections()[finding]


def explanations() -> str:
    """The whole text."""
    return resources.files(__package__).joinpath("FINDINGS.md").read_text(encoding="utf-8")


@cache
def _sections() -> dict[str, str]:
    text = explanations()
    headings = list(_HEADING.finditer(text))
    ends = [each.start() for each in headings[1:]] + [len(text)]
    found: dict[str, str] = {}
    for heading, end in zip(headings, ends, strict=True):
        title = heading[1].partition(":")[0]
        for id_ in _named(title):
            found.setdefault(id_, text[heading.start() : end].strip())
    return found


def _named(title: str) -> list[str]:
    """Ids that a heading names: `F01`, `F02, F03` or `F07 to F10`."""
    numbers = [int(each) for each in _NUMBER.findall(title)]
    if " to " in title and len(numbers) == 2:
        numbers = list(range(numbers[0], numbers[1] + 1))
    return [f"F{each:02}" for each in numbers]
