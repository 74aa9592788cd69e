"""Scenarios: their format, what the library covers, and that racing tasks meet what is gone."""

import json
import subprocess
import sys
from pathlib import Path

import pytest
from hypothesis import given, settings

from ipvs_est import MAINLINE, REPAIRED, V7, Params
from ipvs_est.language.input_error import InputError
from ipvs_est.language.operations import (
    AddDest,
    AddService,
    Advance,
    DeleteDest,
    DeleteService,
    ExitNetns,
    InitNetns,
    Read,
    SetNice,
    SetRunEstimation,
    StartService,
    Traffic,
    WriteCpulist,
    Zero,
)
from ipvs_est_checks.explore.engine.world import enabled, start, step
from ipvs_est_checks.explore.failures.hunt import hunt
from ipvs_est_checks.explore.scenarios.coverage import Pair, all_pairs, pairs_met
from ipvs_est_checks.explore.scenarios.generated import search_generated
from ipvs_est_checks.explore.scenarios.scenario import (
    JIFFIES,
    TINY,
    Actor,
    Scenario,
    library,
    load,
    scenario_from_text,
    scenario_text,
)
from ipvs_est_checks.explore.scenarios.strategy import scenarios
from ipvs_est_checks.explore.schedulers.dfs import Bounds, explore_dfs


def test_a_scenario_of_a_few_lines_has_the_tiny_machine_after_netns_init() -> None:
    text = """{"scenario": 1, "about": "One service.",
               "tasks": {"CTL": [{"op": "add_service", "id": 1}]}}"""
    assert scenario_from_text("few", text) == Scenario(
        "few",
        "One service.",
        TINY,
        (InitNetns(),),
        (Actor("CTL", (AddService(1),)),),
        JIFFIES,
    )


def test_params_are_what_differs_from_the_tiny_machine() -> None:
    text = """{"scenario": 1, "about": "", "tasks": {"CTL": []},
               "params": {"nticks": 4, "sysctl": false}}"""
    assert scenario_from_text("s", text).params == Params(
        hz=100, nticks=4, chain_factor=1, est_cost_ns=95_000, sysctl=False
    )


@given(scenarios())
@settings(max_examples=50, derandomize=True, database=None)
def test_a_scenario_that_was_made_can_be_written_down_and_read_again(scenario: Scenario) -> None:
    again = scenario_from_text(scenario.name, scenario_text(scenario))
    assert again == scenario


def test_an_operation_is_done_several_times_with_rising_ids() -> None:
    value = {
        "scenario": 1,
        "about": "",
        "setup": [{"op": "svc", "id": 3, "times": 3}, {"op": "advance", "n": 1, "times": 2}],
        "tasks": {"CTL": []},
    }
    assert scenario_from_text("s", json.dumps(value)).setup == (
        *map(StartService, (3, 4, 5)),
        Advance(1),
        Advance(1),
    )


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"params": []}, "params"),
        ({"params": {"nticks": 0}}, "params.nticks"),
        ({"params": {"tick_jiffies": 7}}, "params.tick_jiffies"),
        ({"setup": [{"op": "svc", "id": 1, "times": 0}]}, "setup[0].times"),
        ({"setup": [{"op": "svc", "id": "a", "times": 2}]}, "setup[0].id"),
        ({"tasks": {"": [{"op": "exit"}]}}, "tasks"),
        ({"tasks": {"ipvs-e:0": [{"op": "exit"}]}}, "tasks"),
        ({"tasks": {"time": [{"op": "exit"}]}}, "tasks"),
    ],
)
def test_a_bad_scenario_names_its_field(change: dict[str, object], field: str) -> None:
    value = {"scenario": 1, "about": "", "tasks": {"CTL": []}, **change}
    with pytest.raises(InputError) as error:
        scenario_from_text("s", json.dumps(value))
    assert error.value.field == field


def test_text_that_is_no_json_is_told_with_its_line() -> None:
    with pytest.raises(InputError) as found:
        scenario_from_text("s", '{\n "scenario": 1,\n "about" "x"\n}')
    assert found.value.message == "not JSON: Expecting ':' delimiter at line 3, column 10"


def test_every_scenario_of_the_library_says_what_it_is_about() -> None:
    for name in library():
        about = load(name).about
        assert about.endswith(".")
        assert len(about) > 20


def test_who_finds_its_object_gone_under_the_mutex_does_nothing() -> None:
    """Two processes delete one service, a third adds a destination to it."""
    value = {
        "scenario": 1,
        "about": "",
        "setup": [{"op": "init"}, {"op": "add_service", "id": 1}, {"op": "svc", "id": 2}],
        "tasks": {
            "CTL1": [{"op": "delete_service", "id": 1}, {"op": "del", "id": 2}],
            "CTL2": [{"op": "del", "id": 2}, {"op": "delete_service", "id": 1}],
            "CTL3": [{"op": "add_dest", "id": 3, "service": 1}],
        },
        "jiffies": 0,
    }
    scenario = scenario_from_text("s", json.dumps(value))
    outcome = explore_dfs(scenario, MAINLINE, Bounds(preemptions=1))
    assert outcome.found is None
    assert outcome.figures.exhausted


