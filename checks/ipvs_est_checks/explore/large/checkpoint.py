"""A depth-first search as a file, from which it goes on as if nothing had happened.

Lines of JSON, compressed with gzip. docs/reference/checkpoints.md says what is in them. A search
is written between two schedules; then it is plain data: the edges that are left, the states that
were seen, and what was found. What a resumed search does is what the search would have done.
"""

import gzip
import json
import zlib
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import asdict
from hashlib import blake2b
from pathlib import Path as FilePath
from typing import Any

from ipvs_est.language.codec import PLAIN, decode
from ipvs_est.language.input_error import InputError
from ipvs_est.language.violations import from_json, to_json
from ipvs_est_checks.explore.engine.job import Job, Ongoing, new_search
from ipvs_est_checks.explore.engine.loops import StateNode
from ipvs_est_checks.explore.engine.outcome import Figures, Found
from ipvs_est_checks.explore.engine.path import Path
from ipvs_est_checks.explore.failures.token import scenario_digest
from ipvs_est_checks.explore.large.model_digest import model_digest
from ipvs_est_checks.explore.schedulers.dfs import Dfs, Edge

VERSION = 1
_EXPECTED = ("scenario", "revision", "model")
_DAMAGED = "is damaged or was cut off"
_ANY_AMOUNT = ("schedules", "total_steps")
_LEVEL = 1  # of compression: most are fingerprints, in which there is nothing to find

# Any in this file: parsed data from outside.


def options_of(job: Job) -> dict[str, object]:
    """What decides which schedules are searched, in which order, and what fails: as JSON.

    Not how many of them: that may be more the next time.
    """
    settings = asdict(job.settings)
    del settings["minutes"], settings["minutes_each"], settings["shorten"]
    bounds = settings.pop("bounds")
    for name in _ANY_AMOUNT:
        del bounds[name]
    options = {
        **bounds,
        **settings,
        "kind": job.settings.kind.value,
        "order": job.settings.order.value,
        "watched": sorted(job.watched),
        "beginning": list(job.beginning),
    }
    # As it is read again: tuples are lists there.
    parsed = json.loads(json.dumps(options))
    assert isinstance(parsed, dict)
    return parsed


def checkpoint_bytes(job: Job, ongoing: Ongoing) -> bytes:
    """The file of a depth-first search between two schedules."""
    lines: list[bytes] = []
    state = blake2b(digest_size=16)
    for value in _values(job, ongoing):
        line = json.dumps(value, separators=(",", ":")).encode() + b"\n"
        state.update(line)
        lines.append(line)
    lines.append(json.dumps({"end": state.hexdigest()}).encode() + b"\n")
    return gzip.compress(b"".join(lines), _LEVEL, mtime=0)


def _values(job: Job, ongoing: Ongoing) -> Iterator[object]:
    search, tally = ongoing.scheduler, ongoing.tally
    assert isinstance(search, Dfs)
    states = search.graph.states
    numbers = {state: number for number, state in enumerate(states)}
    paths = _Paths()
    for edge in (*search.todo, *search.later):
        paths.add(edge.path)
    for node in states.values():
        paths.add(node.reached)
    yield {
        "search": VERSION,
        "scenario": [job.scenario.name, scenario_digest(job.scenario)],
        "revision": job.revision.name,
        "model": model_digest(),
        "options": options_of(job),
        "figures": asdict(tally.figures),
    }
    yield {
        "failures": [
            [key, to_json(failure.violation), failure.choices, failure.preemptions]
            for key, failure in tally.failures.items()
        ],
        "passed_over": [[ids, count] for ids, count in ongoing.passed_over.items()],
        "level": search.level,
        "begun": search.begun,
        "left_out": search.left_out,
    }
    yield {"paths": paths.flat}
    for name, edges in (("todo", search.todo), ("later", search.later)):
        yield {
            name: [
                [
                    paths.number(edge.path),
                    edge.choice,
                    numbers[edge.state],
                    edge.bit,
                    edge.holder,
                    edge.preemptions,
                ]
                for edge in edges
            ]
        }
    yield {"states": len(states)}
    for key, node in states.items():
        yield [
            key.hex(),
            list(node.enabled),
            paths.number(node.reached),
            search.taken.get(key, 0),
            search.deferred.get(key, 0),
            [[list(labels), numbers[to]] for labels, to in node.out.values()],
        ]


class _Paths:
    """Numbers paths, those before them included, from 1; 0 is the empty one."""

    def __init__(self) -> None:
        self.flat: list[int] = []
        """Of each path the number of the one before, and its last choice."""
        self._numbers: dict[int, int] = {}
        """By identity, which lasts as long as the search that holds them."""

    def add(self, path: Path) -> None:
        new: list[tuple[Path, int]] = []
        while path is not None and id(path) not in self._numbers:
            new.append(path)
            path = path[0]
        for pair in reversed(new):
            self.flat += [self.number(pair[0]), pair[1]]
            self._numbers[id(pair)] = len(self.flat) // 2

    def number(self, path: Path) -> int:
        return 0 if path is None else self._numbers[id(path)]


