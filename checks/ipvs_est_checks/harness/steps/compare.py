"""Random schedules of a scenario, on the model and on a tree's code, until they part."""

from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from random import Random
from typing import Any

from ipvs_est.language.difference import first_difference
from ipvs_est.language.revision import Revision
from ipvs_est.language.violations import Deadlock, describe
from ipvs_est_checks.explore.engine.world import start
from ipvs_est_checks.explore.scenarios.scenario import Scenario
from ipvs_est_checks.harness.process import AskAll
from ipvs_est_checks.harness.steps.code_side import (
    CodePoint,
    CodeRun,
    code_run,
    follow,
    follow_line,
)
from ipvs_est_checks.harness.steps.model_side import (
    Choose,
    CommonPoint,
    ModelRun,
    ModelTurn,
    run_model,
)
from ipvs_est_checks.harness.steps.points import may_be_passed
from ipvs_est_checks.subjects.schedules import Ask

# Any in this file: snapshots as JSON.

MOST_STEPS = 150
"""Of a schedule; a longer one is cut off."""
SNAPSHOTS_EVERY = 16
"""One schedule of so many has a snapshot at each common point, the others one at their end."""
TOGETHER = 32
"""Schedules that a program is given at once."""
_OWN = ("version", "revision", "params", "memory", "violations", "clock_ns")
"""Parts of a snapshot that are not compared: names and the heap's numbering are each side's own;
the clock of a limits test that is given up stands where its last test was, and nobody reads it."""
_OF_TASK = ("state", "wake_at", "waits_for")
"""Not compared in a snapshot, since each side has its own words for where a task stands: who can
go on and where the task stands that did are compared at every point."""


@dataclass(frozen=True, slots=True)
class Parting:
    """The first difference between the two in one schedule."""

    step: int
    """Index of the common point; 0 is before the first step."""
    what: str
    """What differs, in words."""
    model: ModelRun
    code: CodeRun


@dataclass(slots=True)
class Compared:
    """How much was compared so far."""

    schedules: int = 0
    points: int = 0
    snapshots: int = 0
    failures: Counter[str] = field(default_factory=Counter)
    """Schedules that ended in a failure of both sides, by its kind."""

    def add(self, other: "Compared") -> None:
        """Count what another has compared as well."""
        self.schedules += other.schedules
        self.points += other.points
        self.snapshots += other.snapshots
        self.failures += other.failures


@dataclass(frozen=True, slots=True)
class Pair:
    """Both sides, ready for the same scenario."""

    scenario: Scenario
    revision: Revision
    ask: Ask
    """Of the program, which is prepared."""


def random_choices(seed: int, scenario: str, number: int) -> Choose:
    """A random schedule: the task that went on goes on again with a likelihood of its own."""
    numbers = Random(f"{seed}:{scenario}:{number}")
    stays = numbers.random()
    last: int | None = None

    def choose(made: Sequence[int], able: Sequence[int], steps: Sequence[ModelTurn]) -> int | None:
        nonlocal last
        del made, steps
        if last not in able or numbers.random() >= stays:
            last = numbers.choice(able)
        return last

    return choose


def compare_schedules(
    pair: Pair,
    ask_all: AskAll,
    seed: int,
    count: int,
    done: Compared,
    on_schedule: Callable[[], None] = lambda: None,
) -> Parting | None:
    """Compare that many schedules; the first in which the two part, if there is one.

    The program follows some while the model runs the next ones.
    """
    answers: Iterator[dict[str, Any]] = iter(())
    waiting: list[ModelRun] = []
    for first in range(0, count + TOGETHER, TOGETHER):
        numbers = range(first, min(first + TOGETHER, count))
        models = [_model(pair, seed, number) for number in numbers]
        for model, answer in zip(waiting, answers, strict=True):
            parting = _compared(pair, model, code_run(answer), done)
            on_schedule()
            if parting is not None:
                # What was asked for besides comes before any other answer.
                for _ in answers:
                    pass
                return parting
        answers = ask_all(
            [
                follow_line(model.steps, snapshots=_is_whole(number))
                for number, model in zip(numbers, models, strict=True)
            ]
        )
        waiting = models
    return None


def _is_whole(number: int) -> bool:
    return number % SNAPSHOTS_EVERY == 0


def _model(pair: Pair, seed: int, number: int) -> ModelRun:
    choose = random_choices(seed, pair.scenario.name, number)
    world = start(pair.scenario, pair.revision)
    return run_model(world, choose, most=MOST_STEPS, snapshots=_is_whole(number))


