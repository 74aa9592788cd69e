"""Litmus programs: a few loads and stores in each of some tasks, and all that they can end with."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from ipvs_est import MAINLINE, Oracle, Params
from ipvs_est.language.violations import Violation
from ipvs_est.machine.points import Body, FieldAccess, GiveWay
from ipvs_est.machine.tasks import Task, TaskState
from ipvs_est.state.machine import Machine
from ipvs_est_checks.explore.engine.memory.order import MemoryOrder
from ipvs_est_checks.explore.engine.outcome import Bounds
from ipvs_est_checks.explore.engine.run import run
from ipvs_est_checks.explore.engine.states.fingerprint import fingerprint
from ipvs_est_checks.explore.engine.world import (
    Thread,
    World,
    enabled,
    gives_way,
    repeat,
    step,
    world_of,
)
from ipvs_est_checks.explore.schedulers.dfs import Dfs
from ipvs_est_checks.explore.schedulers.scheduler import System

X, Y, Z = "est_nice", "est_chain_max", "est_calc_phase"
"""Three fields of the netns whose stores wait, and that begin as 0."""

Program = Callable[[Machine, dict[str, int]], Body]
"""One task: what it loads goes into the registers."""
Registers = tuple[tuple[str, int], ...]


def store(machine: Machine, name: str, value: int) -> Body:
    """A plain store."""
    yield FieldAccess(None, name, write=True)
    setattr(machine.netns, name, value)


def load(machine: Machine, name: str, registers: dict[str, int], register: str) -> Body:
    """A plain load."""
    yield FieldAccess(None, name, write=False)
    registers[register] = int(getattr(machine.netns, name))


@dataclass(slots=True)
class _Runs:
    registers: dict[str, int] = field(default_factory=dict)
    outcomes: set[Registers] = field(default_factory=set)


def outcomes(programs: Sequence[Program], order: MemoryOrder) -> set[Registers]:
    """All that the registers can hold when every task has ended, and the fields then."""
    runs = _Runs()

    def start() -> World:
        world = world_of(Oracle(Params(), MAINLINE), (), 0, order=order)
        runs.registers = {}
        for index, program in enumerate(programs):
            task = Task(name=f"P{index}", state=TaskState.RUNNABLE)
            body = _to_the_end(program, world.machine, runs.registers)
            world.threads.append(Thread(index, task, body))
            world.by_index[index] = world.threads[-1]
        return world

    def judge(world: World) -> tuple[int, Violation] | None:
        if any(thread.task.state is not TaskState.EXITED for thread in world.threads):
            return None  # what follows was seen before
        netns = world.machine.netns
        left = {name: int(getattr(netns, name)) for name in (X, Y, Z)}
        runs.outcomes.add(tuple(sorted({**runs.registers, **left}.items())))
        return None

    def state(world: World) -> bytes:
        return fingerprint(world) + repr(sorted(runs.registers.items())).encode()

    system = System(start, enabled, step, repeat, state, gives_way, judge=judge)
    found = run(system, Dfs(20), Bounds(preemptions=20))
    assert found.figures.exhausted
    assert not found.failures
    return runs.outcomes


def _to_the_end(program: Program, machine: Machine, registers: dict[str, int]) -> Body:
    yield from program(machine, registers)
    # Whoever ends schedules, which is a barrier.
    yield GiveWay("end", rcu=False)


def seen(programs: Sequence[Program], order: MemoryOrder, **wanted: int) -> bool:
    """Whether some schedule ends with these registers and fields."""
    return any(wanted.items() <= dict(outcome).items() for outcome in outcomes(programs, order))