def read_checkpoint(file: FilePath, job: Job) -> Ongoing:
    """The search, to go on with; raises InputError naming the line, or OSError.

    It is refused if it is not of this job's scenario, revision, model and options.
    """
    lines = _CheckpointLines(file)
    header = lines.next()
    if not isinstance(header, dict) or header.get("search") != VERSION:
        found = header.get("search") if isinstance(header, dict) else None
        if isinstance(found, int):
            raise InputError("line 1", f"is of version {found}; this tool reads {VERSION}")
        raise InputError("line 1", "is not that of a checkpoint")
    _check_same(header, job)
    ongoing = new_search(job)
    try:
        ongoing.tally.figures = decode(Figures, header["figures"], PLAIN, "figures")
        _fill(ongoing, lines)
    except InputError as error:
        raise InputError(f"line {lines.read}", f"{error.field}: {error.message}") from None
    except (AttributeError, IndexError, KeyError, TypeError, ValueError):
        raise InputError(f"line {lines.read}", _DAMAGED) from None
    return ongoing


def _check_same(header: dict[str, Any], job: Job) -> None:
    own: dict[str, Any] = {
        "scenario": [job.scenario.name, scenario_digest(job.scenario)],
        "revision": job.revision.name,
        "model": model_digest(),
    }
    if header.get("scenario") != own["scenario"]:
        name = header["scenario"][0] if isinstance(header.get("scenario"), list) else "?"
        if name == job.scenario.name:
            raise InputError("scenario", f"{name} was changed since")
        raise InputError("scenario", f"is of {name}, not of {job.scenario.name}")
    if header.get("revision") != own["revision"]:
        raise InputError("revision", f"is of {header.get('revision')}, not of {own['revision']}")
    if header.get("model") != own["model"]:
        raise InputError("model", "its sources were changed since")
    options, wanted = header.get("options"), options_of(job)
    if not isinstance(options, dict):
        raise InputError("options", "expected an object")
    for name in sorted(options.keys() | wanted.keys()):
        if options.get(name) != wanted.get(name):
            raise InputError(
                f"options.{name}", f"was {_short(options.get(name))}, is {_short(wanted.get(name))}"
            )


def _short(value: object) -> str:
    return f"{len(value)} of them" if isinstance(value, list) else json.dumps(value)


def _fill(ongoing: Ongoing, lines: "_CheckpointLines") -> None:
    search, tally = ongoing.scheduler, ongoing.tally
    assert isinstance(search, Dfs)
    whole = lines.next()
    for key, violation, choices, preemptions in whole["failures"]:
        found = Found(from_json(violation), tuple(choices), preemptions)
        tally.failures[str(key)] = found
    ongoing.passed_over = Counter({tuple(ids): count for ids, count in whole["passed_over"]})
    search.level, search.begun = whole["level"], whole["begun"]
    search.left_out = whole["left_out"]
    paths = _paths(lines.next()["paths"])
    todo, later = lines.next()["todo"], lines.next()["later"]
    rows = [lines.next() for _ in range(lines.next()["states"])]
    lines.end()
    keys = [bytes.fromhex(row[0]) for row in rows]
    same_enabled: dict[tuple[int, ...], Sequence[int]] = {}
    for key, (_, enabled, reached, taken, deferred, out) in zip(keys, rows, strict=True):
        choices = same_enabled.setdefault(tuple(enabled), enabled)
        node = StateNode(choices, paths[reached])
        node.out = {labels[0]: (tuple(labels), keys[to]) for labels, to in out}
        search.graph.states[key] = node
        search.taken[key] = taken
        if deferred:
            search.deferred[key] = deferred
    tally.states.update(keys)
    search.todo = list(_edges(todo, paths, keys))
    search.later = list(_edges(later, paths, keys))


def _paths(flat: Sequence[int]) -> list[Path]:
    paths: list[Path] = [None]
    for before, choice in zip(flat[::2], flat[1::2], strict=True):
        paths.append((paths[before], choice))
    return paths


def _edges(rows: Iterable[Any], paths: Sequence[Path], keys: Sequence[bytes]) -> Iterator[Edge]:
    for path, choice, state, bit, holder, preemptions in rows:
        yield Edge(paths[path], choice, keys[state], bit, holder, preemptions)


class _CheckpointLines:
    """Lines of a checkpoint; its last one says that it is whole."""

    def __init__(self, file: FilePath) -> None:
        data = file.read_bytes()
        self.read = 0
        """How many."""
        try:
            text = gzip.decompress(data)
        except (EOFError, zlib.error, gzip.BadGzipFile):
            reason = _DAMAGED if data[:2] == b"\x1f\x8b" else "is not that of a checkpoint"
            raise InputError("line 1", reason) from None
        self._lines = text.splitlines(keepends=True)
        self._digest = blake2b(digest_size=16)

    def next(self) -> Any:
        if self.read >= len(self._lines):
            raise InputError(f"line {self.read}", _DAMAGED)
        line = self._lines[self.read]
        self.read += 1
        self._digest.update(line)
        try:
            return json.loads(line)
        except ValueError:
            raise InputError(f"line {self.read}", "is not JSON") from None

    def end(self) -> None:
        expected = self._digest.hexdigest()
        last = self.next()
        if last != {"end": expected} or self.read != len(self._lines):
            raise ValueError
