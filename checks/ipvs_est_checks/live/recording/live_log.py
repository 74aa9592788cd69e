"""A live log: one file of typed lines with a version."""

import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from ipvs_est import Params
from ipvs_est.language.event_json import event_from_json, event_to_json
from ipvs_est.language.events import Event
from ipvs_est.language.header import params_from_json, params_to_json
from ipvs_est.language.input_error import InputError
from ipvs_est.language.json_input import parse_object
from ipvs_est_checks.live.inspect_files import partial_snapshot
from ipvs_est_checks.live.reading.netns import Reading

VERSION = 1
_HEADER = frozenset(
    {"live_log", "kernel", "revision", "netns", "params", "ms", "lost", "limits_test"}
)

# Any in this file: parsed JSON; whoever takes a value out checks its type.


@dataclass(frozen=True, slots=True)
class LiveLog:
    """What a recording has brought."""

    kernel: str
    revision: str
    netns: int
    params: Params
    ms: int
    """How long, in milliseconds."""
    lost: int
    """Events that found no room in the buffer."""
    limits_test: int | None
    """Jiffies; no estimation is told from there on."""
    snapshots: tuple[dict[str, Any], ...]
    """Lines of snapshots, before and after, as far as each was one state."""
    events: tuple[Event, ...]


def live_log_text(log: LiveLog, before: Reading | None = None, after: Reading | None = None) -> str:
    """The file: a header, the snapshot before, events, the snapshot after."""
    header: dict[str, object] = {
        "live_log": VERSION,
        "kernel": log.kernel,
        "revision": log.revision,
        "netns": log.netns,
        "params": params_to_json(log.params),
        "ms": log.ms,
        "lost": log.lost,
        "limits_test": log.limits_test,
    }
    lines = [header, *_snapshot("before", before), *map(event_to_json, log.events)]
    lines += _snapshot("after", after)
    return "".join(json.dumps(each, separators=(",", ":")) + "\n" for each in lines)


def _snapshot(when: str, reading: Reading | None) -> Iterator[dict[str, object]]:
    if reading is not None:
        names = {str(each.id): reading.names[each.id] for each in reading.snapshot.objects}
        yield {"snapshot": when, "names": names, "members": partial_snapshot(reading)}


def is_live_log(first_line: str) -> bool:
    """Whether a file that begins so is meant to be one."""
    return '"live_log"' in first_line


def parse_live_log(lines: Sequence[str]) -> LiveLog:
    """Raises InputError, whose field names the line."""
    if not lines:
        raise InputError("line 1", "is missing")
    header = _object(lines[0], 1)
    for name in sorted(_HEADER - header.keys()):
        raise InputError(f"line 1: {name}", "missing")
    if header["live_log"] != VERSION:
        raise InputError("line 1: live_log", f"expected version {VERSION}")
    snapshots: list[dict[str, Any]] = []
    events: list[Event] = []
    for number, text in enumerate(lines[1:], 2):
        line = _object(text, number)
        if "snapshot" in line:
            snapshots.append(line)
            continue
        try:
            events.append(event_from_json(line))
        except InputError as error:
            raise InputError(f"line {number}: {error.field}", error.message) from None
    try:
        params = params_from_json(header["params"])
    except InputError as error:
        raise InputError(f"line 1: {error.field}", error.message) from None
    return LiveLog(
        kernel=_text(header, "kernel"),
        revision=_text(header, "revision"),
        netns=_number(header, "netns"),
        params=params,
        ms=_number(header, "ms"),
        lost=_number(header, "lost"),
        limits_test=None if header["limits_test"] is None else _number(header, "limits_test"),
        snapshots=tuple(snapshots),
        events=tuple(events),
    )


def _object(text: str, number: int) -> dict[str, Any]:
    try:
        return parse_object(text)
    except InputError as error:
        raise InputError(f"line {number}", error.message) from None


def _text(header: dict[str, Any], name: str) -> str:
    value = header[name]
    if not isinstance(value, str):
        raise InputError(f"line 1: {name}", "expected a string")
    return value


def _number(header: dict[str, Any], name: str) -> int:
    value = header[name]
    if isinstance(value, bool) or not isinstance(value, int) or value < 0:
        raise InputError(f"line 1: {name}", "expected a number that is not negative")
    return value
