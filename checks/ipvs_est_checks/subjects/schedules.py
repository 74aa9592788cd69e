"""Schedules of a scenario on a subject: one run, and the search through them.

A schedule is a list of choices, one for each step: the subject's number of the task that goes on,
or `TIME`. It is written as a word, such as 3.0x2.4, in which repeated choices are counted. After
its end the subject chooses: the task that ran goes on while it can. (SCHEMA.md, "Schedules")
"""

import re
from array import array
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from itertools import groupby
from typing import Any, Protocol

from ipvs_est.language.header import params_to_json
from ipvs_est.language.operation_json import operation_to_json
from ipvs_est_checks.explore.scenarios.scenario import Scenario
from ipvs_est_checks.history.subject_failure import FailureKind, SubjectError
from ipvs_est_checks.terminal.bad_input import BadInputError

TIME = 0
"""The choice that a jiffy passes."""
MAX_STEPS = 4096
"""Of one run; a longer one is cut off."""
MAX_CHOICE = 10**9
"""Numbers of choices are below this."""
ENDS = ("done", "deadlock", "stuck", "violation", "crash", "limit", "bad choice")
"""How a run can end."""
_WORD = re.compile(r"(?P<choice>\d{1,9})(x(?P<times>[1-9]\d{0,8}))?")
Ask = Callable[[dict[str, object]], dict[str, Any]]
"""Gives the subject a line, and gives back its answer."""
OnRun = Callable[[int], None]
"""Told how many schedules were tried."""
Fields = bool | tuple[str, ...]
"""Whether tasks also stop at shared fields: at none, all, or those of these names."""

# Any in this file: parsed JSON of a subject.


@dataclass(frozen=True, slots=True)
class RunStep:
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
class ScheduleOutcome:
    """What came of one schedule."""

    end: str
    """One of `ENDS`."""
    steps: tuple[RunStep, ...]
    violations: tuple[dict[str, Any], ...]
    """As in SCHEMA.md."""
    cycle: tuple[str, ...]
    """Of a deadlock: who waits for whom."""
    state: dict[str, Any] | None
    """The estimator's, unless the run crashed."""


@dataclass(frozen=True, slots=True)
class FailingRuns:
    """A way in which runs fail, and the first run that did."""

    cause: str
    """One line, the same for runs that fail alike."""
    run: ScheduleOutcome
    number: int
    """How many schedules were tried by then."""
    property: str = ""
    """Of the judge's, that is broken."""


@dataclass(frozen=True, slots=True)
class Searched:
    """The end of a search."""

    schedules: int
    steps: int
    exhausted: bool
    """Whether all schedules within the bound were tried."""
    failures: tuple[FailingRuns, ...]
    """Of distinct causes, in the order found."""


@dataclass(frozen=True, slots=True)
class ScheduleVerdict:
    """What a schedule broke."""

    cause: str
    """One line, the same for schedules that fail alike."""
    property: str
    """Its id."""
    steps: int | None
    """After how many steps; None: seen in the run as a whole."""


class ScheduleJudge(Protocol):
    """Says of a schedule what it broke, beside how it ended."""

    asks: dict[str, object]
    """Members that each schedule's line has for that, and its configuration."""

    def set_up(self, answers: Sequence[dict[str, Any]]) -> None:
        """Told what the setup's operations were answered."""
        ...

    def verdict(self, answer: dict[str, Any]) -> ScheduleVerdict | None:
        """Of the answer to one schedule; None: nothing is broken."""
        ...


class NotPreparedError(BadInputError):
    """The subject does not take the scenario; the text says why."""


def prepare(
    ask: Ask, scenario: Scenario, revision: str = "", judge: ScheduleJudge | None = None
) -> None:
    """Put the scenario's setup and tasks on the subject's machine. Raises NotPreparedError.

    `revision` is for a subject that knows it; '': its own choice.
    """
    configure: dict[str, object] = {"params": params_to_json(scenario.params)}
    if revision:
        configure["revision"] = revision
    if judge is not None and "events" in judge.asks:
        configure["watch"] = ["events"]
    _answered(ask, {"configure": configure}, scenario)
    answers = [
        _answered(ask, operation_to_json(operation), scenario) for operation in scenario.setup
    ]
    if judge is not None:
        judge.set_up(answers)
    for actor in scenario.actors:
        operations = [operation_to_json(operation) for operation in actor.operations]
        _answered(ask, {"task": actor.name, "operations": operations}, scenario)


def _answered(ask: Ask, line: dict[str, Any], scenario: Scenario) -> dict[str, Any]:
    answer: dict[str, Any] = ask(line)
    if "error" in answer:
        raise NotPreparedError(f"{scenario.name}: {_refusal(answer['error'])}")
    if "violation" in answer:
        raise NotPreparedError(f"{scenario.name}: its setup fails: {answer['violation']}")
    return answer


