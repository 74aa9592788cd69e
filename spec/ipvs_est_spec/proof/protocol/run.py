"""The system over plain values: what can follow a state."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import assert_never

from ipvs_est_spec.algebra.python_algebra import PythonAlgebra
from ipvs_est_spec.proof.protocol.expression import (
    NO,
    TRUE,
    YES,
    Both,
    Condition,
    Either,
    Holds,
    Is,
    Negated,
    interpret,
)
from ipvs_est_spec.proof.protocol.programs.step import NOBODY, ProtocolStep
from ipvs_est_spec.proof.protocol.system import ProtocolSystem

State = tuple[str, ...]
"""A value for each variable, in the system's order."""

_ALGEBRA = PythonAlgebra()


@dataclass(frozen=True, slots=True)
class Values:
    """A state as conditions see it."""

    index: Mapping[str, int]
    state: State

    def has(self, variable: str, values: tuple[str, ...]) -> bool:
        """The variable has one of the values."""
        return self.state[self.index[variable]] in values


Test = Callable[[State], bool]


@dataclass(frozen=True, slots=True)
class Ready:
    """A step made ready for running."""

    step: ProtocolStep
    test: Test
    """Whether an actor that stands at its source can take it."""
    changes: tuple[tuple[int, str | Test], ...]
    """What it sets: a value, or a flag to the truth of a test."""


@dataclass(frozen=True, slots=True)
class Runner:
    """A system made ready for running."""

    system: ProtocolSystem
    index: Mapping[str, int]
    steps: Mapping[tuple[str, str], tuple[Ready, ...]]
    """By actor and the place where it stands."""


def runner(system: ProtocolSystem) -> Runner:
    """Make a system ready."""
    index = {name: number for number, name in enumerate(system.variables)}
    steps: dict[tuple[str, str], list[Ready]] = {}
    for step in system.steps:
        free = (Is(step.acquires, (NOBODY,)),) if step.acquires else ()
        changes = tuple(
            (index[name], value if isinstance(value, str) else compiled(index, value))
            for name, value in step.changes().items()
        )
        ready = Ready(step, compiled(index, Both((*free, step.guard))), changes)
        steps.setdefault((step.actor, step.source), []).append(ready)
    return Runner(system, index, {key: tuple(value) for key, value in steps.items()})


def state_of(run: Runner, values: Mapping[str, str]) -> State:
    """The state with these values."""
    return tuple(values[name] for name in run.index)


def compiled(index: Mapping[str, int], condition: Condition) -> Test:
    """The condition as a function of a state."""
    match condition:
        case Is(variable, values):
            number, allowed = index[variable], frozenset(values)
            return lambda state: state[number] in allowed
        case Both(terms):
            tests = tuple(compiled(index, term) for term in terms if term != TRUE)
            if len(tests) == 1:
                return tests[0]
            return lambda state: all(test(state) for test in tests)
        case Either(terms):
            tests = tuple(compiled(index, term) for term in terms)
            return lambda state: any(test(state) for test in tests)
        case Negated(term):
            inner = compiled(index, term)
            return lambda state: not inner(state)
        case Holds():
            return lambda state: interpret(condition, _ALGEBRA, Values(index, state))
        case _:
            assert_never(condition)


def following(run: Runner, state: State, actor: str) -> Iterator[tuple[ProtocolStep, State]]:
    """What an actor can do next."""
    for ready in run.steps.get((actor, state[run.index[actor]]), ()):
        if ready.test(state):
            values = list(state)
            for number, value in ready.changes:
                values[number] = value if isinstance(value, str) else YES if value(state) else NO
            yield ready.step, tuple(values)
