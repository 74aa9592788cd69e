"""The explorer sees each property break at the point at which it breaks, and no other."""

from collections.abc import Sequence

import pytest

from ipvs_est import MAINLINE, REPAIRED, V7, Revision
from ipvs_est.language.revision import BEFORE_MAINLINE, MERGED
from ipvs_est.language.violations import BrokenProperty, LeakAtExit, Violation, ViolationError
from ipvs_est_checks.broken_properties import EST_FREE, QUIET, SERVICE_FREE, SETTLED, STEP
from ipvs_est_checks.explore.engine.outcome import Bounds, Found, Outcome
from ipvs_est_checks.explore.engine.run import run
from ipvs_est_checks.explore.engine.states.projection import projection
from ipvs_est_checks.explore.engine.watch import Watch, all_broken
from ipvs_est_checks.explore.engine.world import TIME, _scopes, enabled, finished, start, step
from ipvs_est_checks.explore.scenarios.scenario import Scenario, library, load, scenario_from_text
from ipvs_est_checks.explore.schedulers.dfs import Dfs
from ipvs_est_checks.explore.schedulers.scheduler import system_of
from ipvs_est_checks.text_edits import Edit, applied

EVERYWHERE = STEP | SERVICE_FREE | EST_FREE | SETTLED | QUIET


def search(
    scenario: Scenario, revision: Revision, properties: Sequence[str], preemptions: int = 1
) -> Outcome:
    watch = Watch(frozenset(properties))
    system = system_of(scenario, revision, watch)
    return run(system, Dfs(preemptions), Bounds(preemptions), wanted=_is_property)


def _is_property(world: object, found: Found) -> bool:
    del world
    return isinstance(found.violation, BrokenProperty)


def broken(
    scenario: Scenario, revision: Revision, properties: Sequence[str], preemptions: int = 1
) -> Violation | None:
    outcome = search(scenario, revision, properties, preemptions)
    if outcome.found is None:
        assert outcome.figures.exhausted
        return None
    return outcome.found.violation


@pytest.mark.parametrize(
    ("scenario", "property_id", "revisions"),
    [
        ("limit-shrinks-in-drain", "limits.max-threads", BEFORE_MAINLINE),  # D04a
        ("first-services-and-cpulist", "locks.est-fields", BEFORE_MAINLINE),  # D04b
        ("exit-in-drain", "locks.lists", BEFORE_MAINLINE),  # D08
        ("exit-and-sysctl", "tasks.enabled", MERGED),  # F16
    ],
)
def test_property_is_broken_on_its_revisions_only(
    scenario: str, property_id: str, revisions: tuple[Revision, ...]
) -> None:
    for revision in (*MERGED, REPAIRED):
        found = broken(load(scenario), revision, [property_id])
        if revision in revisions:
            assert isinstance(found, BrokenProperty)
            assert found.property == property_id
        else:
            assert found is None


def test_the_failure_is_told_at_the_step_that_breaks_the_property() -> None:
    scenario = load("limit-shrinks-in-drain")
    found = search(scenario, V7, ["limits.max-threads"]).found
    assert found is not None
    world = start(scenario, V7)
    for choice in found.choices[:-1]:
        step(world, choice)
        free = 0 if world.machine.netns.est_mutex.owner else EST_FREE
        assert "limits.max-threads" not in all_broken(world.machine, free)
    step(world, found.choices[-1])
    assert "limits.max-threads" in all_broken(world.machine, EST_FREE)


def test_what_is_wrong_only_while_a_step_goes_on_is_seen_when_the_mutex_is_released() -> None:
    edit = Edit(
        "control.sysctl:set_nice",
        "    yield machine.unlock_est\n",
        "    netns.est_max_threads += 1\n"
        "    yield machine.unlock_est\n"
        "    netns.est_max_threads -= 1\n",
    )
    scenario = load("restart-in-drain")
    with applied([edit]):
        found = broken(scenario, REPAIRED, ["limits.max-threads"], 0)
    assert found == BrokenProperty("limits.max-threads", "")
    assert broken(scenario, REPAIRED, ["limits.max-threads"], 0) is None


QUIET_SCENARIO = """{
 "scenario": 1,
 "about": "A service is added, and then nothing happens for three revolutions.",
 "setup": [{"op": "init"}, {"op": "add_service", "id": 1}, {"op": "advance", "n": 150}],
 "tasks": {"SYSCTL": [{"op": "nice", "value": 1}]},
 "jiffies": 700
}"""


def test_what_must_come_about_in_a_quiet_time_is_judged_after_it() -> None:
    scenario = scenario_from_text("quiet", QUIET_SCENARIO)
    assert broken(scenario, REPAIRED, ["progress.room"], 0) is None
    edit = Edit(
        "estimator.reload_work:reload_work", "        if wanted and ", "        if not wanted and "
    )
    with applied([edit]):
        found = search(scenario, REPAIRED, ["progress.room"], 0).found
    assert found is not None
    assert found.violation == BrokenProperty("progress.room", "")


def test_what_the_setup_breaks_is_no_failure_of_a_schedule() -> None:
    """On v7 the first service sets est_stopped without est_mutex, one process after the other."""
    scenario = load("services-come-and-go")
    assert broken(scenario, V7, ["locks.est-fields"], 0) is None


@pytest.mark.parametrize("revision", [V7, MAINLINE, REPAIRED], ids=lambda revision: revision.name)
def test_equal_projections_break_the_same_properties(revision: Revision) -> None:
    seen: dict[object, tuple[str, ...]] = {}
    again = 0
    for name in library():
        scenario = load(name)
        world = start(scenario, revision)
        # Round robin, so that the tasks mix.
        for number in range(150):
            choices = enabled(world)
            if not choices:
                break
            try:
                step(world, choices[number % len(choices)])
            except ViolationError:
                break
            key = world.machine.params, projection(world.machine)
            verdict = all_broken(world.machine, EVERYWHERE)
            again += key in seen
            assert seen.setdefault(key, verdict) == verdict
    assert len(seen) > 100
    assert again > 100


def test_a_quiet_time_is_one_of_two_revolutions_without_starving_anybody() -> None:
    scenario = scenario_from_text("quiet", QUIET_SCENARIO)
    world = start(scenario, REPAIRED, Watch())
    revolution = scenario.params.nticks * scenario.params.tick_jiffies
    while not (enabled(world) == [TIME] and finished(world)):
        step(world, enabled(world)[0])
    since = world.machine.now
    scopes = _scopes(world)
    assert scopes & SETTLED
    while not scopes & QUIET:
        step(world, enabled(world)[0])
        scopes = _scopes(world)
    # Nothing happens before the next wake-up.
    tick = scenario.params.tick_jiffies
    assert 2 * revolution - tick < world.machine.now - since <= 2 * revolution
    starved = start(scenario, REPAIRED, Watch())
    while TIME in (choices := enabled(starved)):
        step(starved, TIME)
    assert choices
    assert not starved.prompt
    assert starved.quiet_since is None


def test_what_is_left_over_when_the_netns_is_gone_is_a_leak() -> None:
    scenario = load("exit-and-sysctl")
    edit = Edit(
        "control.netns_life:exit_netns",
        '        free(machine, netns.est_cpulist_mask, "free_cpumask_var")\n',
        "        pass\n",
    )
    with applied([edit]):
        found = run(system_of(scenario, REPAIRED, Watch(frozenset())), Dfs(0), Bounds(0)).found
    assert found is not None
    assert found.violation == LeakAtExit("est_cpulist")
    assert run(system_of(scenario, REPAIRED, Watch(frozenset())), Dfs(0), Bounds(0)).found is None
