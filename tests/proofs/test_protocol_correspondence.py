"""Every step that the model takes is a step of the protocol that z3 proves things about."""

import random
from collections.abc import Mapping
from dataclasses import dataclass, replace

import pytest

from ipvs_est import MAINLINE, REVISIONS, STABLE, V7, Revision
from ipvs_est.language.operations import (
    AddService,
    DeleteService,
    ExitNetns,
    InitNetns,
    Operation,
    SetNice,
    SetRunEstimation,
    WriteCpulist,
)
from ipvs_est.language.params import Params
from ipvs_est.language.revision import BEFORE_MAINLINE
from ipvs_est.language.violations import ViolationError
from ipvs_est_checks.explore.engine.world import enabled, start
from ipvs_est_checks.explore.protocol.follow import NoSuchStepError, follow, follower
from ipvs_est_checks.explore.scenarios.scenario import Actor, Scenario
from ipvs_est_spec.proof.protocol.system import system

_SEED = 20260727
_STEPS = 700
_NOBODY = -9
"""No thread's index."""
_PARAMS = Params(
    hz=100, nticks=2, chain_factor=1, possible_cpus=1, est_cost_ns=95_000, initial_jiffies=1000
)

_SERVICES: tuple[Operation, ...] = (
    *(AddService(number) for number in range(1, 6)),
    *(DeleteService(number) for number in (5, 3)),
    AddService(6),
    *(DeleteService(number) for number in (2, 1, 4, 6)),
    AddService(7),
)
_MORE: tuple[Operation, ...] = (AddService(11), DeleteService(11), AddService(12))
_SYSCTLS: tuple[Operation, ...] = (
    SetNice(1),
    WriteCpulist("0"),
    SetRunEstimation(0),
    SetRunEstimation(1),
    WriteCpulist("0"),
    WriteCpulist("0"),
)

_TASKS: Mapping[str, Mapping[str, tuple[Operation, ...]]] = {
    "services and sysctls": {"CTL": _SERVICES, "SYSCTL": _SYSCTLS},
    "without sysctl support": {"CTL": _SERVICES},
    "several of each": {
        "CTL": _SERVICES,
        "CTL 2": _MORE,
        "SYSCTL": _SYSCTLS,
        "SYSCTL 2": _SYSCTLS[1:3],
    },
    "recalculation": {"CTL": _SERVICES[:4], "SYSCTL": _SYSCTLS[1:2]},
    "exit": {"CTL": _SERVICES[:4], "SYSCTL": _SYSCTLS, "EXIT": (ExitNetns(),)},
}


def _scenario(name: str) -> Scenario:
    params = replace(_PARAMS, sysctl=False) if name == "without sysctl support" else _PARAMS
    actors = tuple(Actor(item, operations) for item, operations in _TASKS[name].items())
    return Scenario(name, "", params, (InitNetns(),), actors, 400)


@dataclass(slots=True)
class _Figures:
    steps: int = 0
    violations: int = 0
    with_kthread_n: int = 0
    recalculating: int = 0
    """Steps in a calc phase with a kthread n."""


def _run(name: str, revision: Revision, protocol: Revision, seed: str, figures: _Figures) -> None:
    """One random schedule, of tasks that go on for long or not; raises NoSuchStepError."""
    numbers = random.Random(seed)
    scenario = _scenario(name)
    world = start(scenario, revision)
    following = follower(system(protocol), scenario, world, numbers.choice((1, 1, 2)))
    stays = numbers.choice((0.0, 0.5, 0.9, 0.97, 1.0))
    choice = 0
    late = {"exit": 2, "recalculation": 1}.get(name, _NOBODY)
    for number in range(_STEPS):
        choices = [number for number in enabled(world) if number != late] or enabled(world)
        if number > 150 and (name == "exit" or world.machine.netns.est_kt_count > 1):
            late = _NOBODY
        if not choices:
            return
        goes_on = choice in choices and numbers.random() < stays
        choice = choice if goes_on else numbers.choice(choices)
        try:
            follow(following, world, choice)
        except ViolationError:
            figures.violations += 1
            return
        netns = world.machine.netns
        figures.steps += 1
        has_kthread = netns.est_kt_count > following.slot
        figures.with_kthread_n += has_kthread
        figures.recalculating += has_kthread and netns.est_calc_phase


@pytest.mark.parametrize("revision", REVISIONS.values(), ids=lambda revision: revision.name)
def test_every_step_of_random_schedules_is_a_step_of_the_protocol(revision: Revision) -> None:
    figures = _Figures()
    for name in _TASKS:
        for number in range(6):
            _run(name, revision, revision, f"{_SEED} {name} {number}", figures)
    assert figures.steps > 4_000
    assert figures.with_kthread_n > 500
    assert figures.recalculating > 50
    # The known defects stop some of the schedules.
    assert (figures.violations > 0) is (revision in BEFORE_MAINLINE)


@pytest.mark.parametrize(
    ("revision", "protocol", "name"),
    [
        # The reload work keeps est_mutex while it joins kthread 0.
        (MAINLINE, replace(MAINLINE, work_drops_est_mutex_for_kd0=False), "services and sysctls"),
        (STABLE, replace(STABLE, work_drops_est_mutex_for_kd0=True), "services and sysctls"),
        # kd 0 goes with the last estimator.
        (MAINLINE, replace(MAINLINE, kd0_until_exit=False), "without sysctl support"),
        (STABLE, replace(STABLE, kd0_until_exit=True), "without sysctl support"),
        # Who starts tasks, where the limits test is locked, where the total is stopped.
        (V7, replace(V7, work_starts_tasks=True), "without sysctl support"),
        (STABLE, replace(STABLE, calc_stats_under_est_mutex=True), "services and sysctls"),
        (MAINLINE, replace(MAINLINE, est_mutex_at_enable=False), "services and sysctls"),
        (V7, replace(V7, total_stopped_under_service_mutex=True), "exit"),
    ],
    ids=lambda value: value if isinstance(value, str) else value.name,
)
def test_a_model_that_differs_from_the_protocol_is_told(
    revision: Revision, protocol: Revision, name: str
) -> None:
    def any_schedule() -> None:
        for number in range(40):
            _run(name, revision, protocol, f"{_SEED} {name} {number}", _Figures())

    with pytest.raises(NoSuchStepError):
        any_schedule()