@pytest.mark.parametrize(
    ("setup", "processes"), [([{"op": "fail_allocations", "nth": 3}], 1), ([], 2)]
)
def test_exit_is_alone_once_the_work_is_cancelled_and_the_kthread_has_gone(
    setup: list[dict[str, object]], processes: int
) -> None:
    """Work that was queued again, and a kthread that never ran; then exit frees kd 0."""
    value = {
        "scenario": 1,
        "about": "",
        "setup": [{"op": "init"}, *setup],
        "tasks": {
            **{f"CTL{number}": [{"op": "add_service", "id": 4}] for number in range(processes)},
            "EXIT": [{"op": "exit"}],
        },
        "jiffies": 3,
    }
    scenario = scenario_from_text("s", json.dumps(value))
    seen = hunt(scenario, REPAIRED, Bounds(preemptions=0))
    assert seen.hits == ()
    assert seen.figures.exhausted


def test_a_netns_is_not_taken_down_under_a_process_that_uses_it() -> None:
    """Netns exit waits for the operation under way, and nobody begins another one."""
    value = {
        "scenario": 1,
        "about": "",
        "setup": [],
        "tasks": {"EXIT": [{"op": "exit"}], "CTL": [{"op": "add_service", "id": 1}]},
        "params": {"sysctl": False},
        "jiffies": 0,
    }
    scenario = scenario_from_text("s", json.dumps(value))
    ends: set[tuple[bool, int]] = set()
    for exit_first in (True, False):
        world = start(scenario, MAINLINE)
        step(world, 0 if exit_first else 1)
        if exit_first:
            step(world, 0)
        else:
            step(world, 0)
            assert 0 not in enabled(world)
        while choices := enabled(world):
            step(world, choices[0])
        kthreads = [thread for thread in world.threads if thread.task.name.startswith("ipvs-e:")]
        ends.add((world.machine.netns.enable, len(kthreads)))
    assert ends == {(False, 0)}


# Tasks of the library are named after what they do.
_WRITERS = (SetNice, SetRunEstimation, WriteCpulist)
_DOES = {
    "SYSCTL": _WRITERS,
    "EXIT": (ExitNetns,),
    "PACKETS": (Traffic,),
    "READER": (Read, Zero),
    "CTL": (AddDest, AddService, DeleteDest, DeleteService),
}


def test_tasks_of_the_library_are_named_after_what_they_do() -> None:
    for name in library():
        for actor in load(name).actors:
            kinds = next(group for prefix, group in _DOES.items() if actor.name.startswith(prefix))
            assert all(
                isinstance(operation, (*kinds, Advance)) for operation in actor.operations
            ), name


def test_schedules_of_the_library_let_every_two_actors_meet() -> None:
    """Counted in random schedules that were run: one took a step between two of the other."""
    met = set[Pair]()
    for name in library():
        met |= pairs_met(load(name), MAINLINE, schedules=24, seed=1)
    assert len(all_pairs()) == 36
    assert met == all_pairs()


def test_the_library_is_counted() -> None:
    assert len(library()) == 41


def test_generated_scenarios_break_nothing_on_repaired() -> None:
    seen = search_generated(REPAIRED, Bounds(preemptions=0), examples=40, number=1)
    assert seen.failure is None
    assert seen.scenarios == 40
    assert seen.exhausted == 40
    assert seen.schedules > 400


def test_generated_scenarios_leave_nothing_behind(tmp_path: Path) -> None:
    """Hypothesis would keep its notes in the current directory; under pytest it has another."""
    program = (
        "from ipvs_est import REPAIRED\n"
        "from ipvs_est_checks.explore.scenarios.generated import search_generated\n"
        "from ipvs_est_checks.explore.engine.outcome import Bounds\n"
        "print(search_generated(REPAIRED, Bounds(0, schedules=2), 3, 1).scenarios)\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", program], cwd=tmp_path, capture_output=True, text=True, check=True
    )
    assert done.stdout == "3\n"
    assert list(tmp_path.iterdir()) == []


def test_generated_scenarios_find_what_is_there_to_find() -> None:
    """On v7, with all that is watched."""
    seen = search_generated(V7, Bounds(preemptions=0, schedules=50), examples=40, number=1)
    assert seen.failure is not None
    scenario, hit = seen.failure
    assert scenario.actors
    assert hit.cause.property
