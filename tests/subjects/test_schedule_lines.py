"""The contract's chapter on schedules: the model's process and a tree's program keep to it."""

import json
import random
import re
import shlex
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

import ipvs_est
from command_line import environment, here
from ipvs_est import MAINLINE, STABLE, Oracle, Params
from ipvs_est.language.input_error import InputError
from ipvs_est.language.violations import Deadlock
from ipvs_est.oracle_process import Session, answer, handshake
from ipvs_est_checks.explore.engine.outcome import Bounds
from ipvs_est_checks.explore.engine.world import RCU, TIME
from ipvs_est_checks.explore.scenarios.scenario import load
from ipvs_est_checks.explore.schedule_lines import FIELD_NAMES, ScheduleLines, choices_of
from ipvs_est_checks.explore.schedulers.dfs import explore_dfs
from ipvs_est_checks.explore.timeline.steps import timeline
from ipvs_est_checks.harness.building.build import build
from ipvs_est_checks.harness.building.options import Variant, options_for
from ipvs_est_checks.subjects.schedules import (
    NotPreparedError,
    Searched,
    prepare,
    run_schedule,
    search,
)
from ipvs_est_checks.subjects.subject import Subject, asking, start_subject, stop_subject
from kernels.kernel_trees import need_tree
from schema_check import misfits, validator

MODEL = f"'{sys.executable}' -m ipvs_est_checks.command oracle"
SCENARIOS = ("last-estimator-goes", "exit-and-sysctl", "packets-around-enable")
Started = Callable[[str], Any]


@contextmanager
def started(command: str) -> Iterator[Subject]:
    subject = start_subject(command, 60)
    try:
        yield subject
    finally:
        stop_subject(subject)


