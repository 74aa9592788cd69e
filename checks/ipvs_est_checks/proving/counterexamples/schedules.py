"""Runs of the protocol that end badly, as schedules of the model: of findings and of twins.

A twin is an edit of the protocol; here the same mistake is an edit of the model, or a revision
without one of its repairs. What the run ends with has to show: a violation, a property of the
catalogue that is broken, or the bad state itself.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

from ipvs_est import Revision
from ipvs_est.language.events import LockReleased, LockTaken
from ipvs_est.language.operations import (
    AddService,
    DeleteService,
    ExitNetns,
    FailAllocations,
    InitNetns,
    Operation,
    SetNice,
    WriteCpulist,
)
from ipvs_est.language.params import Params
from ipvs_est.language.violations import Deadlock, UseAfterFree, Violation
from ipvs_est.machine.tasks import TaskState
from ipvs_est_checks.explore.engine.watch import Watch, broken_record
from ipvs_est_checks.explore.engine.world import World, finished
from ipvs_est_checks.explore.protocol.replay import Ends, Replayed, ends_with, replay
from ipvs_est_checks.explore.scenarios.scenario import Actor, Scenario
from ipvs_est_checks.mutants.registry import BY_ID as MUTANTS
from ipvs_est_checks.text_edits import Edit, applied
from ipvs_est_spec.proof.protocol.bad_runs import FOUND, TWINS, BadRun

_PARAMS = Params(
    hz=100,
    nticks=2,
    chain_factor=1,
    possible_cpus=1,
    est_cost_ns=95_000,
    initial_jiffies=1000,
    steps_per_break=1,
)
"""Kd 0 has room for two estimators; relinking gives way at each chain."""
_JIFFIES = 300


@dataclass(frozen=True, slots=True)
class ScheduleReplay:
    """How a run becomes a schedule."""

    tasks: Mapping[str, tuple[Operation, ...]]
    """What the control processes have to do so that the model has the estimators that the run
    speaks of."""
    ends: Ends
    properties: frozenset[str] = frozenset()
    edits: tuple[Edit, ...] = ()
    """Of the model, for a twin that is no revision."""
    sysctl: bool = True
    fails: int = 0
    """Number of the allocation after netns init that fails; 0: none."""


@dataclass(frozen=True, slots=True)
class ReplaySchedule:
    """A run that happens in the model."""

    scenario: Scenario
    revision: Revision
    edits: tuple[Edit, ...]
    properties: frozenset[str]
    """A record is kept for them."""
    found: Replayed


def _property(id_: str) -> Ends:
    def breaks(world: World, violation: Violation | None) -> bool:
        events = world.machine.events
        if violation is not None or events is None:
            return False
        watch = Watch(frozenset({id_}))
        params = world.machine.params
        return broken_record(watch, params, events, world.setup, prompt=True) is not None

    return breaks


def _alive_after_exit(world: World, violation: Violation | None) -> bool:
    alive = [thread.task for thread in world.threads if thread.task.state is not TaskState.EXITED]
    exited = all(task.name != "EXIT" for task in alive)
    return exited and any(task.kd is not None for task in alive)


def _two_owners(world: World, violation: Violation | None) -> bool:
    """A control process has taken the service mutex and not released it, and kthread 0 owns it."""
    owner = world.machine.service_mutex.owner
    holder = ""
    for event in world.machine.events or ():
        if isinstance(event, LockTaken) and event.mutex == world.machine.service_mutex.name:
            holder = event.task
        elif isinstance(event, LockReleased) and event.mutex == world.machine.service_mutex.name:
            holder = ""
    return owner is not None and owner.kd is not None and holder == "CTL"


def _unserved(world: World, violation: Violation | None) -> bool:
    """A recalculation is requested, tasks may run, nobody is at work, and kthread 0 is past it."""
    netns = world.machine.netns
    work = netns.reload_work
    idle = not work.pending and work.running is None
    wanted = netns.est_calc_phase and netns.enable and not netns.est_stopped
    return finished(world) and idle and wanted


_TWO = (AddService(1), AddService(2))
"""With the total one more than kd 0 takes: the first of them comes into kd 1."""
_WRITER = (WriteCpulist("0"),)
_RELINKING: Mapping[str, tuple[Operation, ...]] = {"CTL": _TWO, "SYSCTL": _WRITER}
_EXIT: Mapping[str, tuple[Operation, ...]] = {"CTL": (AddService(1),), "EXIT": (ExitNetns(),)}

_DEADLOCKS = {
    "a": ScheduleReplay({"CTL": (AddService(1),), "SYSCTL": (SetNice(1),)}, ends_with(Deadlock)),
    "b": ScheduleReplay({"CTL": (AddService(1),), "SYSCTL": (SetNice(1),)}, ends_with(Deadlock)),
    "c": ScheduleReplay({"CTL": (*_TWO, AddService(3)), "SYSCTL": _WRITER}, ends_with(Deadlock)),
    "d": ScheduleReplay(
        {"CTL": (AddService(1), DeleteService(1), AddService(2), DeleteService(2))},
        ends_with(Deadlock),
        sysctl=False,
    ),
    "e": ScheduleReplay(_EXIT, ends_with(Deadlock)),
}
_TASKS_ENABLED = _property("tasks.enabled"), frozenset({"tasks.enabled"})
_NOT_LOST = _property("progress.not-lost"), frozenset({"progress.not-lost"})

REPLAYS: Mapping[str, ScheduleReplay] = {
    **{f"protocol.deadlock-{id_}": deadlock for id_, deadlock in _DEADLOCKS.items()},
    "protocol.start-unlocked": ScheduleReplay(_EXIT, *_TASKS_ENABLED),
    "protocol.memory-relinking": ScheduleReplay(_RELINKING, ends_with(UseAfterFree)),
    "protocol.owners": ScheduleReplay(
        {"CTL": (AddService(1), AddService(2)), "SYSCTL": _WRITER},
        _two_owners,
        frozenset({"locks.lists"}),
        (
            Edit(
                "estimator.calc_phase:_relink_row",
                "            yield machine.lock_service\n",
                "            machine.service_mutex.owner = task\n",
            ),
        ),
    ),
    "protocol.deadlock": ScheduleReplay(
        {"CTL": (*_TWO, DeleteService(1))}, ends_with(Deadlock), edits=MUTANTS["R3"].edits
    ),
    "protocol.relinking": ScheduleReplay(
        _RELINKING,
        _property("tasks.relinking"),
        frozenset({"tasks.relinking"}),
        MUTANTS["R5"].edits,
        fails=14,
    ),
    "protocol.after-exit": ScheduleReplay(
        _EXIT,
        _alive_after_exit,
        edits=(
            Edit(
                "control.netns_life:_release_estimators",
                "            yield from destroy_context(",
                "            from ipvs_est.estimator.contexts import free_context\n"
                "            free_context(",
            ),
        ),
    ),
    "protocol.start": ScheduleReplay(
        _EXIT,
        *_TASKS_ENABLED,
        (
            Edit(
                "estimator.reload_work:reload_work",
                "                yield machine.lock_est\n"
                "                if not (yield from read_enable(machine)):\n"
                "                    break\n",
                "                yield machine.lock_est\n",
            ),
        ),
    ),
    "protocol.memory": ScheduleReplay(
        {"CTL": (*_TWO, DeleteService(1)), "SYSCTL": _WRITER},
        ends_with(UseAfterFree),
        edits=(
            Edit(
                "estimator.calc_phase:_relink_row",
                "            if walk.id >= netns.est_kt_count:\n"
                "                return _Next.LAST_KD\n"
                "            if netns.est_kt_arr[walk.id] is not kd:\n"
                "                return _Next.KD\n",
                "",
            ),
        ),
    ),
    "protocol.request-remembered": ScheduleReplay(
        {"CTL": (AddService(1),), "SYSCTL": (WriteCpulist("0"),)},
        *_NOT_LOST,
        MUTANTS["R4-genid"].edits,
    ),
    "protocol.request-served": ScheduleReplay(
        {"CTL": (AddService(1),), "SYSCTL": (WriteCpulist("0"),)},
        _unserved,
        edits=(
            Edit(
                "control.sysctl:set_cpulist",
                "    yield from request_restart(machine, recalculation=True)\n",
                "",
            ),
        ),
    ),
}
"""By theorem: of its twin, and if it is refuted of each of its runs."""


def scenario_of(theorem: str) -> Scenario:
    """The world in which the theorem's runs are replayed."""
    how = REPLAYS[theorem]
    failing = (FailAllocations(how.fails),) if how.fails else ()
    actors = (Actor(name, operations) for name, operations in how.tasks.items())
    params = replace(_PARAMS, sysctl=how.sysctl)
    return Scenario(theorem, "", params, (InitNetns(), *failing), tuple(actors), _JIFFIES)


def twin_schedule(theorem: str) -> ReplaySchedule | None:
    """The run that refutes a theorem's twin; None if no schedule follows it."""
    return _schedule(theorem, TWINS[theorem], REPLAYS[theorem].edits)


def found_schedules(theorem: str) -> Iterator[ReplaySchedule | None]:
    """The runs that refute the theorem itself."""
    for bad_run in FOUND.get(theorem, ()):
        yield _schedule(theorem, bad_run, ())


def _schedule(theorem: str, bad: BadRun, edits: Sequence[Edit]) -> ReplaySchedule | None:
    how = REPLAYS[theorem]
    run = bad.find(few_turns=True)
    if run is None:
        return None
    scenario = scenario_of(theorem)
    with applied(edits):
        found = replay(bad.system, run, scenario, bad.revision, how.ends, properties=how.properties)
    if found is None:
        return None
    return ReplaySchedule(scenario, bad.revision, tuple(edits), how.properties, found)
