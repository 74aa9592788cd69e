"""Tokens: a schedule as a short text that replays it exactly or not at all.

`e3:SCENARIO:REVISION:WORLD:RUNS:END`, with `PROPERTY:` before END if the schedule breaks one.
A run is a thread's number, `t` (time) or `r` (RCU), with `x` and a count if it has several steps
in a row. A token of a memory that is not sequentially consistent names it at once, as `e3-tso:`;
there a run can be `b` and a thread's number: its oldest store that waits reaches the others, with
`.1` the one after that, and so on. WORLD is a digest of what the scenario says, END one of the
history that the schedule is: each step as the timeline names it, and its failure. A scenario that
was changed, or a model in which the same choices are another history, is noticed.
"""

import json
import re
from collections.abc import Sequence
from dataclasses import dataclass
from hashlib import blake2b
from itertools import groupby
from urllib.parse import quote, unquote

from ipvs_est.language.header import find_revision, params_to_json
from ipvs_est.language.input_error import InputError
from ipvs_est.language.operation_json import operation_to_json
from ipvs_est.language.revision import Revision
from ipvs_est.language.violations import describe
from ipvs_est_checks.explore.engine.beginning import Fit, fit
from ipvs_est_checks.explore.engine.memory.order import MemoryOrder
from ipvs_est_checks.explore.engine.watch import WATCHED
from ipvs_est_checks.explore.engine.world import RCU, TIME, flush_choice, flush_of
from ipvs_est_checks.explore.scenarios.scenario import Scenario
from ipvs_est_checks.explore.timeline.steps import Timeline, timeline

VERSION = "e3"
MAX_STEPS = 1_000_000
_FORM = f"{VERSION}:SCENARIO:REVISION:WORLD:RUNS:END"
_FROM_THERE = "; --continue searches on from there"
_LETTERS = {TIME: "t", RCU: "r"}
_CHOICES = {letter: choice for choice, letter in _LETTERS.items()}
_RUN = re.compile(r"(?:(\d{1,4}|[tr])|b(\d{1,4})(?:\.(\d{1,2}))?)(?:x(\d{1,6}))?", re.ASCII)
_ORDERS = {
    VERSION if memory_order is MemoryOrder.SC else f"{VERSION}-{memory_order.value}": memory_order
    for memory_order in MemoryOrder
}
_DIGEST = re.compile(r"[0-9a-f]{8}", re.ASCII)


@dataclass(frozen=True, slots=True)
class Token:
    """A schedule of a scenario on a revision."""

    scenario: str
    """Its name."""
    revision: Revision
    world: str
    """Digest of the scenario."""
    choices: tuple[int, ...]
    end: str
    """Digest of the history."""
    watched: str = ""
    """Id of the property that the schedule breaks; '' if it fails otherwise."""
    order: MemoryOrder = MemoryOrder.SC


def token_text(
    scenario: Scenario,
    revision: Revision,
    choices: Sequence[int],
    watched: str = "",
    order: MemoryOrder = MemoryOrder.SC,
) -> str:
    """The token of a schedule, in which a property may be watched; raises InputError if it cannot
    be followed."""
    runs: list[str] = []
    for choice, group in groupby(choices):
        count = sum(1 for _ in group)
        runs.append(_choice_text(choice) + (f"x{count}" if count > 1 else ""))
    end = _history_digest(timeline(scenario, revision, choices, watched, order), watched)
    name = quote(scenario.name, safe="")
    world = scenario_digest(scenario)
    parts = [
        next(prefix for prefix, memory_order in _ORDERS.items() if memory_order is order),
        name,
        revision.name,
        world,
        ",".join(runs),
        *([watched] if watched else []),
        end,
    ]
    return ":".join(parts)


def _choice_text(choice: int) -> str:
    flushed = flush_of(choice)
    if flushed is None:
        return _LETTERS.get(choice, str(choice))
    index, number = flushed
    return f"b{index}.{number}" if number else f"b{index}"


