"""The reduced search comes to the same states by the same ways as the whole one: made-up tasks."""

from collections.abc import Sequence
from dataclasses import dataclass, field, replace

import hypothesis.strategies as st
from hypothesis import assume, example, given, settings

from ipvs_est_checks.explore.engine.outcome import Bounds
from ipvs_est_checks.explore.engine.run import Tally, run
from ipvs_est_checks.explore.reduction.footprint import Footprint
from ipvs_est_checks.explore.schedulers.exhaustive import (
    Exhaustive,
    Reduction,
    closed_exhaustive,
)
from ipvs_est_checks.explore.schedulers.scheduler import System

VARIABLES = 3


@dataclass(frozen=True, slots=True)
class Instruction:
    """Adds what it reads to what it writes, modulo 3; goes back to the task's start where that
    comes to `again`."""

    reads: int
    writes: int
    again: int | None
    waits: bool
    """It cannot be made before what it reads is not 0."""


Program = tuple[Instruction, ...]


@dataclass(slots=True)
class Machine:
    """Tasks with their instructions, and what they share."""

    programs: tuple[Program, ...]
    at: list[int]
    values: list[int] = field(default_factory=lambda: [0, 1, 2])
    last: Footprint | None = None


def _enabled(machine: Machine) -> Sequence[int]:
    able = []
    for task, program in enumerate(machine.programs):
        if machine.at[task] < len(program):
            instruction = program[machine.at[task]]
            if not instruction.waits or machine.values[instruction.reads]:
                able.append(task)
    return able


def _step(machine: Machine, task: int) -> None:
    instruction = machine.programs[task][machine.at[task]]
    value = machine.values[instruction.reads]
    written = (machine.values[instruction.writes] + value) % 3
    machine.values[instruction.writes] = written
    machine.at[task] = 0 if written == instruction.again else machine.at[task] + 1
    # What is added to is read as well; who waits is kept waiting by whoever writes.
    machine.last = Footprint(
        1 << instruction.reads | 1 << instruction.writes, 1 << instruction.writes
    )


def _system(programs: tuple[Program, ...]) -> System[Machine]:
    machines: list[Machine] = []

    def begin() -> Machine:
        machines[:] = [Machine(programs, [0] * len(programs))]
        return machines[0]

    return System(
        begin,
        _enabled,
        _step,
        _step,
        lambda machine: repr((machine.at, machine.values)).encode(),
        lambda machine, task: False,
        footprint=lambda: machines[0].last,
    )


INSTRUCTIONS = st.builds(
    Instruction,
    st.integers(0, VARIABLES - 1),
    st.integers(0, VARIABLES - 1),
    st.none() | st.integers(0, 2),
    st.booleans(),
)
PROGRAMS = st.lists(st.lists(INSTRUCTIONS, max_size=4).map(tuple), min_size=2, max_size=3).map(
    tuple
)


WITHOUT_END = (
    (Instruction(1, 1, None, waits=False),),
    (Instruction(0, 0, 0, waits=False),),
)
"""Once the first task has ended, only the second can go on, and does so for ever: that its step
comes to nothing is seen only where both orders of the two are gone."""


@settings(max_examples=150, deadline=None)
@given(PROGRAMS)
@example(WITHOUT_END)
def test_all_states_and_all_ways_between_them_are_the_same(programs: tuple[Program, ...]) -> None:
    system = _system(programs)
    searches, failed = [], []
    for reduction in Reduction:
        search, tally = Exhaustive(reduction), Tally()
        outcome = run(system, search, Bounds(steps=500), keep_going=True, tally=tally)
        # Of what is longer nothing is known.
        assume(not outcome.figures.cut)
        outcome = closed_exhaustive(system, outcome, search)
        assert outcome.figures.exhausted
        ways = {
            state: {choice: to for choice, (_, to) in node.out.items()}
            for state, node in search.graph.states.items()
        }
        searches.append((tally.states, ways))
        failed.append(bool(outcome.failures))
    assert failed[0] == failed[1]
    # A failure ends its schedule, in each of the two searches another one.
    assert failed[0] or searches[0] == searches[1]


def test_of_independent_steps_each_state_is_reached_once() -> None:
    alone = tuple(
        (Instruction(number, number, None, waits=False),) * 3 for number in range(VARIABLES)
    )
    taken = []
    for reduction in (Reduction.NONE, Reduction.SLEEP):
        system, steps = _system(alone), [0]

        def counted(machine: Machine, task: int, steps: list[int] = steps) -> None:
            steps[0] += 1
            _step(machine, task)

        figures = run(replace(system, step=counted), Exhaustive(reduction), Bounds()).figures
        # Of the 4^3 states 54 have a choice, 9 a single step to take and one none.
        assert figures.states == 54
        taken.append(steps[0])
    # 135 steps leave the states with a choice; those of the others are repeated with each.
    assert taken[0] > 135
    assert taken[1] == 63
