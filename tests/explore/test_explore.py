"""The explorer finds known defects by schedules, on their revisions only, and tells how."""

import json
from pathlib import Path

import pytest

from ipvs_est import MAINLINE, REPAIRED, REVISIONS, STABLE, V7, V7_UNWIND, Revision
from ipvs_est.language.input_error import InputError
from ipvs_est.language.violations import Deadlock, IndexOutOfRange, UseAfterFree, Violation
from ipvs_est_checks.explore.engine.outcome import Bounds, Found, failure_key
from ipvs_est_checks.explore.engine.run import run as run_schedules
from ipvs_est_checks.explore.engine.states.fingerprint import fingerprint
from ipvs_est_checks.explore.engine.world import World, enabled, start, step
from ipvs_est_checks.explore.scenarios import scenario as scenarios
from ipvs_est_checks.explore.scenarios.scenario import library, load, scenario_from_text
from ipvs_est_checks.explore.schedulers.dfs import Dfs, explore_dfs
from ipvs_est_checks.explore.schedulers.random_walk import explore_random
from ipvs_est_checks.explore.schedulers.scheduler import system_of

# Known defects, section 1: scenario, kind of violation by revision.
DEFECTS: dict[str, dict[Revision, type[Violation]]] = {
    "delete-in-recalculation": {
        V7: UseAfterFree,
        V7_UNWIND: UseAfterFree,
        STABLE: UseAfterFree,
    },  # D07
    "exit-in-calc-phase": {
        V7: IndexOutOfRange,
        V7_UNWIND: IndexOutOfRange,
        STABLE: Deadlock,
    },  # D01, D03e
    "last-estimator-goes": {V7: Deadlock, V7_UNWIND: Deadlock, STABLE: Deadlock},  # D03d
    "restart-in-calc-phase": {V7: Deadlock, V7_UNWIND: Deadlock, STABLE: Deadlock},  # D03a, D03b
    "restart-in-drain": {V7: Deadlock, V7_UNWIND: Deadlock, STABLE: Deadlock},  # D03c
}

# Schedules and states of each scenario on `repaired` at two preemptions.
FIGURES = {
    "delete-in-recalculation": (683, 1286),
    "exit-and-sysctl": (622, 605),
    "exit-in-calc-phase": (1096, 2687),
    "last-estimator-goes": (212, 410),
    "restart-in-calc-phase": (1030, 3298),
    "restart-in-drain": (695, 1615),
    "sysctl-writes-without-a-number": (271, 445),
}


def test_the_library_has_them() -> None:
    assert set(DEFECTS) < set(FIGURES) < set(library())


@pytest.mark.parametrize("name", FIGURES)
@pytest.mark.parametrize("revision", REVISIONS.values(), ids=lambda revision: revision.name)
def test_each_defect_is_found_on_its_revisions_and_nothing_on_the_others(
    name: str, revision: Revision
) -> None:
    outcome = explore_dfs(load(name), revision, Bounds(preemptions=2))
    kind = DEFECTS.get(name, {}).get(revision)
    if kind is None:
        assert outcome.found is None
        assert outcome.figures.exhausted
    else:
        assert outcome.found is not None
        assert isinstance(outcome.found.violation, kind)
        assert outcome.found.preemptions <= 2


@pytest.mark.parametrize("name", FIGURES)
def test_the_size_of_each_space_is_known(name: str) -> None:
    figures = explore_dfs(load(name), REPAIRED, Bounds(preemptions=2)).figures
    assert (figures.schedules, figures.states) == FIGURES[name]


def test_the_deadlock_of_the_drain_is_that_of_the_catalogue() -> None:
    """D03c: kthread 0 wants est_mutex to add a context, the reload work joins it under that."""
    found = explore_dfs(load("restart-in-drain"), V7, Bounds(preemptions=2)).found
    assert found is not None
    assert isinstance(found.violation, Deadlock)
    assert set(found.violation.cycle) == {
        "ipvs-e:0: waits for est_mutex, held by est_reload_work",
        "est_reload_work: waits for the exit of ipvs-e:0",
    }


def test_fewer_preemptions_do_not_find_what_needs_two() -> None:
    outcome = explore_dfs(load("restart-in-drain"), V7, Bounds(preemptions=1))
    assert outcome.found is None
    assert outcome.figures.exhausted


def _ends(name: str, revision: Revision, *, matching: bool) -> set[str]:
    """The failures that the schedules with at most one preemption end with."""
    search = Dfs(1, matching=matching)
    outcome = run_schedules(system_of(load(name), revision), search, Bounds(), keep_going=True)
    assert outcome.figures.exhausted
    return {failure_key(failure.violation) for failure in outcome.failures}


@pytest.mark.parametrize("name", sorted(FIGURES.keys() - {"exit-and-sysctl", "restart-in-drain"}))
def test_matching_states_hides_no_outcome(name: str) -> None:
    for revision in (V7, MAINLINE):
        assert _ends(name, revision, matching=True) == _ends(name, revision, matching=False)


def test_what_is_left_over_is_told() -> None:
    outcome = explore_dfs(load("restart-in-drain"), REPAIRED, Bounds(2, schedules=10))
    assert (outcome.figures.schedules, outcome.figures.exhausted) == (10, False)
    outcome = explore_dfs(load("restart-in-drain"), REPAIRED, Bounds(2, steps=10))
    assert not outcome.figures.exhausted


def test_random_schedules_are_those_of_their_seed() -> None:
    scenario = load("restart-in-drain")
    first = explore_random(scenario, V7, Bounds(schedules=300), seed=1)
    assert first == explore_random(scenario, V7, Bounds(schedules=300), seed=1)
    assert first != explore_random(scenario, V7, Bounds(schedules=300), seed=2)
    assert not first.figures.exhausted


def _after(world: World, count: int) -> World:
    for _ in range(count):
        step(world, enabled(world)[0])
    return world


def test_a_fingerprint_tells_states_apart_and_equal_ones_not() -> None:
    scenario = load("restart-in-drain")
    prints = [fingerprint(_after(start(scenario, V7), count)) for count in range(8)]
    assert len(set(prints)) == 8
    assert prints[5] == fingerprint(_after(start(scenario, V7), 5))


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"scenario": 2}, "scenario"),
        ({"tasks": {}}, "tasks"),
        ({"tasks": {"A": [{"op": "nice"}]}}, "tasks.A[0].value"),
        ({"tasks": {"A": [{"op": "dump"}]}}, "tasks.A[0].op"),
        ({"setup": 3}, "setup"),
        ({"more": 1}, "more"),
        ({"jiffies": -1}, "jiffies"),
    ],
)
def test_a_bad_scenario_names_the_field(change: dict[str, object], field: str) -> None:
    folder = Path(scenarios.__file__).parent / "library"
    value = json.loads((folder / "restart-in-drain.json").read_text())
    with pytest.raises(InputError) as error:
        scenario_from_text("s", json.dumps({**value, **change}))
    assert error.value.field == field


def test_a_search_goes_on_behind_failures_that_are_not_wanted() -> None:
    seen: list[Found] = []

    def note(world: World, found: Found) -> bool:
        del world
        seen.append(found)
        return False

    scenario = load("restart-in-drain")
    outcome = explore_dfs(scenario, V7, Bounds(preemptions=2), wanted=note)
    assert outcome.found is None
    assert outcome.figures.exhausted
    assert len(seen) > 1
    assert seen[0] == explore_dfs(scenario, V7, Bounds(preemptions=2)).found
