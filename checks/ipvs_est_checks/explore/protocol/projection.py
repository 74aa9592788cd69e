"""What the protocol's variables are in a world of the explorer.

Where tasks stand in their programs is left out: a world's steps may be finer or coarser than the
protocol's. See `protocol_follow` for how the two are compared all the same.
"""

from collections.abc import Callable, Mapping, Sequence

from ipvs_est.language.operations import ExitNetns, SetNice, SetRunEstimation, WriteCpulist
from ipvs_est.machine.locks import Mutex
from ipvs_est.machine.tasks import Task, TaskState
from ipvs_est_checks.explore.engine.world import World
from ipvs_est_checks.explore.scenarios.scenario import Scenario
from ipvs_est_spec.proof.protocol.expression import NO, YES
from ipvs_est_spec.proof.protocol.programs.other_tasks import ENDED, IDLE
from ipvs_est_spec.proof.protocol.programs.parts import CTL, EXIT, KT0, KTN, SYSCTL, WORK
from ipvs_est_spec.proof.protocol.programs.step import (
    EST,
    EXITED,
    FREED,
    NEW,
    NOBODY,
    NONE,
    SERVICE,
)

Seen = Mapping[str, frozenset[str]]
"""Variable -> the values that it may have; variables that cannot be seen are not named."""

_LIVE = "live"


def actor_names(scenario: Scenario) -> dict[str, str]:
    """Name of a scenario's task -> the protocol's actor."""
    names: dict[str, str] = {}
    for actor in scenario.actors:
        first = actor.operations[0]
        if isinstance(first, ExitNetns):
            names[actor.name] = EXIT
        elif isinstance(first, WriteCpulist | SetNice | SetRunEstimation):
            names[actor.name] = SYSCTL
        else:
            names[actor.name] = CTL
    return names


def actor_of(task: Task, names: Mapping[str, str], slot: int) -> str:
    """The protocol's actor for a task; '' for a kthread above 0 other than the one in `slot`."""
    if task.kd is not None:
        return KT0 if task.kd.id == 0 else KTN if task.kd.id == slot else ""
    return names.get(task.name, WORK)


def projected(world: World, names: Mapping[str, str], slot: int) -> Seen:
    """What can be seen of the variables, with the kthread above 0 in `slot` as kthread n."""
    machine = world.machine
    netns = machine.netns
    work = netns.reload_work
    array = netns.est_kt_arr
    kd0 = array[0] if array else None
    kdn = array[slot] if slot < len(array) else None
    flags = {
        "enable": netns.enable,
        "est_stopped": netns.est_stopped,
        "calc_phase": netns.est_calc_phase,
        "chain_max": netns.est_chain_max != 0,
        "genid_new": netns.est_genid != netns.est_genid_done,
        "work_pending": work.pending,
        "kd0": kd0 is not None,
        "kdn": kdn is not None,
        "temp": netns.est_temp_list.next is not None,
    }
    if kd0 is not None:
        flags["needed"] = kd0.needed
    seen = {name: frozenset({YES if value else NO}) for name, value in flags.items()}
    for actor, number in ((KT0, 0), (KTN, slot)):
        task = _task_of(world, number)
        seen[f"{actor} task"] = frozenset({_stage(task)})
        if task is not None:
            seen[f"stop_{actor}"] = frozenset({YES if task.should_stop else NO})
    seen["WORK idle"] = frozenset({YES if work.running is None else NO})
    exits = [thread for thread in world.threads if names.get(thread.task.name) == EXIT]
    for thread in exits:
        ended = thread.task.state is TaskState.EXITED
        seen["EXIT ended"] = frozenset({YES if ended else NO})
    seen[SERVICE] = frozenset({_owner(machine.service_mutex, names, slot)})
    seen[EST] = frozenset({_owner(netns.est_mutex, names, slot)})
    return seen


def _task_of(world: World, number: int) -> Task | None:
    """The task that the kd in that slot points to, also of a kd that is not yet published."""
    for thread in reversed(world.threads):
        kd = thread.task.kd
        if kd is not None and kd.id == number:
            return thread.task if kd.task is thread.task else None
    array = world.machine.netns.est_kt_arr
    kd = array[number] if number < len(array) else None
    return None if kd is None else kd.task


def _stage(task: Task | None) -> str:
    if task is None:
        return NONE
    if task.state is TaskState.EXITED:
        return EXITED
    return NEW if task.state is TaskState.NEW else _LIVE


def _owner(mutex: Mutex, names: Mapping[str, str], slot: int) -> str:
    return NOBODY if mutex.owner is None else actor_of(mutex.owner, names, slot)


def _stage_at(place: str) -> str:
    if place == FREED:
        return EXITED
    return place if place in (NONE, NEW, EXITED) else _LIVE


_LOOKS: Mapping[str, tuple[str, Callable[[str], str]]] = {
    f"{KT0} task": (KT0, _stage_at),
    f"{KTN} task": (KTN, _stage_at),
    "WORK idle": (WORK, lambda place: YES if place == IDLE else NO),
    "EXIT ended": (EXIT, lambda place: YES if place == ENDED else NO),
}
"""What is seen of where an actor stands: the variable, and how each of its places looks."""


def fitting(seen: Seen, variables: Mapping[str, Sequence[str]]) -> dict[str, frozenset[str]]:
    """Those of the variables' values that look like what is seen; not of variables of which
    nothing is."""
    found: dict[str, frozenset[str]] = {}
    for name, allowed in seen.items():
        if name in variables:
            fit = allowed.intersection(variables[name])
        elif name in _LOOKS:
            name, look = _LOOKS[name]
            fit = frozenset(variable for variable in variables[name] if look(variable) in allowed)
        else:
            continue
        found[name] = found.get(name, fit) & fit
    return found


def agrees(seen: Seen, values: Mapping[str, str]) -> bool:
    """Whether a state of the protocol looks like what is seen."""
    return all(fitting(seen, {name: (value,) for name, value in values.items()}).values())