def compare_one(pair: Pair, choose: Choose, done: Compared) -> Parting | None:
    """Compare one schedule, with a snapshot at each point; where the two part, if they do."""
    world = start(pair.scenario, pair.revision)
    model = run_model(world, choose, most=MOST_STEPS, snapshots=True)
    return compare_run(pair, model, done)


def compare_run(pair: Pair, model: ModelRun, done: Compared) -> Parting | None:
    """The same for a schedule that the model has run."""
    return _compared(pair, model, follow(pair.ask, model.steps, snapshots=True), done)


def _compared(pair: Pair, model: ModelRun, code: CodeRun, done: Compared) -> Parting | None:
    actors = frozenset(actor.name for actor in pair.scenario.actors)
    found = _first_difference(model, code, actors, done)
    done.schedules += 1
    if model.violation is not None:
        done.failures[model.violation.kind] += 1
    return None if found is None else Parting(*found, model, code)


def _first_difference(
    model: ModelRun, code: CodeRun, actors: frozenset[str], done: Compared
) -> tuple[int, str] | None:
    for at, (moment, point) in enumerate(zip(model.moments, code.points, strict=False)):
        step = model.steps[at - 1] if at else None
        what = _difference(moment, point, step, actors)
        done.points += 1
        done.snapshots += moment.snapshot is not None and point.snapshot is not None
        if what:
            return at, what
    return _difference_of_ends(model, code)


def _difference(
    moment: CommonPoint, point: CodePoint, step: ModelTurn | None, actors: frozenset[str]
) -> str:
    place = "" if step is None else step.place
    if point.place != place:
        return f"the model stands at {place!r}, the code at {point.place!r}"
    for name in point.passed:
        if not may_be_passed(name):
            return f"the code stood at {name!r} on the way, which the table of points does not have"
    if point.able != moment.able:
        able, others = ", ".join(moment.able), ", ".join(point.able)
        return f"in the model {able or 'nobody'} can go on, in the code {others or 'nobody'}"
    if point.callbacks != moment.callbacks:
        return f"{moment.callbacks} RCU callbacks wait in the model, {point.callbacks} in the code"
    if moment.snapshot is None or point.snapshot is None:
        return ""
    expected, found = _comparable(moment.snapshot, point.snapshot, actors)
    difference = None if expected == found else first_difference(expected, found)
    if difference is None:
        return ""
    return (
        f"snapshot: {difference.path} is {difference.recorded} in the model,"
        f" {difference.computed} in the code"
    )


def _difference_of_ends(model: ModelRun, code: CodeRun) -> tuple[int, str] | None:
    at = min(len(model.moments), len(code.points))
    failed = model.violation is not None and not isinstance(model.violation, Deadlock)
    if code.violations and not failed:
        first = code.violations[0]
        where = f" in {first['where']}" if first.get("where") else ""
        return (
            at - 1,
            f"the code fails, the model does not: {first['kind']}: {first['thing']}{where}",
        )
    if failed and not code.violations:
        assert model.violation is not None
        return at, f"the model fails, the code does not: {describe(model.violation)}"
    if not failed and len(code.points) < len(model.moments):
        return at, "the code has come to its end"
    return None


def _comparable(
    model: dict[str, Any], code: dict[str, Any], actors: frozenset[str]
) -> tuple[dict[str, Any], dict[str, Any]]:
    """What of the two snapshots has to be equal."""
    owner = model["mutexes"][0]["owner"]
    expected, found = _without_own(model), _without_own(code)
    if owner in actors or not model["state"]["enable"]:
        # The harness enters an object in its table, and takes it out, when who asked for that has
        # returned, and all of them when netns exit has.
        known = {entry["id"] for entry in expected["objects"]} & {
            entry["id"] for entry in found["objects"]
        }
        for entry in (expected, found):
            entry["objects"] = [one for one in entry["objects"] if one["id"] in known]
            del entry["services"], entry["dests"]
    return expected, found


def _without_own(snapshot: dict[str, Any]) -> dict[str, Any]:
    found = {name: entry for name, entry in snapshot.items() if name not in _OWN}
    found["mutexes"] = [entry["owner"] for entry in snapshot["mutexes"]]
    # The harness tells one that is being added behind those of its table.
    found["objects"] = sorted(snapshot["objects"], key=lambda entry: int(entry["id"]))
    found["contexts"] = [entry and _context(entry) for entry in snapshot["contexts"]]
    found["work"] = {
        name: entry for name, entry in snapshot["work"].items() if name not in _OF_TASK
    }
    return found


def _context(context: dict[str, Any]) -> dict[str, Any]:
    task = context["task"]
    kept = task and {name: entry for name, entry in task.items() if name not in _OF_TASK}
    return {**context, "task": kept}
