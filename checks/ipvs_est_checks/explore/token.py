"""Tokens: a schedule as a short text that replays it exactly.

`e1:SCENARIO:REVISION:RUNS`; a run is a thread's index, `t` (time) or `r` (RCU), with `x` and a
count if it has several steps in a row.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import groupby

from ipvs_est.header import find_revision
from ipvs_est.input_error import InputError
from ipvs_est.revision import Revision
from ipvs_est.violations import Violation, ViolationError
from ipvs_est_checks.explore.scenario import Scenario
from ipvs_est_checks.explore.world import RCU, TIME, World, enabled, start, step

VERSION = "e1"
_LETTERS = {TIME: "t", RCU: "r"}
_CHOICES = {letter: choice for choice, letter in _LETTERS.items()}
_RUN = re.compile(r"(\d{1,4}|[tr])(?:x(\d{1,6}))?", re.ASCII)


@dataclass(frozen=True, slots=True)
class Token:
    """A schedule of a scenario on a revision."""

    scenario: str
    revision: Revision
    choices: tuple[int, ...]


def token_text(scenario: str, revision: Revision, choices: Sequence[int]) -> str:
    """The token of a schedule."""
    runs: list[str] = []
    for choice, group in groupby(choices):
        count = sum(1 for _ in group)
        runs.append(_LETTERS.get(choice, str(choice)) + (f"x{count}" if count > 1 else ""))
    return f"{VERSION}:{scenario}:{revision.name}:{','.join(runs)}"


def token_from_text(text: str) -> Token:
    """The inverse; raises InputError."""
    parts = text.split(":")
    if len(parts) != 4 or parts[0] != VERSION:
        raise InputError("token", f"expected {VERSION}:SCENARIO:REVISION:RUNS")
    _, scenario, revision, runs = parts
    choices: list[int] = []
    for run in runs.split(","):
        match = _RUN.fullmatch(run)
        if match is None:
            raise InputError("token", f"{run[:40]!r} is no run such as 0, 2x7, t or r")
        choice = _CHOICES.get(match[1])
        choices.extend([int(match[1]) if choice is None else choice] * int(match[2] or 1))
    return Token(scenario, find_revision(revision, "token"), tuple(choices))


def replay_token(scenario: Scenario, token: Token) -> tuple[World, Violation | None]:
    """Run the token's schedule: the world at its end and the violation that it ends with.

    Raises InputError if the schedule cannot be followed.
    """
    world = start(scenario, token.revision)
    for number, choice in enumerate(token.choices, 1):
        if choice not in enabled(world):
            raise InputError("token", f"step {number}: {choice} cannot go on there")
        try:
            step(world, choice)
        except ViolationError as error:
            if number < len(token.choices):
                raise InputError("token", f"the history ends at step {number}") from None
            return world, error.violation
    return world, None