@pytest.fixture(params=["model", "tree"])
def command(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> Callable[..., str]:
    """The command of a subject for a scenario."""
    monkeypatch.setenv("PYTHONPATH", environment()["PYTHONPATH"])
    if request.param == "model":
        return lambda name: MODEL
    tree = need_tree()
    return lambda name: str(build(tree, options_for(load(name).params, Variant.POINTS)))


@pytest.mark.parametrize("fields", [False, True])
@pytest.mark.parametrize("name", SCENARIOS)
def test_what_is_answered_keeps_to_the_chapter(
    command: Callable[[str], str], name: str, fields: bool
) -> None:
    scenario = load(name)
    checked = validator("schedule-answer")
    numbers = random.Random(f"{name} {fields}")
    longest = 0
    with started(command(name)) as subject:
        assert subject.handshake.gives["schedules"] == 2
        ask = asking(subject)
        prepare(ask, scenario)
        given = ""
        for _ in range(6):
            line = {"schedule": given, "jiffies": scenario.jiffies, "fields": fields}
            answered = ask(line)
            assert checked.is_valid(answered), answered
            answer = answered["schedule"]
            steps = answer["steps"]
            chosen = [step[0] for step in steps]
            assert choices_of(answer["word"]) == chosen
            assert chosen[: len(choices_of(given))] == choices_of(given)[: len(chosen)]
            longest = max(longest, len(chosen))
            for step, choices, goes_on, who, _ in steps:
                assert step in choices
                assert choices == [*sorted(set(choices) - {0}), *([0] if 0 in choices else [])]
                assert (step == 0) == (who == "time")
                assert not goes_on or set(choices) - {0}
            # Told again, and with all choices given, it is the same; and so it is in brief.
            assert ask(line) == answered
            assert ask({**line, "schedule": answer["word"]}) == answered
            start, budget = numbers.randrange(len(steps)), numbers.randrange(2)
            brief = ask({**line, "from": start, "budget": budget})
            assert checked.is_valid(brief), brief
            assert brief["schedule"]["count"] == len(steps)
            assert brief["schedule"]["word"] == answer["word"]
            assert brief["schedule"]["end"] == answer["end"]
            turns = [
                number
                for at, (step, choices, goes_on, *_) in enumerate(steps)
                for choice in choices
                for cost in [int(goes_on or choice == 0)]
                if at >= start and choice != step and cost <= budget
                for number in (at, choice, cost)
            ]
            assert brief["schedule"]["turns"] == turns
            at = numbers.randrange(len(steps))
            given = ".".join(map(str, [*chosen[:at], numbers.choice(steps[at][1])]))
    assert longest > 5


def searched(name: str, revision: str, preemptions: int, *, fields: bool) -> Searched:
    scenario = load(name)
    with started(MODEL) as subject:
        prepare(asking(subject), scenario, revision)
        return search(asking(subject), scenario, preemptions=preemptions, fields=fields, most=2_000)


@pytest.mark.parametrize(
    ("revision", "preemptions", "causes"),
    [
        (
            # As on the code of 6.12, see test_schedules_on_trees.
            "stable",
            2,
            [
                "deadlock: CTL: waits for the exit of ipvs-e:0;"
                " ipvs-e:0: waits for __ip_vs_mutex, held by CTL"
            ],
        ),
        ("mainline", 1, []),
    ],
)
def test_f17_is_found_through_the_process_in_the_words_of_the_code(
    revision: str, causes: list[str], preemptions: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PYTHONPATH", environment()["PYTHONPATH"])
    found = searched("last-estimator-goes", revision, preemptions, fields=False)
    assert [failure.cause for failure in found.failures] == causes
    assert found.exhausted or causes


def test_a_schedule_of_the_explorer_is_the_same_through_the_process(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("PYTHONPATH", environment()["PYTHONPATH"])
    scenario = load("last-estimator-goes")
    (failure,) = explore_dfs(scenario, STABLE, Bounds(2)).failures
    numbers = {TIME: 0, RCU: 1}
    word = ".".join(str(numbers.get(choice, choice + 2)) for choice in failure.choices)
    with started(MODEL) as subject:
        prepare(asking(subject), scenario, "stable")
        run = run_schedule(asking(subject), word, scenario.jiffies, fields=True)
    shown = timeline(scenario, STABLE, failure.choices)
    assert [step.name for step in run.steps] == [shown.columns[step.column] for step in shown.steps]
    assert run.end == "deadlock"
    assert failure.violation == Deadlock(run.cycle)


def ask_here(session: Session, line: dict[str, Any]) -> dict[str, Any]:
    answered: dict[str, Any] = json.loads(json.dumps(answer(session, json.dumps(line).encode(), 1)))
    return answered


TASK = {"task": "CTL", "operations": [{"op": "delete_service", "id": 1}]}


@pytest.mark.parametrize(
    ("line", "field"),
    [
        ({**TASK, "more": 1}, "more"),
        ({**TASK, "task": 1}, "task"),
        ({**TASK, "task": "A" * 31}, "task"),
        ({**TASK, "task": "ipvs-e:0"}, "task"),
        ({**TASK, "task": "A"}, "task"),
        ({"task": "B"}, "operations"),
        ({"task": "B", "operations": [1]}, "operations[0]"),
        ({"task": "B", "operations": [{"op": "svc"}]}, "operations[0].id"),
        ({"task": "B", "operations": [{"op": "dump"}]}, "operations[0].op"),
        ({"schedule": 1}, "schedule"),
        ({"schedule": "1x"}, "schedule"),
        ({"schedule": "0x4097"}, "schedule"),
        ({"schedule": "0x4096.0"}, "schedule"),
        ({"schedule": "01"}, "schedule"),
        ({"schedule": "", "fields": 1}, "fields"),
        ({"schedule": "", "fields": ["enable", "jiffies"]}, "fields[1]"),
        ({"schedule": "", "states": 1}, "states"),
        ({"schedule": "", "events": "all"}, "events"),
        # The configuration watches none.
        ({"schedule": "", "events": True}, "events"),
        ({"schedule": "", "from": 4097}, "from"),
        ({"schedule": "", "budget": -1}, "budget"),
        ({"schedule": "", "jiffies": 10**6 + 1}, "jiffies"),
        ({"schedule": "", "seed": 1}, "seed"),
    ],
)
def test_a_bad_line_is_refused_by_its_field(line: dict[str, Any], field: str) -> None:
    session = Session(ScheduleLines())
    ask_here(session, {"configure": {}})
    assert ask_here(session, {"task": "A", "operations": []}) == {"task": True}
    answer = ask_here(session, line)
    assert (answer["error"]["type"], answer["error"]["field"]) == ("bad-input", field)


def test_lines_fit_their_schemas() -> None:
    assert validator("task").is_valid(TASK)
    line = {"schedule": "3.0x2.4", "jiffies": 10, "fields": True, "from": 0, "budget": 1}
    assert validator("schedule").is_valid(line)
    for wrong in ("3.", "03", "3x0", ".3"):
        assert not validator("schedule").is_valid({"schedule": wrong})


def test_a_schedule_leaves_the_machine_as_it_is_and_a_new_one_has_no_tasks() -> None:
    session = Session(ScheduleLines())
    ask_here(session, {"configure": {}})
    for line in ({"op": "init"}, {"op": "add_service", "id": 1}, TASK):
        ask_here(session, line)
    before = ask_here(session, {"op": "snapshot"})
    answer = ask_here(session, {"schedule": ""})["schedule"]
    assert answer["end"] == "done"
    assert {entry[3] for entry in answer["steps"]} >= {"CTL"}
    assert ask_here(session, {"op": "snapshot"}) == before
    ask_here(session, {"configure": {}})
    assert ask_here(session, {"schedule": ""})["schedule"]["steps"] == []


def test_the_names_of_fields_are_those_of_the_models_points() -> None:
    named = re.compile(r'FieldAccess\([\w.]+, "(\w+)"')
    texts = [path.read_text() for path in Path(ipvs_est.__file__).parent.rglob("*.py")]
    assert set(FIELD_NAMES) == {name for text in texts for name in named.findall(text)}


def test_tasks_stop_at_the_fields_that_are_named_alone() -> None:
    session = Session(ScheduleLines())
    setup: list[dict[str, Any]] = [
        {"configure": {}},
        {"op": "init"},
        {"op": "add_service", "id": 1},
    ]
    for line in (*setup, TASK):
        ask_here(session, line)

    def stopped_at(fields: bool | list[str]) -> set[str]:
        answer = ask_here(session, {"schedule": "", "fields": fields})["schedule"]
        words = [entry[4].split() for entry in answer["steps"]]
        return {word[1] for word in words if word and word[0] in ("read", "write")}

    at_all = stopped_at(True)
    assert stopped_at(False) == stopped_at([]) == set()
    for name in at_all:
        assert stopped_at([name]) == {name}
    assert stopped_at(["enable", "est_genid"]) == {"enable", "est_genid"} < at_all


def test_a_state_is_told_once_for_all_schedules_of_a_preparation() -> None:
    session = Session(ScheduleLines())
    configure = {"configure": {"watch": ["events"]}}
    for entry in (configure, {"op": "init"}, {"op": "add_service", "id": 1}, TASK):
        ask_here(session, entry)
    line = {"schedule": "", "states": True, "events": True}
    first, second = ask_here(session, line), ask_here(session, line)
    assert validator("schedule").is_valid(line)
    assert misfits("schedule-answer", first) == []
    assert [steps for steps, _, _ in first["states"]] == sorted(
        entry[0] for entry in first["states"]
    )
    assert [settled for _, settled, _ in first["states"]].count(True) == 1
    assert first["states"][-1][2]["state"] == first["schedule"]["state"]
    assert second == {**first, "states": []}
    assert {entry["event"] for entry in first["events"]} >= {"resumed", "paused", "stopped"}


@pytest.mark.parametrize(
    ("scenario", "revision", "property_id"),
    [
        ("exit-and-sysctl", "stable", "tasks.enabled"),
        ("limits-shrink", "mainline", "limits.tick"),
    ],
)
def test_a_property_is_judged_in_schedules_of_the_models_process(
    scenario: str,
    revision: str,
    property_id: str,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("PYTHONPATH", environment()["PYTHONPATH"])
    options = ["--preemptions", "1", "--seconds", "60", "--property", property_id, "--revision"]
    explored = here(capsys, "explore", "--subject", MODEL, scenario, *options, revision)
    assert explored.code == 1, explored.err
    assert f"  {property_id} does not hold: " in explored.out
    again = explored.out.partition("again: ipvs-est ")[2].splitlines()[0]
    assert f"--revision {revision} " in again
    replayed = here(capsys, *shlex.split(again), "--seconds", "60")
    assert (replayed.code, f"{property_id} does not hold: " in replayed.out) == (1, True)
    word = again.split(" --replay ")[1]
    options += ["repaired", "--replay", word]
    repaired = here(capsys, "explore", "--subject", MODEL, scenario, *options)
    assert "does not hold" not in repaired.out
    assert repaired.out.splitlines()[-1] in ("done", "bad choice")


@pytest.mark.parametrize(
    ("gives", "why"),
    [
        ({"schedules": 1, "events": 1, "snapshot": 2}, "schedules of version 2"),
        ({"schedules": 2, "snapshot": 2}, "events"),
    ],
)
def test_a_property_whose_data_a_subject_does_not_give_is_not_judged(
    gives: dict[str, int], why: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    hello = json.dumps({"protocol": 1, "operations": [], "gives": gives})
    subject = tmp_path / "subject.py"
    subject.write_text(f"print({hello!r}, flush=True)\nwhile input():\n    pass\n")
    command = f"'{sys.executable}' '{subject}'"
    shown = here(
        capsys,
        *("explore", "--subject", command, "exit-and-sysctl", "--property", "tasks.enabled"),
    )
    expected = f"Error: --property tasks.enabled: not judged: the subject gives no {why}\n"
    assert (shown.code, shown.err) == (2, expected)


def test_without_the_extension_the_chapter_is_not_given() -> None:
    gives = handshake()["gives"]
    assert isinstance(gives, dict)
    assert "schedules" not in gives
    session = Session()
    ask_here(session, {"configure": {}})
    assert ask_here(session, {"schedule": ""})["error"]["field"] == "op"
    assert ask_here(Session(ScheduleLines()), {"schedule": ""})["error"]["type"] == "bad-input"


def test_an_oracle_that_was_handed_over_answers_no_more() -> None:
    oracle = Oracle(Params(), MAINLINE)
    oracle.hand_over()
    assert oracle.ended == "handed over"


def test_a_setup_that_is_refused_is_told() -> None:
    with pytest.raises(NotPreparedError, match=r"last-estimator-goes: op: unknown"):
        prepare(
            lambda line: {"error": {"field": "op", "message": "unknown"}},
            load("last-estimator-goes"),
        )


def test_choices_in_a_word() -> None:
    assert choices_of("") == []
    assert choices_of("3.0x2.4") == [3, 0, 0, 4]
    with pytest.raises(InputError, match="no part of a schedule"):
        choices_of("3..4")


def test_explore_on_a_subject(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PYTHONPATH", environment()["PYTHONPATH"])
    scenario = "last-estimator-goes"
    found = here(capsys, "explore", "--subject", MODEL, scenario, "--preemptions", "0")
    assert found.code == 0
    assert found.out.startswith(f"PASS {scenario}: ")
    token = "locks:2x3"
    again = here(capsys, "explore", "--subject", MODEL, scenario, "--replay", token)
    assert (again.code, again.out.splitlines()[-1]) == (0, "done")
    assert "CTL" in again.out
    plain = f"'{sys.executable}' -m ipvs_est"
    refused = here(capsys, "explore", "--subject", plain, scenario)
    assert (refused.code, refused.out) == (2, "")
    assert "cannot be explored: the subject gives no schedules of version 1" in refused.err
