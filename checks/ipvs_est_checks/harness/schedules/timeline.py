"""A schedule of a tree's code as a timeline, with the lines of the source."""

import re
from collections.abc import Iterator, Sequence
from itertools import groupby
from pathlib import Path

from ipvs_est_checks.explore.scenarios.scenario import Scenario
from ipvs_est_checks.explore.timeline.steps import TimelineStep
from ipvs_est_checks.explore.timeline.text import step_lines
from ipvs_est_checks.harness.schedules.conflicts import source_places
from ipvs_est_checks.subjects.schedules import Ask, Fields, RunStep, ScheduleOutcome, schedule_text

_PLACE = re.compile(r"(?P<function>\S+) \((?P<file>\S+):(?P<line>\d+)\)")
_TIME = "time"
_VERBS = {"read": "reads", "write": "writes"}
"""As the timelines of the model say it."""


def code_lines(
    ask: Ask, executable: Path, scenario: Scenario, run: ScheduleOutcome, fields: Fields
) -> Iterator[str]:
    """The run, which is followed again to see where in the source its tasks stood."""
    line = {"schedule": schedule_text(run), "jiffies": scenario.jiffies, "fields": fields}
    # Any: parsed JSON of our own program.
    frames = ask({**line, "frames": True})["schedule"]["frames"]
    places = source_places(executable, {entry for some in frames for entry in some})
    where = [next((places[entry] for entry in some if places[entry]), "") for some in frames]
    # A run that a state ended is shown up to there.
    steps = list(zip(run.steps, where, strict=False))
    names = dict.fromkeys(step.name for step, _ in steps if step.name != _TIME)
    columns = (*names, *([_TIME] if any(step.name == _TIME for step, _ in steps) else []))
    yield from step_lines(columns, list(_told(steps, columns)))


def _told(steps: Sequence[tuple[RunStep, str]], columns: Sequence[str]) -> Iterator[TimelineStep]:
    before = 0
    for name, group in groupby(steps, key=lambda step: step[0].name):
        seen = list(group)
        column = columns.index(name)
        if name == _TIME:
            count = len(seen)
            passes = "a jiffy passes" if count == 1 else f"{count} jiffies pass"
            yield _step(column, "", passes, preempts=seen[0][0].goes_on)
        else:
            for at, (step, where) in enumerate(seen):
                switched = at == 0 and bool(before) and step.goes_on
                yield _step(column, *_words(step, where), preempts=switched)
        before += len(seen)


def _words(step: RunStep, where: str) -> tuple[str, str]:
    """The function, with its file, and what the task does there."""
    verb, _, rest = step.place.partition(" ")
    action = f"{_VERBS.get(verb, verb)} {rest}".strip() or "begins"
    found = _PLACE.fullmatch(where)
    if found is None:
        return "", action
    file = found["file"].rpartition("/")[2]
    return f"{found['function']}, {file}", f"{action} :{found['line']}"


def _step(column: int, function: str, action: str, *, preempts: bool) -> TimelineStep:
    return TimelineStep(column, function, action, preempts, (), 0, (), ())
