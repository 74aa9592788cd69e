"""Schedules as text, what is told of a run, and the search, on a made program."""

import tracemalloc
from collections.abc import Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path
from typing import Any

import pytest

from ipvs_est_checks.cli.commands.explore_subject import SearchedScenario, replay_on
from ipvs_est_checks.explore.scenarios.scenario import Scenario, load
from ipvs_est_checks.history.subject_failure import FailureKind, SubjectError
from ipvs_est_checks.subjects.minimised import minimised
from ipvs_est_checks.subjects.schedules import (
    Ask,
    FailingRuns,
    Fields,
    RunStep,
    ScheduleOutcome,
    cause_of,
    check_schedule,
    run_schedule,
    schedule_text,
    search,
    timeline,
)
from ipvs_est_checks.subjects.subject import Subject, asking, start_subject, stop_subject
from ipvs_est_checks.terminal.bad_input import BadInputError

# Two tasks of three steps each; it fails when B's first step comes between A's second and third.
MADE = """\
#!/usr/bin/env python3
import json, sys
print('{"protocol":1,"operations":[],"gives":{"schedules":1}}', flush=True)
for line in sys.stdin:
    asked = json.loads(line)
    wanted = []
    for part in filter(None, asked["schedule"].split(".")):
        choice, _, times = part.partition("x")
        wanted += [int(choice)] * int(times or 1)
    left, last, steps, order = {1: 3, 2: 3}, None, [], ""
    while any(left.values()):
        choices = [age for age in left if left[age]]
        goes_on = last in choices
        choice = wanted[len(steps)] if len(steps) < len(wanted) else (
            last if goes_on else choices[0])
        steps.append([choice, choices, goes_on, "AB"[choice - 1], f"p{4 - left[choice]}"])
        left[choice] -= 1
        last = choice
        order += "AB"[choice - 1]
    word = ".".join(str(step[0]) for step in steps)
    turns = []
    for number, (chosen, choices, goes_on, _, _) in enumerate(steps):
        for choice in choices:
            within = goes_on <= asked.get("budget", 0)
            if number >= asked.get("from", 0) and choice != chosen and within:
                turns += [number, choice, int(goes_on)]
    outcome = {"end": "done", "word": word, "count": len(steps), "turns": turns, "steps": steps}
    if order.startswith("AAB"):
        violation = {"kind": "made", "thing": "x", "where": "f"}
        outcome |= {"end": "violation", "violations": [violation]}
    print(json.dumps({"schedule": outcome}), flush=True)
"""


# Every run has a thousand steps, each of which can be left in three ways that cost nothing.
LONG = """\
#!/usr/bin/env python3
import json
print('{"protocol":1,"operations":[],"gives":{"schedules":1}}', flush=True)
turns = [number for step in range(1000) for age in (2, 3, 4) for number in (step, age, 0)]
answer = {"end": "done", "word": "1x1000", "count": 1000, "turns": turns}
while input():
    print(json.dumps({"schedule": answer}), flush=True)
"""


def program_of(text: str, path: Path) -> Path:
    path.write_text(text)
    path.chmod(0o755)
    return path


@contextmanager
def started(path: Path) -> Iterator[Subject]:
    subject = start_subject(str(path), 60)
    try:
        yield subject
    finally:
        stop_subject(subject)


class Nothing:
    """A subject that is never asked."""

    def why_not(self, scenario: Scenario) -> str:
        return f"{scenario.name} is not tried"

    def started(self, scenario: Scenario) -> AbstractContextManager[Subject]:
        raise AssertionError(scenario.name)

    def lines(
        self, ask: Ask, scenario: Scenario, run: ScheduleOutcome, fields: Fields
    ) -> Iterator[str]:
        raise AssertionError(scenario.name)


@pytest.fixture
def made(tmp_path: Path) -> Path:
    return program_of(MADE, tmp_path / "made")


def run_of(
    steps: Sequence[tuple[int, str, str]], end: str = "done", **more: Any
) -> ScheduleOutcome:
    answer = {"violations": (), "cycle": (), "state": None, **more}
    return ScheduleOutcome(
        end, tuple(RunStep(age, (age,), True, name, at) for age, name, at in steps), **answer
    )


def test_a_schedule_is_a_word() -> None:
    run = run_of([(3, "CTL", ""), (0, "time", ""), (0, "time", ""), (2, "ipvs-e:0", "")])
    assert schedule_text(run) == "3.0x2.2"
    check_schedule("3.0x2.2")


@pytest.mark.parametrize("text", ["", "a", "1x", "1x0", "1x4097", "1.", "1x4096.1"])
def test_a_word_that_is_no_schedule_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="schedule"):
        check_schedule(text)


def test_steps_of_one_task_in_a_row_are_told_together() -> None:
    run = run_of([(3, "CTL", "lock a"), (3, "CTL", "lock b"), (0, "time", ""), (0, "time", "")])
    assert timeline(run) == ["  CTL              lock a, lock b", "  time             (2)"]


def test_a_cause_is_the_same_for_runs_that_fail_alike() -> None:
    assert cause_of(run_of([])) == ""
    assert cause_of(run_of([], "stuck")) == "a control process waits for ever"
    assert cause_of(run_of([], "deadlock", cycle=("a: waits for b", "b: waits for a"))) == (
        "deadlock: a: waits for b; b: waits for a"
    )
    seen = ({"kind": "use-after-free", "thing": "kd.task", "where": "CTL"},)
    assert cause_of(run_of([], "violation", violations=seen)) == "use-after-free: kd.task in CTL"


