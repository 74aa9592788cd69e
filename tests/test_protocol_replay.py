"""The counterexamples of the protocol happen in the model: schedules that follow them fail so."""

from dataclasses import replace

import pytest

from ipvs_est import STABLE, V7, Revision
from ipvs_est.operations import (
    AddService,
    DeleteService,
    ExitNetns,
    InitNetns,
    Operation,
    SetNice,
    WriteCpulist,
)
from ipvs_est.params import Params
from ipvs_est.violations import Deadlock, ViolationError
from ipvs_est_checks.explore.cause import Cause, cause_of
from ipvs_est_checks.explore.protocol_replay import Replayed, replay
from ipvs_est_checks.explore.scenario import Actor, Scenario
from ipvs_est_checks.explore.world import enabled, start, step
from ipvs_est_spec.proof.protocol.bad_runs import DEADLOCKS
from ipvs_est_spec.proof.protocol.search import find_run
from ipvs_est_spec.proof.protocol.system import system

_PARAMS = Params(
    hz=100, nticks=2, chain_factor=1, possible_cpus=1, est_cost_ns=95_000, initial_jiffies=1000
)
_DEADLOCKS = {each.id: each for each in DEADLOCKS}


def _scenario(sysctl: bool, **tasks: tuple[Operation, ...]) -> Scenario:
    actors = tuple(Actor(name, operations) for name, operations in tasks.items())
    return Scenario("replayed", "", replace(_PARAMS, sysctl=sysctl), (InitNetns(),), actors, 300)


# What the tasks have to do so that the model has the estimators that the run speaks of: kd 0 has
# room for two of them.
SCENARIOS = {
    "a": _scenario(True, CTL=(AddService(1),), SYSCTL=(SetNice(1),)),
    "b": _scenario(True, CTL=(AddService(1),), SYSCTL=(SetNice(1),)),
    "c": _scenario(
        True, CTL=(AddService(1), AddService(2), AddService(3)), SYSCTL=(WriteCpulist("0"),)
    ),
    "d": _scenario(False, CTL=(AddService(1), DeleteService(1), AddService(2), DeleteService(2))),
    "e": _scenario(True, CTL=(AddService(1),), EXIT=(ExitNetns(),)),
}

# Where kthread 0 waits in the model and for what, and who joins it (known defects, section 1).
WAITS = {
    "a": ("calc_phase", "est_mutex", "est_reload_work"),
    "b": ("_finish", "est_mutex", "est_reload_work"),
    "c": ("add_kthread_context", "est_mutex", "est_reload_work"),
    "d": ("limits_test", "__ip_vs_mutex", "CTL"),
    "e": ("calc_phase", "est_mutex", "EXIT"),
}


def _cause(scenario: Scenario, revision: Revision, found: Replayed) -> Cause:
    """Takes the schedule once more, each choice being one that there is."""
    world = start(scenario, revision)
    for choice in found.choices[:-1]:
        assert choice in enabled(world)
        step(world, choice)
    with pytest.raises(ViolationError) as raised:
        step(world, found.choices[-1])
    assert raised.value.violation == found.violation
    return cause_of(world, found.violation)


@pytest.mark.parametrize("id_", _DEADLOCKS)
@pytest.mark.parametrize("revision", [V7, STABLE], ids=lambda each: each.name)
def test_each_deadlock_of_the_protocol_happens_in_the_model(id_: str, revision: Revision) -> None:
    deadlock, one = _DEADLOCKS[id_], system(revision)
    run = find_run(one, deadlock.bad(one), deadlock.where, few_turns=True)
    assert run is not None
    found = replay(one, run, SCENARIOS[id_], revision, Deadlock)
    assert found is not None
    function, mutex, joiner = WAITS[id_]
    other, kthread = sorted(
        _cause(SCENARIOS[id_], revision, found).waiters, key=lambda each: each.task == "ipvs-e:0"
    )
    assert (other.task, other.waits) == (joiner, "for the exit of ipvs-e:0")
    assert kthread.functions[0] == function
    assert kthread.waits == f"for {mutex}, held by {joiner}"


def test_a_run_whose_scenario_lacks_a_task_is_not_replayed() -> None:
    deadlock, one = _DEADLOCKS["a"], system(V7)
    run = find_run(one, deadlock.bad(one), deadlock.where, few_turns=True)
    assert run is not None
    without = _scenario(True, CTL=(AddService(1),))
    assert replay(one, run, without, V7, Deadlock) is None
