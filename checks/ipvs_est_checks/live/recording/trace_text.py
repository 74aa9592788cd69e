"""The text of a tracefs buffer, line by line."""

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

_LINE = re.compile(
    r"^\s*(?P<task>.+)-(?P<pid>\d+)\s+\[\d+\]\s+\S+\s+[\d.]+: (?P<name>\w+): (?P<rest>.*)$"
)
_FIELD = re.compile(r"(\w+)=(-?(?:0x)?[0-9a-f]+)\b")
_OWN = re.compile(r"_\d+$")
"""What `probing` adds to a name."""
MARK = "tracing_mark_write"


@dataclass(frozen=True, slots=True)
class TraceLine:
    """One event of the buffer."""

    task: str
    """Its name, as far as the kernel keeps it."""
    pid: int
    name: str
    """As it was defined, or `MARK`."""
    fields: dict[str, int]
    """Those that could be read: a node behind the end of a chain has none."""
    text: str
    """A mark's."""


def parse_trace(lines: Iterable[str]) -> Iterator[TraceLine]:
    """Events in order; other lines are passed over."""
    for line in lines:
        match = _LINE.match(line)
        if match is None:
            continue
        fields: dict[str, int] = {}
        for name, value in _FIELD.findall(match["rest"]):
            try:
                fields[name] = int(value, 0)
            except ValueError:
                continue
        name = match["name"]
        kind = name if name == MARK else _OWN.sub("", name)
        yield TraceLine(match["task"].strip(), int(match["pid"]), kind, fields, match["rest"])
