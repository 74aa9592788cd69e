"""Partial order sampling and the selectively uniform walk draw orders as often as computed."""

from collections import Counter
from collections.abc import Callable
from dataclasses import replace

import pytest

from ipvs_est import REVISIONS
from ipvs_est_checks.explore.engine.access import Access, access_of, races
from ipvs_est_checks.explore.engine.outcome import Bounds
from ipvs_est_checks.explore.engine.run import run
from ipvs_est_checks.explore.engine.world import enabled, start, step
from ipvs_est_checks.explore.scenarios.scenario import load
from ipvs_est_checks.explore.schedulers.pos import PartialOrderSampling
from ipvs_est_checks.explore.schedulers.random_walk import RandomWalk
from ipvs_est_checks.explore.schedulers.scheduler import Scheduler, System, system_of
from ipvs_est_checks.explore.schedulers.surw import SelectivelyUniform
from toy_worlds import Toy, counting

X = Access(("netns", "x"), True)
RUNS = 8_000


def accessing(*threads: tuple[Access | None, ...]) -> tuple[System[Toy], Counter[tuple[int, ...]]]:
    """Threads of such steps, and how often each order of all steps came up."""
    seen: Counter[tuple[int, ...]] = Counter()
    steps = sum(map(len, threads))

    def judge(world: Toy) -> None:
        if len(world.order) == steps:
            seen[tuple(world.order)] += 1

    def access(world: Toy, choice: int) -> Access | None:
        done = world.order.count(choice)
        return threads[choice][done] if done < len(threads[choice]) else None

    return replace(counting([*map(len, threads)], judge), access=access), seen


def is_near(count: int, chance: float) -> bool:
    """Within four standard deviations of that many of `RUNS`."""
    return (count - RUNS * chance) ** 2 <= 16 * RUNS * chance * (1 - chance)


def drawn(scheduler: Scheduler, *threads: tuple[Access | None, ...]) -> Counter[tuple[int, ...]]:
    system, seen = accessing(*threads)
    run(system, scheduler, Bounds(schedules=RUNS))
    assert seen.total() == RUNS
    return seen


def test_a_uniform_walk_draws_each_order_of_accesses_alike() -> None:
    """A short thread beside a long one: 8 orders, where a random walk has it first in half."""
    orders = drawn(SelectivelyUniform(1), (X,), (X,) * 7)
    assert len(orders) == 8
    assert all(is_near(order, 1 / 8) for order in orders.values())
    first = (0, *(1,) * 7)
    assert is_near(drawn(RandomWalk(1), (X,), (X,) * 7)[first], 1 / 2)


def test_a_uniform_walk_draws_the_order_of_accesses_whatever_else_threads_do() -> None:
    """One access each, before and behind five other steps: a random walk has the late one first
    with a probability of 2^-6."""
    threads = ((*(None,) * 5, X), (X, *(None,) * 5))

    def late_first(orders: Counter[tuple[int, ...]]) -> int:
        return sum(n for order, n in orders.items() if order[:6] == (0,) * 6)

    assert is_near(late_first(drawn(SelectivelyUniform(2), *threads)), 1 / 2)
    assert is_near(late_first(drawn(RandomWalk(2), *threads)), 1 / 64)


def test_priorities_of_events_that_do_not_race_are_kept() -> None:
    """An event comes last if its priority is below all five others."""
    orders = drawn(PartialOrderSampling(1), (None,) * 5, (None,))
    assert is_near(orders[0, 0, 0, 0, 0, 1], 1 / 6)


def test_events_that_race_with_what_was_done_get_new_priorities() -> None:
    """So the order of each pair that races is drawn anew: last after three with 1/8, not 1/4."""
    orders = drawn(PartialOrderSampling(2), (X, X, X), (X,))
    assert is_near(orders[0, 0, 0, 1], 1 / 8)
    read = replace(X, write=False)
    orders = drawn(PartialOrderSampling(3), (read, read, read), (read,))
    assert is_near(orders[0, 0, 0, 1], 1 / 4)


def test_accesses_race_if_they_are_to_one_place_and_one_of_them_writes() -> None:
    read = replace(X, write=False)
    other = Access(("netns", "y"), True)
    assert all(races(*pair) for pair in ((X, X), (X, read), (read, X)))
    alone = ((read, read), (X, other), (None, X), (X, None), (None, None))
    assert not any(races(*pair) for pair in alone)


def test_what_a_scenario_s_threads_access_next_is_known() -> None:
    """A writer of est_nice without a number looks at it before it locks est_mutex."""
    world = start(load("sysctl-writes-without-a-number"), REVISIONS["mainline"])
    seen: set[Access] = set()
    while choices := enabled(world):
        accesses = [access_of(world, choice) for choice in choices]
        assert all(
            access is None for access, choice in zip(accesses, choices, strict=True) if choice < 0
        )
        seen.update(access for access in accesses if access is not None)
        step(world, choices[0])
    assert Access(("mutex", "est_mutex"), True) in seen
    assert Access(("netns", "est_nice"), False) in seen


@pytest.mark.parametrize("make", [PartialOrderSampling, SelectivelyUniform])
def test_known_defects_show_by_sampled_schedules(make: Callable[[int], Scheduler]) -> None:
    """And by the same schedule each time."""
    system = system_of(load("restart-in-calc-phase"), REVISIONS["stable"])
    first, second = (run(system, make(5), Bounds(schedules=300)).found for _ in range(2))
    assert first is not None
    assert first == second
