"""Copies of recorded traces with something wrong in them."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from command_line import TRACES

Path_ = tuple[str | int, ...]


def lines_of(name: str) -> list[str]:
    """The lines of a recorded trace, without newlines."""
    return (TRACES / f"{name}.jsonl").read_text(encoding="utf-8").splitlines()


def write_lines(file: Path, lines: list[str]) -> Path:
    """Write a trace."""
    file.write_text("".join(f"{line}\n" for line in lines), encoding="utf-8")
    return file


def plant(lines: list[str], line: int, path: Path_, value: object) -> list[str]:
    """A copy in which one value of the result in a line (from 1) is another one."""
    record = json.loads(lines[line - 1])
    *way, last = path
    place: Any = record["result"]
    for key in way:
        place = place[key]
    assert place[last] != value or type(place[last]) is not type(value)
    place[last] = value
    return [*lines[: line - 1], json.dumps(record, separators=(",", ":")), *lines[line:]]


def numbers_in(value: object, path: Path_ = ()) -> Iterator[tuple[Path_, int]]:
    """Every number in a JSON value, and where it is."""
    match value:
        case dict():
            for name, entry in value.items():
                yield from numbers_in(entry, (*path, name))
        case list():
            for index, entry in enumerate(value):
                yield from numbers_in(entry, (*path, index))
        case bool():
            return
        case int():
            yield path, value
        case _:
            return


def written(path: Path_) -> str:
    """The path as reports write it."""
    return "".join(
        f"[{item}]" if isinstance(item, int) else f".{item}" for item in path
    ).removeprefix(".")