def _refusal(error: Any) -> str:
    if not isinstance(error, dict):
        raise _no_answer("error", "expected an object")
    where, message = (str(error.get(name, "")) for name in ("field", "message"))
    return f"{where}: {message}" if where else message


def run_schedule(ask: Ask, word: str, jiffies: int, *, fields: Fields) -> ScheduleOutcome:
    """Run one schedule, a word, from what was prepared; `fields`: also switch at shared fields.

    Raises BadInputError if the subject refuses it, SubjectError for an answer that is none.
    """
    return _whole(_ask(ask, {"schedule": word, "jiffies": jiffies, "fields": fields}))


def judged_schedule(
    ask: Ask, word: str, jiffies: int, *, fields: Fields, judge: ScheduleJudge
) -> tuple[ScheduleOutcome, ScheduleVerdict | None]:
    """The same, and what the judge says of it."""
    answer = _answer(ask, {"schedule": word, "jiffies": jiffies, "fields": fields, **judge.asks})
    return _whole(answer["schedule"]), judge.verdict(answer)


def _whole(answer: dict[str, Any]) -> ScheduleOutcome:
    steps = answer.get("steps")
    if not isinstance(steps, list):
        raise _no_answer("schedule.steps", "expected a list")
    return _run(answer, tuple(_step(step, index) for index, step in enumerate(steps)))


def _ask(ask: Ask, line: dict[str, Any]) -> dict[str, Any]:
    answer: dict[str, Any] = _answer(ask, line)["schedule"]
    return answer


def _answer(ask: Ask, line: dict[str, Any]) -> dict[str, Any]:
    found = ask(line)
    if "error" in found:
        raise BadInputError(_refusal(found["error"]))
    if not isinstance(found.get("schedule"), dict):
        raise _no_answer("schedule", "expected an object")
    return found


def _step(value: Any, index: int) -> RunStep:
    match value:
        case [int(chosen), [*choices], bool(goes_on), str(name), str(place)] if (
            all(type(choice) is int for choice in choices) and chosen in choices
        ):
            return RunStep(chosen, tuple(choices), goes_on, name, place)
        case _:
            expected = "expected [chosen, choices, goes_on, name, place]"
            raise _no_answer(f"schedule.steps[{index}]", expected)


def _run(answer: dict[str, Any], steps: tuple[RunStep, ...]) -> ScheduleOutcome:
    end = answer.get("end")
    if end not in ENDS:
        raise _no_answer("schedule.end", f"expected one of {', '.join(ENDS)}")
    violations = answer.get("violations", [])
    if not isinstance(violations, list) or not all(
        isinstance(violation, dict) and isinstance(violation.get("kind"), str)
        for violation in violations
    ):
        raise _no_answer("schedule.violations", "expected a list of violations")
    cycle = answer.get("cycle", [])
    if not isinstance(cycle, list) or not all(isinstance(entry, str) for entry in cycle):
        raise _no_answer("schedule.cycle", "expected a list of strings")
    state = answer.get("state")
    if state is not None and not isinstance(state, dict):
        raise _no_answer("schedule.state", "expected an object")
    return ScheduleOutcome(end, steps, tuple(violations), tuple(cycle), state)


def _followed(answer: dict[str, Any]) -> tuple[str, int, list[int]]:
    """The word of a run that was told in brief, its number of steps, where it may be left."""
    word, count, turns = answer.get("word"), answer.get("count"), answer.get("turns")
    if not isinstance(word, str):
        raise _no_answer("schedule.word", "expected a string")
    if type(count) is not int or not 0 <= count <= MAX_STEPS:
        raise _no_answer("schedule.count", f"expected an integer in 0..{MAX_STEPS}")
    if not isinstance(turns, list) or len(turns) % 3 or not _are_turns(turns, count):
        raise _no_answer("schedule.turns", "expected step, choice and cost, one after the other")
    return word, count, turns


def _are_turns(turns: list[Any], count: int) -> bool:
    return all(
        type(step) is int
        and 0 <= step < count
        and type(choice) is int
        and 0 <= choice < MAX_CHOICE
        and cost in (0, 1)
        for step, choice, cost in zip(turns[::3], turns[1::3], turns[2::3], strict=True)
    )


def _no_answer(where: str, message: str) -> SubjectError:
    return SubjectError(FailureKind.NO_ANSWER, f"{where}: {message}")


@dataclass(slots=True)
class _Turns:
    """Where schedules leave one run, the last to be tried first.

    A search has millions of them: of each there is only a step and another choice.
    """

    word: str
    """Of the run."""
    steps: "array[int]" = field(default_factory=lambda: array("H"))
    choices: "array[int]" = field(default_factory=lambda: array("I"))


