"""Livelocks: loops that a fair schedule can stay in are found, others are not."""

from collections.abc import Callable, Sequence
from copy import deepcopy
from dataclasses import dataclass, field

import pytest

from ipvs_est.language.violations import Livelock
from ipvs_est_checks.explore.engine.loops import is_fair
from ipvs_est_checks.explore.engine.outcome import Bounds, Outcome
from ipvs_est_checks.explore.engine.run import run
from ipvs_est_checks.explore.schedulers.dfs import Dfs, closed
from ipvs_est_checks.explore.schedulers.pct import Pct
from ipvs_est_checks.explore.schedulers.random_walk import RandomWalk
from ipvs_est_checks.explore.schedulers.scheduler import Scheduler, System


@dataclass(slots=True)
class Places:
    """Where each thread is; -1 = it has ended."""

    at: list[int]
    shared: dict[str, int] = field(default_factory=dict)


Program = Callable[[Places, int], int | None]
"""Does one step of a thread at its place: the next place, -1 = end; None = it is blocked there."""


def machine(*programs: Program) -> System[Places]:
    """Threads as small automata, so that a state can come again."""

    def start() -> Places:
        return Places([0] * len(programs), {"a": 0, "b": 0})

    def moved(world: Places, thread: int) -> int | None:
        before = dict(world.shared)
        place = None if world.at[thread] < 0 else programs[thread](world, world.at[thread])
        world.shared = before
        return place

    def enabled(world: Places) -> list[int]:
        return [index for index in range(len(programs)) if moved(world, index) is not None]

    def step(world: Places, choice: int) -> None:
        place = programs[choice](world, world.at[choice])
        assert place is not None
        world.at[choice] = place

    def fingerprint(world: Places) -> bytes:
        return repr((world.at, sorted(world.shared.items()))).encode()

    return System(start, enabled, step, step, fingerprint, lambda world, index: False)


def polls(name: str) -> Program:
    """Goes round until the other has set the flag."""
    return lambda world, place: -1 if world.shared[name] else 0


def sets(name: str, steps: int) -> Program:
    """Sets a flag at the last of its steps."""

    def program(world: Places, place: int) -> int:
        if place == steps - 1:
            world.shared[name] = 1
            return -1
        return place + 1

    return program


def polite(own: str, other: str) -> Program:
    """Raises its flag; if the other's is up as well, lowers its own and begins again."""

    def program(world: Places, place: int) -> int:
        if place == 0:
            world.shared[own] = 1
            return 1
        if world.shared[other]:
            world.shared[own] = 0
            return 0
        world.shared[own] = 0
        return -1

    return program


def blocked_until(name: str) -> Program:
    """Waits for a flag, without going round."""
    return lambda world, place: -1 if world.shared[name] else None


def search(system: System[Places], bound: int = 100) -> Outcome:
    dfs = Dfs(bound)
    return closed(system, run(system, dfs, Bounds(steps=200)), dfs)


def loops_of(outcome: Outcome) -> list[Livelock]:
    return [
        failure.violation for failure in outcome.failures if isinstance(failure.violation, Livelock)
    ]


def test_two_that_give_in_to_each_other_for_ever_are_a_livelock() -> None:
    outcome = search(machine(polite("a", "b"), polite("b", "a")))
    (loop,) = loops_of(outcome)
    assert set(loop.tasks) == {"0", "1"}
    # The schedule ends with the loop: it comes back to the state in which the loop began.
    choices = outcome.failures[0].choices
    system = machine(polite("a", "b"), polite("b", "a"))
    states = [system.start()]
    for choice in choices:
        world = deepcopy(states[-1])
        system.step(world, choice)
        states.append(world)
    assert states[-1] == states[-1 - loop.steps]
    around = [system.enabled(state) for state in states[-1 - loop.steps : -1]]
    assert is_fair(around, choices[-loop.steps :])


def test_a_poll_for_what_another_will_do_is_none() -> None:
    """The loop is the schedule's fault: it never lets the other go on."""
    outcome = search(machine(polls("a"), sets("a", 3)))
    assert outcome.failures == ()
    assert outcome.figures.exhausted


def test_a_poll_for_what_nobody_will_do_is_a_livelock() -> None:
    (loop,) = loops_of(search(machine(polls("a"), sets("b", 2))))
    assert loop.tasks == ("0",)
    assert loop.steps == 1


def test_a_poll_for_one_who_waits_is_a_livelock() -> None:
    (loop,) = loops_of(search(machine(polls("a"), blocked_until("b"))))
    assert loop.tasks == ("0",)


def test_two_polls_side_by_side_are_one_loop_that_is_fair_to_both() -> None:
    (loop,) = loops_of(search(machine(polls("a"), polls("b"))))
    assert loop.tasks == ("0", "1")


def test_threads_that_end_have_no_loop() -> None:
    outcome = search(machine(sets("a", 3), sets("b", 3), blocked_until("a")))
    assert outcome.failures == ()


@pytest.mark.parametrize("make", [RandomWalk, Pct])
def test_schedules_that_are_drawn_find_a_livelock_at_the_bound_on_steps(
    make: Callable[[int], Scheduler],
) -> None:
    system = machine(polls("a"), sets("b", 2))
    outcome = run(system, make(1), Bounds(steps=50, schedules=3))
    assert [loop.tasks for loop in loops_of(outcome)] == [("0",)]


@pytest.mark.parametrize("make", [RandomWalk, Pct])
def test_schedules_that_are_drawn_report_no_unfair_loop(make: Callable[[int], Scheduler]) -> None:
    system = machine(polls("a"), sets("a", 40))
    outcome = run(system, make(1), Bounds(steps=20, schedules=20))
    assert outcome.failures == ()
    assert outcome.figures.cut > 0


@pytest.mark.parametrize(
    ("enabled", "choices", "fair"),
    [
        ([[0]], [0], True),
        ([[0, 1]], [0], False),
        ([[0, 1], [0]], [0, 0], True),
        ([[0, 1], [0, 1]], [0, 1], True),
        ([[0, 1, 2], [0, 2]], [0, 0], False),
    ],
)
def test_a_loop_is_fair_if_each_goes_on_or_cannot(
    enabled: Sequence[Sequence[int]], choices: Sequence[int], fair: bool
) -> None:
    assert is_fair(enabled, choices) == fair
