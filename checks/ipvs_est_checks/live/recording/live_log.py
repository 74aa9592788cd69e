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
from ipvs_est_checks.live.reading.netns import NetnsReading
from ipvs_est_checks.partly_known.partial import partial_from_json

VERSION = 1
_HEADER = frozenset(
    {"live_log", "kernel", "revision", "netns", "params", "ms", "lost", "limits_test"}
)

SYSCTLS = ("run_estimation", "est_nice", "est_cpulist")

# Any in this file: parsed JSON; whoever takes a value out checks its type.


@dataclass(frozen=True, slots=True)
class Written:
    """Somebody wrote a sysctl; its values as they were afterwards."""

    jiffies: int
    after_events: int
    """How many events stand before it."""
    file: str
    """`run_estimation`, `est_nice` or `est_cpulist`."""
    run_estimation: int
    est_nice: int
    cpulist: tuple[int, ...] | None
    """None: not set."""


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
    written: tuple[Written, ...] = ()


def live_log_text(
    log: LiveLog, before: NetnsReading | None = None, after: NetnsReading | None = None
) -> str:
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
    lines = [header, *_snapshot("before", before), *_happened(log), *_snapshot("after", after)]
    return "".join(json.dumps(line, separators=(",", ":")) + "\n" for line in lines)


def _snapshot(when: str, reading: NetnsReading | None) -> Iterator[dict[str, object]]:
    if reading is not None:
        names = {
            str(object_state.id): reading.names[object_state.id]
            for object_state in reading.snapshot.objects
        }
        yield {"snapshot": when, "names": names, "members": partial_snapshot(reading)}


def _happened(log: LiveLog) -> Iterator[dict[str, object]]:
    written = list(log.written)
    for index in range(len(log.events) + 1):
        while written and written[0].after_events <= index:
            one_written = written.pop(0)
            yield {
                "written": one_written.file,
                "jiffies": one_written.jiffies,
                "run_estimation": one_written.run_estimation,
                "est_nice": one_written.est_nice,
                "cpulist": None if one_written.cpulist is None else list(one_written.cpulist),
            }
        if index < len(log.events):
            yield event_to_json(log.events[index])


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
    written: list[Written] = []
    for number, text in enumerate(lines[1:], 2):
        line = _object(text, number)
        if "snapshot" in line:
            snapshots.append(_checked_snapshot(line, number))
            continue
        if "written" in line:
            written.append(_written(line, number, len(events)))
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
        written=tuple(written),
    )


def _checked_snapshot(line: dict[str, Any], number: int) -> dict[str, Any]:
    """Raises InputError if it is none."""
    if line["snapshot"] not in ("before", "after"):
        raise InputError(f"line {number}: snapshot", "expected before or after")
    names = line.get("names")
    if not isinstance(names, dict) or not all(name.isdigit() for name in names):
        raise InputError(f"line {number}: names", "expected names by id")
    members = line.get("members")
    if not isinstance(members, dict):
        raise InputError(f"line {number}: members", "expected a snapshot")
    try:
        partial_from_json(members, None)
    except InputError as error:
        raise InputError(f"line {number}: members: {error.field}", error.message) from None
    return line


def _written(line: dict[str, Any], number: int, after_events: int) -> Written:
    cpulist = line.get("cpulist")
    if cpulist is not None:
        if not isinstance(cpulist, list) or not all(type(entry) is int for entry in cpulist):
            raise InputError(f"line {number}: cpulist", "expected null or a list of CPUs")
        cpulist = tuple(cpulist)
    if line["written"] not in SYSCTLS:
        raise InputError(f"line {number}: written", f"expected one of {', '.join(SYSCTLS)}")
    jiffies, run_estimation, nice = (
        _integer(line, name, number) for name in ("jiffies", "run_estimation", "est_nice")
    )
    return Written(jiffies, after_events, line["written"], run_estimation, nice, cpulist)


def _integer(line: dict[str, Any], name: str, number: int) -> int:
    value = line.get(name)
    if isinstance(value, bool) or not isinstance(value, int):
        raise InputError(f"line {number}: {name}", "expected a number")
    return value


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