@dataclass(frozen=True, slots=True)
class _Todo:
    """Schedules that are still to be tried, by the preemptions that they have."""

    stacks: list[list[_Turns]]

    def add(self, word: str, cost: int, turns: Sequence[int]) -> None:
        """Schedules that leave a run: step, other choice, what it costs, in one row."""
        for more in (0, 1):
            kept = _Turns(word)
            for at in range(0, len(turns), 3):
                if turns[at + 2] == more:
                    kept.steps.append(turns[at])
                    kept.choices.append(turns[at + 1])
            if kept.steps:
                self.stacks[cost + more].append(kept)

    def take(self) -> tuple[int, str, int] | None:
        """One with the fewest preemptions: their number, its word, its number of steps."""
        for cost, stack in enumerate(self.stacks):
            if stack:
                turns = stack[-1]
                step, choice = turns.steps.pop(), turns.choices.pop()
                if not turns.steps:
                    stack.pop()
                return cost, _leaving(turns.word, step, choice), step + 1
        return None


def _leaving(word: str, step: int, choice: int) -> str:
    """The word of the first steps, and another choice behind them."""
    words: list[str] = []
    left = step
    for part in word.split("."):
        if not left:
            break
        taken, _, times = part.partition("x")
        count = min(int(times or "1"), left)
        words.append(f"{taken}x{count}" if count > 1 else taken)
        left -= count
    return ".".join([*words, str(choice)])


def search(
    ask: Ask,
    scenario: Scenario,
    *,
    preemptions: int,
    fields: Fields,
    most: int,
    keep_going: bool = False,
    ends: Callable[[str], bool] = bool,
    on_run: OnRun | None = None,
    judge: ScheduleJudge | None = None,
) -> Searched:
    """Try the schedules with at most so many preemptions, at most `most` of them.

    Those with the fewest come first. The first failure of whose cause `ends` is true ends the
    search unless `keep_going`. `judge`: the one that was there when the scenario was prepared.
    Raises BadInputError and SubjectError as `run_schedule`.
    """
    asks = {} if judge is None else judge.asks
    failures: dict[str, FailingRuns] = {}
    todo = _Todo([[] for _ in range(preemptions + 1)])
    tried = steps = 0
    following: tuple[int, str, int] | None = (0, "", 0)
    while following is not None:
        if tried == most or (not keep_going and any(map(ends, failures))):
            break
        cost, word, fixed = following
        line = {"schedule": word, "jiffies": scenario.jiffies, "fields": fields}
        line |= {"from": fixed, "budget": preemptions - cost, **asks}
        answer = _answer(ask, line)
        document: dict[str, Any] = answer["schedule"]
        told_word, count, turns = _followed(document)
        tried += 1
        steps += count
        if on_run is not None:
            on_run(tried)
        cause = cause_of(_run(document, ()))
        # A state is judged where it is told first: the run that comes to it with the fewest
        # preemptions.
        broken = None if judge is None else judge.verdict(answer)
        for schedule_verdict in (broken, ScheduleVerdict(cause, "", None) if cause else None):
            if schedule_verdict is not None and schedule_verdict.cause not in failures:
                run = run_schedule(ask, told_word, scenario.jiffies, fields=fields)
                shown = first_steps(run, schedule_verdict.steps)
                failures[schedule_verdict.cause] = FailingRuns(
                    schedule_verdict.cause, shown, tried, schedule_verdict.property
                )
        todo.add(told_word, cost, turns)
        following = todo.take()
    return Searched(tried, steps, following is None, tuple(failures.values()))


def first_steps(run: ScheduleOutcome, count: int | None) -> ScheduleOutcome:
    """The run up to there, what came behind left out; None: all of it."""
    return run if count is None else replace(run, steps=run.steps[:count], state=None)


def cause_of(run: ScheduleOutcome) -> str:
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


def timeline(run: ScheduleOutcome) -> list[str]:
    """Who did what: a line for each time that another task went on, with the points it reached.

    A point is told before what is done there.
    """
    lines: list[str] = []
    for name, group in groupby(run.steps, key=lambda step: step.name):
        steps = list(group)
        places = ", ".join(step.place for step in steps if step.place)
        lines.append(f"  {name:<16} {places or f'({len(steps)})'}")
    return lines


def schedule_text(run: ScheduleOutcome) -> str:
    """The run's choices in a word, such as 3.0x2.4: repeated ones are counted."""
    return word_of([step.chosen for step in run.steps])


def word_of(choices: Sequence[int]) -> str:
    """These choices in a word."""
    words = []
    for choice, group in groupby(choices):
        count = len(list(group))
        words.append(f"{choice}x{count}" if count > 1 else str(choice))
    return ".".join(words)


def check_schedule(text: str) -> None:
    """Raises ValueError if the text is no word of a schedule."""
    steps = 0
    for word in text.split("."):
        found = _WORD.fullmatch(word)
        if found is None:
            raise ValueError(f"{word[:40]!r} is no part of a schedule")
        steps += int(found["times"] or "1")
    if steps > MAX_STEPS:
        raise ValueError(f"a schedule of more than {MAX_STEPS} steps")
