"""Following a world of the explorer in the protocol: every step of the model is one of it.

What can be seen of a world does not say where tasks stand. So all states of the protocol are
kept that agree with everything seen so far; a step of a task leads to all states that steps of
its actor alone lead to, any number of them, none included. If none of those agrees with what is
seen then, the model has done what the protocol does not allow.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from operator import itemgetter

from ipvs_est_checks.explore.engine.world import World, step
from ipvs_est_checks.explore.protocol.projection import (
    Seen,
    actor_names,
    actor_of,
    fitting,
    projected,
)
from ipvs_est_checks.explore.scenarios.scenario import Scenario
from ipvs_est_spec.proof.protocol import run
from ipvs_est_spec.proof.protocol.programs.other_tasks import IDLE
from ipvs_est_spec.proof.protocol.programs.parts import WORK
from ipvs_est_spec.proof.protocol.run import Runner, State
from ipvs_est_spec.proof.protocol.system import ProtocolSystem

States = frozenset[State]


@dataclass(slots=True)
class Follower:
    """The states of the protocol in which a world may be."""

    ready: Runner
    names: Mapping[str, str]
    slot: int
    """Of the kthread that is kthread n."""
    states: States
    known: dict[tuple[State, str], tuple[State, ...]] = field(default_factory=dict)
    """State and actor -> where each of its steps leads; the same states come again and again."""

    def following(self, state: State, actor: str) -> tuple[State, ...]:
        """Where each step of the actor leads."""
        key = state, actor
        if key not in self.known:
            self.known[key] = tuple(then for _, then in run.following(self.ready, state, actor))
        return self.known[key]


class NoSuchStepError(Exception):
    """The model has done what the protocol does not allow."""


def follower(one: ProtocolSystem, scenario: Scenario, world: World, slot: int) -> Follower:
    """Begin where the protocol begins; raises NoSuchStepError if the world does not."""
    ready = run.runner(one)
    names = actor_names(scenario)
    seen = projected(world, names, slot)
    wanted = "1" if scenario.params.sysctl else "0"
    begin = [run.state_of(ready, entry) for entry in one.initial if entry["sysctl"] == wanted]
    states = _agreeing(ready, begin, seen)
    if not states:
        raise NoSuchStepError(f"the world begins otherwise: {_values_text(seen)}")
    return Follower(ready, names, slot, states)


def follow(follower: Follower, world: World, choice: int) -> None:
    """Take a step in the world and in the protocol; raises NoSuchStepError, ViolationError."""
    thread = world.by_index[choice] if choice >= 0 else None
    actor = "" if thread is None else actor_of(thread.task, follower.names, follower.slot)
    try:
        step(world, choice)
    finally:
        ready = follower.ready
        reached = _closed(follower, actor) if actor else follower.states
        # The delayed work begins to run at the end of any step.
        queued = {
            then
            for state in reached
            if state[ready.index[WORK]] == IDLE
            for then in follower.following(state, WORK)
        }
        seen = projected(world, follower.names, follower.slot)
        states = _agreeing(ready, (*reached, *queued), seen)
        if not states:
            name = actor or "nobody"
            raise NoSuchStepError(f"no step of {name} leads to {_values_text(seen)}")
        follower.states = states


def _closed(follower: Follower, actor: str) -> States:
    found = set(follower.states)
    todo = list(found)
    while todo:
        for then in follower.following(todo.pop(), actor):
            if then not in found:
                found.add(then)
                todo.append(then)
    return frozenset(found)


def _agreeing(ready: Runner, states: Iterable[State], seen: Seen) -> States:
    allowed = {
        ready.index[name]: fit for name, fit in fitting(seen, ready.system.variables).items()
    }
    # Most look like one value only, and are compared at once.
    certain = {number: next(iter(fit)) for number, fit in allowed.items() if len(fit) == 1}
    chosen, wanted = itemgetter(*certain), tuple(certain.values())
    places = [(number, fit) for number, fit in allowed.items() if number not in certain]
    return frozenset(
        state
        for state in states
        if chosen(state) == wanted and all(state[number] in fit for number, fit in places)
    )


def _values_text(seen: Seen) -> str:
    return ", ".join(f"{name}={'/'.join(sorted(values))}" for name, values in seen.items())
