"""Replaying a run of the protocol in a world of the explorer.

The run says in which order the actors take their turns and what the shared state is when one
hands over to the next. A schedule that follows it gives the same actors the same turns, each as
many of the world's own steps as it takes to get there.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from ipvs_est import Revision
from ipvs_est.tasks import TaskState
from ipvs_est.violations import Violation, ViolationError
from ipvs_est_checks.explore.protocol_projection import actor_names, actor_of, agrees, projected
from ipvs_est_checks.explore.scenario import Scenario
from ipvs_est_checks.explore.world import TIME, World, enabled, start, step
from ipvs_est_spec.proof.protocol.parts import WORK
from ipvs_est_spec.proof.protocol.search import Run
from ipvs_est_spec.proof.protocol.system import System

# The reload work begins to run as soon as it is queued; in a run that may be later.
_NOT_COMPARED = frozenset({"work_pending", "WORK idle"})
_LONGEST_TURN = 80


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
    violation: Violation


def turns(one: System, run: Run) -> Iterator[Turn]:
    """The turns of a run; that the reload work begins to run is none."""
    actor = ""
    steps = [
        (each, state)
        for each, state in zip(run.steps, run.states[1:], strict=True)
        if not (each.actor == WORK and each.target == "queued")
    ]
    for number, (each, state) in enumerate(steps):
        actor = each.actor
        if number + 1 == len(steps) or steps[number + 1][0].actor != actor:
            yield Turn(actor, dict(zip(one.variables, state, strict=True)))


def replay(
    one: System,
    run: Run,
    scenario: Scenario,
    revision: Revision,
    kind: type[Violation],
    slot: int = 1,
) -> Replayed | None:
    """A schedule of the scenario that follows the run and ends with a violation of that kind;
    None if there is none.

    The world may notice earlier than the run: a task that is about to take a mutex waits for it.
    """
    taken = tuple(turns(one, run))
    names = actor_names(scenario)

    def tried(choices: tuple[int, ...], number: int) -> Replayed | None:
        world = _again(scenario, revision, choices)
        last = number + 1 == len(taken)
        turn = taken[number]
        for _ in range(_LONGEST_TURN):
            choice = _choice(world, turn.actor, names, slot)
            if choice is None:
                return None
            choices = (*choices, choice)
            try:
                step(world, choice)
            except ViolationError as error:
                wanted = isinstance(error.violation, kind)
                return Replayed(choices, error.violation) if wanted else None
            seen = {
                name: values
                for name, values in projected(world, names, slot).items()
                if name not in _NOT_COMPARED
            }
            if not last and agrees(seen, turn.ends):
                found = tried(choices, number + 1)
                if found is not None:
                    return found
        return None

    return tried((), 0)


def _again(scenario: Scenario, revision: Revision, choices: Sequence[int]) -> World:
    world = start(scenario, revision)
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
    return None