def test_the_search_finds_what_a_preemption_shows_and_not_without(made: Path) -> None:
    scenario = load("last-estimator-goes")
    with started(made) as subject:
        without = search(asking(subject), scenario, preemptions=0, fields=False, most=100)
        found = search(asking(subject), scenario, preemptions=1, fields=False, most=100)
    # Either of the two goes first, to its end.
    assert (without.schedules, without.exhausted, without.failures) == (2, True, ())
    (failure,) = found.failures
    assert failure.cause == "made: x in f"
    assert schedule_text(failure.run) == "1x2.2x3.1"


def test_the_search_counts_every_schedule_within_its_bound(made: Path) -> None:
    scenario = load("last-estimator-goes")
    with started(made) as subject:
        all_of_them = [
            search(
                asking(subject),
                scenario,
                preemptions=bound,
                fields=False,
                most=1000,
                keep_going=True,
            ).schedules
            for bound in range(6)
        ]
        cut = search(
            asking(subject), scenario, preemptions=5, fields=False, most=7, keep_going=True
        )
    # Orders of AAABBB by the number of switches while the task left could go on; 20 in all.
    assert all_of_them == [2, 6, 14, 18, 20, 20]
    assert (cut.schedules, cut.exhausted) == (7, False)


def test_a_schedule_that_was_found_runs_again_the_same(made: Path) -> None:
    with started(made) as subject:
        again = run_schedule(asking(subject), "1x2.2x3.1", 10, fields=False)
        shorter = run_schedule(asking(subject), "1x2.2", 10, fields=False)
    assert cause_of(again) == "made: x in f"
    assert again == shorter


def test_a_long_search_keeps_little_of_what_is_still_to_be_tried(tmp_path: Path) -> None:
    """Of 60,000 schedules each a list of its choices would be half a gigabyte."""
    scenario = load("last-estimator-goes")
    tracemalloc.start()
    with started(program_of(LONG, tmp_path / "long")) as subject:
        found = search(asking(subject), scenario, preemptions=0, fields=False, most=20)
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert (found.schedules, found.steps, found.exhausted) == (20, 20_000, False)
    assert peak < 4 * 2**20


def test_a_token_of_another_kind_is_refused() -> None:
    with pytest.raises(BadInputError, match="begins neither by"):
        replay_on(
            SearchedScenario("", Nothing()), load("last-estimator-goes"), "x1.abc", frozenset()
        )


@pytest.mark.parametrize(
    ("answer", "field"),
    [
        ({}, "schedule: "),
        ({"schedule": {"end": "fine", "steps": []}}, "schedule.end: "),
        ({"schedule": {"end": "done"}}, "schedule.steps: "),
        ({"schedule": {"end": "done", "steps": [[1, [2], True, "A", ""]]}}, "schedule.steps[0]: "),
        ({"schedule": {"end": "done", "steps": [], "violations": [7]}}, "schedule.violations: "),
        ({"schedule": {"end": "deadlock", "steps": [], "cycle": "A"}}, "schedule.cycle: "),
    ],
)
def test_an_outcome_that_is_none_is_told_by_its_field(answer: dict[str, Any], field: str) -> None:
    with pytest.raises(SubjectError) as caught:
        run_schedule(lambda line: answer, "", 10, fields=False)
    assert caught.value.failure.kind is FailureKind.NO_ANSWER
    assert str(caught.value).startswith(field)


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"word": 1}, "schedule.word: "),
        ({"count": 4097}, "schedule.count: "),
        ({"turns": [0, 1]}, "schedule.turns: "),
        ({"turns": [1, 1, 0]}, "schedule.turns: "),
        ({"turns": [0, 1, 2]}, "schedule.turns: "),
    ],
)
def test_an_outcome_in_brief_that_is_none_is_told_by_its_field(
    change: dict[str, Any], field: str
) -> None:
    answer = {"schedule": {"end": "done", "word": "1", "count": 1, "turns": [], **change}}
    scenario = load("last-estimator-goes")
    with pytest.raises(SubjectError, match=field):
        search(lambda line: answer, scenario, preemptions=0, fields=False, most=1)


def made_answer(line: dict[str, object]) -> dict[str, Any]:
    """Two tasks of four steps; it fails if B begins between A's second and third step."""
    left, last, order = {1: 4, 2: 4}, 0, ""
    steps: list[list[object]] = []
    wanted = [int(part) for part in choices_of(str(line["schedule"]))]
    while any(left.values()):
        choices = [age for age in left if left[age]]
        free = last if last in choices else choices[0]
        choice = wanted[len(steps)] if len(steps) < len(wanted) else free
        if choice not in choices:
            return {"schedule": {"end": "bad choice", "steps": steps}}
        steps.append([choice, choices, last in choices, "AB"[choice - 1], ""])
        left[choice] -= 1
        last = choice
        order += "AB"[choice - 1]
        if order.startswith("AAB") and order.endswith("A"):
            violation = {"kind": "made", "thing": "x"}
            return {"schedule": {"end": "violation", "steps": steps, "violations": [violation]}}
    return {"schedule": {"end": "done", "steps": steps}}


def choices_of(word: str) -> Iterator[str]:
    for part in filter(None, word.split(".")):
        choice, _, times = part.partition("x")
        yield from [choice] * int(times or 1)


def test_a_failing_schedule_is_made_short() -> None:
    scenario = load("last-estimator-goes")
    found = run_schedule(made_answer, "1x2.2.1", 10, fields=False)
    assert cause_of(found) == "made: x"
    short = minimised(made_answer, scenario, FailingRuns("made: x", found, 1), fields=False)
    # As many switches, and one preemption less: B goes on to its end.
    assert schedule_text(short.run) == "1x2.2x4.1"
    judged = FailingRuns("made: x", found, 1, "place.total")
    assert minimised(made_answer, scenario, judged, fields=False) is judged
