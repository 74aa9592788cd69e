"""The counterexamples of the protocol happen in the model: schedules that follow them fail so."""

from collections.abc import Callable, Sequence
from dataclasses import replace

import pytest

from ipvs_est import REPAIRED, V7_UNWIND
from ipvs_est.language.events import CalcPhaseBegun, Event
from ipvs_est.language.operations import AddService, ExitNetns, InitNetns, WriteCpulist
from ipvs_est.language.violations import Deadlock, Violation, ViolationError
from ipvs_est_checks.explore.engine.world import TIME, World, enabled, step
from ipvs_est_checks.explore.failures.cause import Cause, cause_of
from ipvs_est_checks.explore.protocol.replay import again, ends_with, replay
from ipvs_est_checks.explore.scenarios.scenario import TINY, Actor, Scenario
from ipvs_est_checks.proving.counterexamples.schedules import (
    REPLAYS,
    ReplaySchedule,
    found_schedules,
    scenario_of,
    twin_schedule,
)
from ipvs_est_checks.text_edits import applied
from ipvs_est_spec.proof.protocol.bad_runs import DEADLOCKS, FOUND, TWINS
from ipvs_est_spec.proof.protocol.theorems import THEOREMS
from ipvs_est_spec.properties.requests import lost_cases

# Where kthread 0 waits in the model and for what, and who joins it (known defects, section 1).
WAITS = {
    "a": ("calc_phase", "est_mutex", "est_reload_work"),
    "b": ("_finish", "est_mutex", "est_reload_work"),
    "c": ("add_kthread_context", "est_mutex", "est_reload_work"),
    "d": ("calc_limits", "__ip_vs_mutex", "CTL"),
    "e": ("calc_phase", "est_mutex", "EXIT"),
}


def _before_the_end(schedule: ReplaySchedule) -> World:
    """Takes the schedule once more up to its last step, each choice being one that there is."""
    choices = schedule.found.choices
    properties = schedule.properties
    world = again(schedule.scenario, schedule.revision, (), properties)
    for choice in choices[:-1]:
        assert choice in enabled(world)
        step(world, choice)
    assert choices[-1] in enabled(world)
    return world


def _ends(world: World, choices: Sequence[int], theorem: str) -> bool:
    """Whether the world's last step shows what the theorem's runs end with."""
    violation: Violation | None = None
    try:
        step(world, choices[-1])
    except ViolationError as error:
        violation = error.violation
    return REPLAYS[theorem].ends(world, violation)


def _cause(schedule: ReplaySchedule) -> Cause:
    world = _before_the_end(schedule)
    with pytest.raises(ViolationError) as raised:
        step(world, schedule.found.choices[-1])
    assert raised.value.violation == schedule.found.violation
    return cause_of(world, raised.value.violation)


def test_every_theorem_of_the_protocol_has_a_replayed_twin_and_every_finding_its_runs() -> None:
    ids = {theorem.id for theorem in THEOREMS}
    assert REPLAYS.keys() == TWINS.keys() == ids
    assert FOUND.keys() == {theorem.id for theorem in THEOREMS if theorem.refuted_by}
    for theorem in THEOREMS:
        revisions = theorem.revision.split(", ") if theorem.refuted_by else []
        if V7_UNWIND.name in revisions:
            # The same system as that of v7, which another test compares.
            revisions.remove(V7_UNWIND.name)
        assert [run.revision.name for run in FOUND.get(theorem.id, ())] == revisions


@pytest.mark.parametrize("id_", TWINS)
def test_counterexample_of_a_twin_happens_in_the_model_with_the_same_mistake(id_: str) -> None:
    schedule = twin_schedule(id_)
    assert schedule is not None
    with applied(schedule.edits):
        assert _ends(_before_the_end(schedule), schedule.found.choices, id_)


@pytest.mark.parametrize("id_", [name for name, how in REPLAYS.items() if how.edits])
def test_without_the_mistake_the_same_choices_end_otherwise(id_: str) -> None:
    schedule = twin_schedule(id_)
    assert schedule is not None
    world = again(schedule.scenario, schedule.revision, (), schedule.properties)
    for choice in schedule.found.choices:
        if choice not in enabled(world):
            return
        step(world, choice)
    assert not REPLAYS[id_].ends(world, None)


