"""Runs that end badly: looked for over plain values, shortest first, and confirmed by z3."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from ipvs_est_spec.algebra.z3_names import z3
from ipvs_est_spec.proof.framework.theorem import Goal
from ipvs_est_spec.proof.protocol import relation, run
from ipvs_est_spec.proof.protocol.expression import Condition, flag
from ipvs_est_spec.proof.protocol.programs.parts import ACTORS
from ipvs_est_spec.proof.protocol.programs.step import ProtocolStep
from ipvs_est_spec.proof.protocol.run import State
from ipvs_est_spec.proof.protocol.system import ProtocolSystem

NO_MEMORY = flag("work_failed")
"""The reload work could not start a task."""


@dataclass(frozen=True, slots=True)
class Where:
    """Where to look: fewer actors make a small search. What is found is a run all the same."""

    actors: tuple[str, ...] = ACTORS
    initially: Mapping[str, str] = field(default_factory=dict)
    """Values of an initial state."""
    via: tuple[Condition, ...] = ()
    """Conditions to be reached on the way, one after the other."""
    states: int = 400_000
    """Of each part of the way."""
    avoid: Condition = NO_MEMORY
    """No state on the way fulfils it."""


@dataclass(frozen=True, slots=True)
class FoundRun:
    """Steps from an initial state to a bad one."""

    states: tuple[State, ...]
    steps: tuple[ProtocolStep, ...]


def find_run(
    system: ProtocolSystem, bad: Condition, where: Where, *, few_turns: bool = False
) -> FoundRun | None:
    """A run to a bad state, or None if there is none within the bounds.

    From state to state on the way it is a shortest one, or with `few_turns` one in which the
    actors take turns as seldom as can be.
    """
    ready = run.runner(system)
    level = [
        run.state_of(ready, entry)
        for entry in system.initial
        if all(entry[name] == value for name, value in where.initially.items())
    ]
    states, steps = list[State](), list[ProtocolStep]()
    for goal in (*where.via, bad):
        part_of = _fewest_turns if few_turns else _part
        part = part_of(ready, level, run.compiled(ready.index, goal), where)
        if part is None:
            return None
        level = [part.states[-1]]
        states += part.states[:-1]
        steps += part.steps
    return FoundRun((*states, *level), tuple(steps))


def _part(ready: run.Runner, level: list[State], found: run.Test, where: Where) -> FoundRun | None:
    came: dict[State, tuple[State, ProtocolStep] | None] = dict.fromkeys(level)
    avoided = run.compiled(ready.index, where.avoid)
    while level and len(came) < where.states:
        new: list[State] = []
        for state in level:
            if found(state):
                return _traced(came, state)
            for actor in where.actors:
                for step, then in run.following(ready, state, actor):
                    if then not in came and not avoided(then):
                        came[then] = state, step
                        new.append(then)
        level = new
    return None


def _fewest_turns(
    ready: run.Runner, level: list[State], found: run.Test, where: Where
) -> FoundRun | None:
    """Each round gives every actor one turn, of any length, after what the last round reached."""
    came: dict[State, tuple[State, ProtocolStep] | None] = dict.fromkeys(level)
    avoided = run.compiled(ready.index, where.avoid)
    for state in level:
        if found(state):
            return FoundRun((state,), ())
    while level and len(came) < where.states:
        new: list[State] = []
        for actor in where.actors:
            todo = list(level)
            for state in todo:
                for step, then in run.following(ready, state, actor):
                    if then not in came and not avoided(then):
                        came[then] = state, step
                        if found(then):
                            return _traced(came, then)
                        todo.append(then)
                        new.append(then)
        level = new
    return None


def _traced(came: Mapping[State, tuple[State, ProtocolStep] | None], state: State) -> FoundRun:
    states, steps = [state], list[ProtocolStep]()
    while (link := came[states[-1]]) is not None:
        states.append(link[0])
        steps.append(link[1])
    return FoundRun(tuple(reversed(states)), tuple(reversed(steps)))


def run_goal(name: str, system: ProtocolSystem, bad: Condition, where: Where) -> Goal:
    """No run takes these steps to a bad state; refuted if it is one. Trivially true if the
    search has found none."""
    found = find_run(system, bad, where)
    if found is None:
        return Goal(name, (), z3.BoolVal(True))
    return goal_of_steps(name, system, bad, found.steps)


def goal_of_steps(
    name: str, system: ProtocolSystem, bad: Condition, steps: Sequence[ProtocolStep]
) -> Goal:
    """No run takes exactly these steps from an initial to a bad state."""
    states = [relation.terms(system, f"@{number}") for number in range(len(steps) + 1)]
    parts = [relation.initial(states[0])]
    shown: list[tuple[str, z3.ExprRef]] = []
    for number, step in enumerate(steps):
        parts.append(relation.taken(step, states[number], states[number + 1]))
        there = states[number + 1].has(step.actor, (step.target,))
        shown.append((f"{number + 1} {step.actor}: {step.target}", there))
    parts.append(relation.holds(bad, states[-1]))
    return Goal(name, (), z3.Not(z3.And(*parts)), (), tuple(shown))