def is_token(text: str) -> bool:
    """Whether the text begins as a token does, of whatever version."""
    return re.match(r"e\d+(-\w+)?:", text, re.ASCII) is not None


def token_from_text(text: str) -> Token:
    """The inverse; raises InputError."""
    parts = text.split(":")
    if parts[0] != VERSION and re.fullmatch(r"e\d+", parts[0], re.ASCII):
        raise InputError("token", f"is of version {parts[0]}; this tool reads {VERSION}")
    order = _ORDERS.get(parts[0])
    if len(parts) not in (6, 7) or order is None:
        raise InputError("token", f"expected {_FORM}")
    _, scenario, revision, world, runs, *watched, end = parts
    for item in watched:
        if item not in WATCHED:
            raise InputError("token", f"{item[:40]!r} is no property that is watched")
    for name, digest in (("WORLD", world), ("END", end)):
        if _DIGEST.fullmatch(digest) is None:
            raise InputError("token", f"{name} is not 8 hexadecimal digits: cut off?")
    choices: list[int] = []
    for run in runs.split(","):
        match = _RUN.fullmatch(run)
        if match is None:
            raise InputError("token", f"{run[:40]!r} is no run such as 0, 2x7, t or r")
        choices.extend([_choice_of(match)] * int(match[4] or 1))
        if len(choices) > MAX_STEPS:
            raise InputError("token", f"has more than {MAX_STEPS} steps")
    found = find_revision(revision, "token")
    return Token(unquote(scenario), found, world, tuple(choices), end, "".join(watched), order)


def _choice_of(run: re.Match[str]) -> int:
    if run[2] is not None:
        return flush_choice(int(run[2]), int(run[3] or 0))
    choice = _CHOICES.get(run[1])
    return int(run[1]) if choice is None else choice


def replay_token(scenario: Scenario, token: Token) -> Timeline:
    """The token's history; raises InputError if it is not that of this scenario and model."""
    if scenario_digest(scenario) != token.world:
        raise InputError(
            "token",
            f"is of another scenario than {scenario.name} is now{_still_fits(scenario, token)}",
        )
    try:
        replayed = timeline(scenario, token.revision, token.choices, token.watched, token.order)
    except InputError as error:
        raise InputError(error.field, f"{error.message}{_FROM_THERE}") from None
    if _history_digest(replayed, token.watched) != token.end:
        raise InputError(
            "token",
            "is of another version of the model: its history is not this"
            f"{_still_fits(scenario, token)}",
        )
    return replayed


def _still_fits(scenario: Scenario, token: Token) -> str:
    found = fit(scenario, token.revision, token.choices, token.order)
    return f"; {fit_text(found, len(token.choices))}{_FROM_THERE}"


def fit_text(found: Fit, steps: int) -> str:
    """How much of a schedule of so many steps can be followed."""
    if not found.why:
        return f"all its {steps} steps can be made"
    return f"{len(found.choices)} of its {steps} steps can be made: {found.why}"


def scenario_digest(scenario: Scenario) -> str:
    """8 hexadecimal digits, of all that matters to a schedule: neither names nor how the file is
    laid out."""
    content = {
        "params": params_to_json(scenario.params),
        "setup": [operation_to_json(operation) for operation in scenario.setup],
        "tasks": [
            [actor.name, [operation_to_json(step) for step in actor.operations]]
            for actor in scenario.actors
        ],
        "jiffies": scenario.jiffies,
    }
    return _digest(json.dumps(content, sort_keys=True))


def _history_digest(replayed: Timeline, watched: str) -> str:
    """Of each step and the failure: what a reader sees, so the same on every Python."""
    lines = [
        f"{replayed.columns[step.column]} {step.function} {step.action} {step.jiffy}"
        for step in replayed.steps
    ]
    lines.append(watched)
    lines.append("" if replayed.violation is None else describe(replayed.violation))
    return _digest("\n".join(lines))


def _digest(text: str) -> str:
    return blake2b(text.encode(), digest_size=4).hexdigest()