@pytest.mark.parametrize("id_", FOUND)
def test_each_run_of_a_finding_happens_in_the_model(id_: str) -> None:
    found = list(found_schedules(id_))
    assert len(found) == len(FOUND[id_])
    for schedule in found:
        assert schedule is not None
        assert schedule.edits == ()
        assert _ends(_before_the_end(schedule), schedule.found.choices, id_)


@pytest.mark.parametrize("deadlock", WAITS)
def test_each_deadlock_is_that_of_the_known_defects(deadlock: str) -> None:
    assert WAITS.keys() == {deadlock.id for deadlock in DEADLOCKS}
    for schedule in found_schedules(f"protocol.deadlock-{deadlock}"):
        assert schedule is not None
        assert isinstance(schedule.found.violation, Deadlock)
        function, mutex, joiner = WAITS[deadlock]
        other, kthread = sorted(
            _cause(schedule).waiters, key=lambda waiter: waiter.task == "ipvs-e:0"
        )
        assert (other.task, other.waits) == (joiner, "for the exit of ipvs-e:0")
        assert kthread.functions[0] == function
        assert kthread.waits == f"for {mutex}, held by {joiner}"


def test_a_run_whose_scenario_lacks_a_task_is_not_replayed() -> None:
    bad = FOUND["protocol.deadlock-a"][0]
    run = bad.find(few_turns=True)
    assert run is not None
    scenario = scenario_of("protocol.deadlock-a")
    small = replace(scenario, actors=scenario.actors[:1])
    assert replay(bad.system, run, small, bad.revision, ends_with(Deadlock)) is None


def _world(*actors: Actor) -> tuple[World, list[Event]]:
    scenario = Scenario("", "", TINY, (InitNetns(),), actors, 50)
    world = again(scenario, REPAIRED, (), frozenset({"progress.not-lost"}))
    events = world.machine.events
    assert events is not None
    return world, events


def _go_on(world: World, name: str, most: int, until: Callable[[], bool] = lambda: False) -> None:
    (thread,) = (thread for thread in world.threads if thread.task.name == name)
    for _ in range(most):
        if until() or (thread.index not in enabled(world) and TIME not in enabled(world)):
            return
        step(world, thread.index if thread.index in enabled(world) else TIME)


def test_a_request_that_comes_before_genid_is_read_is_not_lost() -> None:
    """Kthread 0's function has begun, its calc phase has not: that one serves the request."""
    world, events = _world(Actor("CTL", (AddService(1),)), Actor("SYSCTL", (WriteCpulist("0"),)))
    netns = world.machine.netns
    _go_on(world, "CTL", 10)
    _go_on(world, "est_reload_work", 6)
    _go_on(world, "ipvs-e:0", 20, lambda: netns.est_calc_phase)
    assert not any(isinstance(event, CalcPhaseBegun) for event in events)
    _go_on(world, "SYSCTL", 12)
    _go_on(world, "ipvs-e:0", 40, lambda: not netns.est_calc_phase)
    _go_on(world, "ipvs-e:0", 1)
    assert list(lost_cases(TINY, events)) == [(1, 1)]


def test_a_write_while_enable_is_0_requests_nothing_that_could_be_lost() -> None:
    """Netns exit has begun after kthread 0's last look at enable."""
    world, events = _world(
        Actor("CTL", (AddService(1),)),
        Actor("SYSCTL", (WriteCpulist("0"),)),
        Actor("EXIT", (ExitNetns(),)),
    )
    netns = world.machine.netns
    _go_on(world, "CTL", 40)
    _go_on(world, "est_reload_work", 40)
    _go_on(world, "SYSCTL", 1)
    _go_on(world, "ipvs-e:0", 40, lambda: netns.est_chain_max > 0)
    _go_on(world, "EXIT", 40, lambda: not netns.enable)
    assert (netns.enable, netns.est_mutex.owner) == (False, None)
    # Kthread 0 has set the limits and wants est_mutex.
    _go_on(world, "SYSCTL", 40)
    _go_on(world, "ipvs-e:0", 2)
    assert list(lost_cases(TINY, events)) == [(0, 0)]
