"""Schedules of a scenario on a tree's code: one run, and the search through them.

A schedule is a list of choices, one for each step: the age of the task that goes on, or `TIME`.
After its end the task that ran goes on while it can, else the oldest one that can.
"""

import json
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from itertools import groupby
from typing import Any

from ipvs_est.language.header import params_to_json
from ipvs_est.language.operation_json import operation_to_json
from ipvs_est_checks.cli.bad_input import BadInputError
from ipvs_est_checks.explore.scenarios.scenario import Scenario
from ipvs_est_checks.harness.process import Program, ask

TIME = 0
"""The choice that a jiffy passes."""
MAX_STEPS = 4096
"""Of one run; a longer one is cut off."""
_WORD = re.compile(r"(?P<choice>\d{1,9})(x(?P<times>[1-9]\d{0,8}))?")
OnRun = Callable[[int], None]
"""Told how many schedules were tried."""

# Any in this file: parsed JSON of our own program.


@dataclass(frozen=True, slots=True)
class Step:
    """One step of a run."""

    chosen: int
    choices: tuple[int, ...]
    """What could have been chosen, time last."""
    goes_on: bool
    """Whether the task of the step before could have gone on."""
    name: str
    """Of the task that went on, or `time`."""
    place: str
    """The point at which it stood; empty before its first."""


@dataclass(frozen=True, slots=True)
class Run:
    """What came of one schedule."""

    end: str
    """done, deadlock, stuck, violation, crash or limit."""
    steps: tuple[Step, ...]
    violations: tuple[dict[str, Any], ...]
    """As in SCHEMA.md."""
    cycle: tuple[str, ...]
    """Of a deadlock: who waits for whom."""
    state: dict[str, Any] | None
    """The estimator's, unless the run crashed."""


@dataclass(frozen=True, slots=True)
class Failure:
    """A way in which runs fail, and the first run that did."""

    cause: str
    """One line, the same for runs that fail alike."""
    run: Run
    number: int
    """How many schedules were tried by then."""


@dataclass(frozen=True, slots=True)
class Searched:
    """The end of a search."""

    schedules: int
    steps: int
    exhausted: bool
    """Whether all schedules within the bound were tried."""
    failures: tuple[Failure, ...]
    """Of distinct causes, in the order found."""


def prepare(program: Program, scenario: Scenario) -> None:
    """Put the scenario's setup and tasks on the program's machine. Raises BadInputError."""
    params = params_to_json(scenario.params)
    _told(program, {"configure": {"params": params}}, scenario)
    for operation in scenario.setup:
        _told(program, operation_to_json(operation), scenario)
    for actor in scenario.actors:
        operations = [operation_to_json(each) for each in actor.operations]
        _told(program, {"task": actor.name, "operations": operations}, scenario)


def _told(program: Program, line: dict[str, Any], scenario: Scenario) -> dict[str, Any]:
    told: dict[str, Any] = json.loads(ask(program, json.dumps(line).encode() + b"\n"))
    if "error" in told:
        error = told["error"]
        raise BadInputError(f"{scenario.name}: {error['field']}: {error['message']}")
    if "violation" in told:
        raise BadInputError(f"{scenario.name}: its setup fails: {told['violation']}")
    return told


def run_schedule(program: Program, choices: tuple[int, ...], jiffies: int, *, fields: bool) -> Run:
    """Run one schedule from what was prepared; `fields`: also switch at shared fields."""
    line = {"schedule": list(choices), "jiffies": jiffies, "fields": fields}
    told = json.loads(ask(program, json.dumps(line).encode() + b"\n"))["schedule"]
    steps = tuple(
        Step(chosen, tuple(choices), goes_on, name, place)
        for chosen, choices, goes_on, name, place in told["steps"]
    )
    return Run(
        told["end"],
        steps,
        tuple(told.get("violations", ())),
        tuple(told.get("cycle", ())),
        told.get("state"),
    )


def search(
    program: Program,
    scenario: Scenario,
    *,
    preemptions: int,
    fields: bool,
    most: int,
    keep_going: bool = False,
    ends: Callable[[str], bool] = bool,
    on_run: OnRun | None = None,
) -> Searched:
    """Try the schedules with at most so many preemptions, at most `most` of them.

    Those with the fewest come first. The first failure of whose cause `ends` is true ends the
    search unless `keep_going`.
    """
    failures: dict[str, Failure] = {}
    # By preemptions: the schedules that are still to be tried.
    todo: list[list[tuple[int, ...]]] = [[] for _ in range(preemptions + 1)]
    todo[0].append(())
    tried = steps = 0
    while (cost := next((cost for cost, each in enumerate(todo) if each), None)) is not None:
        if tried == most or (not keep_going and any(map(ends, failures))):
            break
        prefix = todo[cost].pop()
        run = run_schedule(program, prefix, scenario.jiffies, fields=fields)
        tried += 1
        steps += len(run.steps)
        if on_run is not None:
            on_run(tried)
        cause = cause_of(run)
        if cause and cause not in failures:
            failures[cause] = Failure(cause, run, tried)
        for schedule, more in _deviations(run, len(prefix)):
            if cost + more <= preemptions:
                todo[cost + more].append(schedule)
    return Searched(tried, steps, not any(todo), tuple(failures.values()))


def _deviations(run: Run, fixed: int) -> Iterator[tuple[tuple[int, ...], int]]:
    """The schedules that leave this run at one step behind its prefix, and the preemptions that
    this costs."""
    chosen = tuple(each.chosen for each in run.steps)
    for number, step in enumerate(run.steps[fixed:], start=fixed):
        for choice in step.choices:
            if choice != step.chosen:
                # Time that passes while somebody can run is a delay of who is not chosen.
                yield (*chosen[:number], choice), int(step.goes_on or choice == TIME)


def cause_of(run: Run) -> str:
    """In one line why the run failed; empty if it did not."""
    if run.end == "deadlock":
        return "deadlock: " + "; ".join(run.cycle)
    if run.end == "stuck":
        return "a control process waits for ever"
    if run.violations:
        first = run.violations[0]
        where = first.get("where") or ""
        return f"{first['kind']}: {first.get('thing', '')}{' in ' if where else ''}{where}"
    return "" if run.end in ("done", "limit") else run.end


def timeline(run: Run) -> list[str]:
    """Who did what: a line for each time that another task went on, with the points it reached.

    A point is told before what is done there.
    """
    lines: list[str] = []
    for name, group in groupby(run.steps, key=lambda step: step.name):
        steps = list(group)
        places = ", ".join(each.place for each in steps if each.place)
        lines.append(f"  {name:<16} {places or f'({len(steps)})'}")
    return lines


def schedule_text(run: Run) -> str:
    """The run's choices in a word, such as 3.0x2.4: repeated ones are counted."""
    words = []
    for choice, group in groupby(each.chosen for each in run.steps):
        count = len(list(group))
        words.append(f"{choice}x{count}" if count > 1 else str(choice))
    return ".".join(words)


def schedule_from_text(text: str) -> tuple[int, ...]:
    """The inverse of `schedule_text`. Raises ValueError."""
    choices: list[int] = []
    for word in text.split("."):
        found = _WORD.fullmatch(word)
        if found is None:
            raise ValueError(f"{word[:40]!r} is no part of a schedule")
        times = int(found["times"] or "1")
        if len(choices) + times > MAX_STEPS:
            raise ValueError(f"a schedule of more than {MAX_STEPS} steps")
        choices += [int(found["choice"])] * times
    return tuple(choices)
