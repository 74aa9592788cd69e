"""Replaying a run of the protocol in a world of the explorer.

The run says in which order the actors take their turns and what the shared state is when one
hands over to the next. A schedule that follows it gives the same actors the same turns, each as
many of the world's own steps as it takes to get there.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from ipvs_est import Revision
from ipvs_est.language.violations import Violation, ViolationError
from ipvs_est.machine.tasks import TaskState
from ipvs_est.state.netns import context_at
from ipvs_est_checks.explore.engine.watch import Watch
from ipvs_est_checks.explore.engine.world import TIME, World, enabled, start, step
from ipvs_est_checks.explore.protocol.projection import (
    Seen,
    actor_names,
    actor_of,
    agrees,
    projected,
)
from ipvs_est_checks.explore.scenarios.scenario import Scenario
from ipvs_est_spec.proof.protocol.programs.parts import KT0, KTN, WORK
from ipvs_est_spec.proof.protocol.programs.step import ProtocolStep
from ipvs_est_spec.proof.protocol.run import following as possible
from ipvs_est_spec.proof.protocol.run import runner
from ipvs_est_spec.proof.protocol.search import FoundRun
from ipvs_est_spec.proof.protocol.system import ProtocolSystem

# The reload work begins to run as soon as it is queued; in a run that may be later.
_NOT_COMPARED = frozenset({"work_pending", "WORK idle"})
_LONGEST_TURN = 80
_EFFORT = 60_000
"""Steps of the world, those that are taken again included, after which a replay is given up."""


@dataclass(frozen=True, slots=True)
class Turn:
    """Steps of one actor in a row."""

    actor: str
    ends: Mapping[str, str]
    """The variables' values at the end."""


@dataclass(frozen=True, slots=True)
class Replayed:
    """A schedule that follows a run, and what it ends with."""

    choices: tuple[int, ...]
    violation: Violation | None
    """None: the state itself is what was looked for."""


Ends = Callable[[World, Violation | None], bool]
"""Whether a world in the last turn of a run shows what the run ends with; the violation is that
of its last step."""


def ends_with(kind: type[Violation]) -> Ends:
    """With a violation of that kind."""
    return lambda world, violation: isinstance(violation, kind)


def turns(one: ProtocolSystem, run: FoundRun) -> Iterator[Turn]:
    """The turns of a run; that the reload work begins to run is none."""
    actor = ""
    steps = [
        (step, state)
        for step, state in zip(run.steps, run.states[1:], strict=True)
        if not (step.actor == WORK and step.target == "queued")
    ]
    for number, (protocol_step, state) in enumerate(steps):
        actor = protocol_step.actor
        if number + 1 == len(steps) or steps[number + 1][0].actor != actor:
            yield Turn(actor, dict(zip(one.variables, state, strict=True)))


def with_prompt_unlocks(one: ProtocolSystem, run: FoundRun) -> FoundRun:
    """The same run, but an actor whose turn ends before it releases a mutex has released it: so
    do the world's tasks, and it keeps nobody from anything. The last turn ends as it does."""
    ready = runner(one)
    todo = list(run.steps)
    states, steps = [run.states[0]], list[ProtocolStep]()

    def take(step: ProtocolStep) -> None:
        following = dict(possible(ready, states[-1], step.actor))
        states.append(following[step])
        steps.append(step)

    while todo:
        step = todo.pop(0)
        take(step)
        while todo and todo[0].actor != step.actor:
            releases = [
                protocol_step for protocol_step, _ in possible(ready, states[-1], step.actor)
            ]
            if len(releases) != 1 or not releases[0].releases:
                break
            (unlock,) = releases
            if unlock in todo:
                # Its next step, whenever that is.
                todo.remove(unlock)
            take(unlock)
    return FoundRun(tuple(states), tuple(steps))


def replay(
    one: ProtocolSystem,
    run: FoundRun,
    scenario: Scenario,
    revision: Revision,
    ends: Ends,
    *,
    properties: frozenset[str] = frozenset(),
    slot: int = 1,
) -> Replayed | None:
    """A schedule of the scenario that follows the run and ends as it does; None if there is none.

    The world may notice earlier than the run: a task that is about to take a mutex waits for it.
    properties: those that `ends` asks about; a record is kept for them.
    """
    taken = tuple(turns(one, with_prompt_unlocks(one, run)))
    names = actor_names(scenario)
    actors = tuple(dict.fromkeys(turn.actor for turn in reversed(taken)))
    effort = 0

    def tried(choices: tuple[int, ...], number: int, actor: str = "") -> Replayed | None:
        """`actor` goes on after the last turn: what the run can do next, the world has to do."""
        nonlocal effort
        world = again(scenario, revision, choices, properties)
        effort += len(choices)
        last = number + 1 >= len(taken)
        turn = taken[min(number, len(taken) - 1)]
        for _ in range(_LONGEST_TURN):
            choice = _choice(world, actor or turn.actor, names, slot)
            effort += 1
            if choice is None or effort > _EFFORT:
                return None
            choices = (*choices, choice)
            try:
                step(world, choice)
            except ViolationError as error:
                wanted = last and ends(world, error.violation)
                return Replayed(choices, error.violation) if wanted else None
            if last and ends(world, None):
                return Replayed(choices, None)
            seen = _compared(world, names, slot)
            if actor or not agrees(seen, turn.ends):
                continue
            for then in actors if last else ("",):
                found = tried(choices, number + 1, then)
                if found is not None:
                    return found
        return None

    return tried((), 0)


def _compared(world: World, names: Mapping[str, str], slot: int) -> Seen:
    """What has to be as in the run. A task that is made and not woken up may count as started or
    not: that is one step of the run."""
    left_out = set(_NOT_COMPARED)
    woken = {id(thread.task) for thread in world.threads}
    for actor, number in ((KT0, 0), (KTN, slot)):
        kd = context_at(world.machine.netns, number)
        if kd is not None and kd.task is not None and id(kd.task) not in woken:
            left_out.add(f"{actor} task")
    seen = projected(world, names, slot)
    return {name: values for name, values in seen.items() if name not in left_out}


def again(
    scenario: Scenario,
    revision: Revision,
    choices: Sequence[int],
    properties: frozenset[str] = frozenset(),
) -> World:
    """The world after those choices; with properties a record is kept, and nothing is judged."""
    world = start(scenario, revision, Watch(properties) if properties else None)
    for choice in choices:
        step(world, choice)
    return world


def _choice(world: World, actor: str, names: Mapping[str, str], slot: int) -> int | None:
    """The step of the actor's task, or of time if it sleeps."""
    choices = enabled(world)
    for thread in reversed(world.threads):
        alive = thread.task.state is not TaskState.EXITED
        if alive and actor_of(thread.task, names, slot) == actor:
            if thread.index in choices:
                return thread.index
            return TIME if TIME in choices and thread.wake_at > world.machine.now else None
    work = world.machine.netns.reload_work
    if actor == WORK and work.pending and work.running is None and TIME in choices:
        return TIME
    return None
