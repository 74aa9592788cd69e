"""The schedulers on tiny worlds: exact counts, computed probabilities, equal outcomes."""

from collections import Counter
from collections.abc import Callable, Sequence
from fractions import Fraction
from itertools import permutations, product
from math import factorial, prod

import pytest

from ipvs_est.language.input_error import InputError
from ipvs_est_checks.explore.engine.follow import Replay
from ipvs_est_checks.explore.engine.outcome import Bounds, Outcome
from ipvs_est_checks.explore.engine.run import run
from ipvs_est_checks.explore.schedulers.dfs import Dfs, closed
from ipvs_est_checks.explore.schedulers.pct import Pct, Priorities, next_by_priority, pct_bound
from ipvs_est_checks.explore.schedulers.pos import PartialOrderSampling
from ipvs_est_checks.explore.schedulers.random_walk import RandomWalk
from ipvs_est_checks.explore.schedulers.scheduler import (
    FROM_THE_START,
    Beginning,
    Moment,
    ScheduleEnding,
    Scheduler,
    System,
)
from toy_worlds import Body, Toy, counting, orders, outcome, preemptions, toy

WORLDS = [(2, 2), (3, 3), (1, 4), (2, 2, 2), (1, 2, 3), (1, 1, 1, 1), (5,)]
NO_BOUND = 100


def dfs(system: System[Toy], bound: int = NO_BOUND, *, matching: bool = True) -> Outcome:
    search = Dfs(bound, matching=matching)
    return closed(system, run(system, search, Bounds(), keep_going=True), search)


def ends(found: Outcome) -> set[str]:
    return {str(failure.violation) for failure in found.failures}


# Counts


@pytest.mark.parametrize("lengths", WORLDS)
def test_without_matching_every_order_of_the_steps_is_one_schedule(lengths: Sequence[int]) -> None:
    figures = dfs(counting(lengths), matching=False).figures
    multinomial = factorial(sum(lengths)) // prod(factorial(length) for length in lengths)
    assert figures.schedules == multinomial
    assert figures.longest == sum(lengths)
    assert figures.steps == multinomial * sum(lengths)
    assert (figures.exhausted, figures.unbounded) == (True, True)


@pytest.mark.parametrize("lengths", WORLDS)
@pytest.mark.parametrize("bound", [0, 1, 2, 3])
def test_a_bound_admits_exactly_the_orders_with_so_many_preemptions(
    lengths: Sequence[int], bound: int
) -> None:
    figures = dfs(counting(lengths), bound, matching=False).figures
    counts = Counter(preemptions(order, lengths) for order in orders(lengths))
    assert figures.schedules == sum(counts[number] for number in range(bound + 1))
    assert figures.exhausted
    assert figures.unbounded == (max(counts) <= bound)


@pytest.mark.parametrize("lengths", WORLDS)
@pytest.mark.parametrize("bound", [0, 1, 2, NO_BOUND])
def test_with_matching_the_states_are_those_that_the_orders_pass(
    lengths: Sequence[int], bound: int
) -> None:
    """A state is how far each thread is; only those at which two can go on are counted."""
    passed = branching_edges(lengths, bound)
    everything = branching_edges(lengths, NO_BOUND)
    figures = dfs(counting(lengths), bound).figures
    assert figures.states == len({state for state, _ in passed})
    assert figures.exhausted
    assert figures.unbounded == (passed == everything)


def branching_edges(lengths: Sequence[int], bound: int) -> set[tuple[tuple[int, ...], int]]:
    """States that the orders within the bound pass, with who goes on there."""
    edges = set()
    for order in orders(lengths):
        if preemptions(order, lengths) > bound:
            continue
        for end, number in enumerate(order):
            state = tuple(order[:end].count(thread) for thread in range(len(lengths)))
            if sum(at < length for at, length in zip(state, lengths, strict=True)) > 1:
                edges.add((state, number))
    return edges


@pytest.mark.parametrize("lengths", WORLDS)
def test_with_matching_each_edge_between_states_is_taken_once(lengths: Sequence[int]) -> None:
    """All choices free: each schedule but the first begins at an edge left over at a state."""
    left_over = 0
    for state in product(*(range(length + 1) for length in lengths)):
        out = sum(at < length for at, length in zip(state, lengths, strict=True))
        left_over += max(0, out - 1)
    search = Dfs(0, cost=lambda moment, choice: 0)
    assert run(counting(lengths), search, Bounds()).figures.schedules == 1 + left_over


@pytest.mark.parametrize("lengths", WORLDS)
def test_matching_with_preemptions_takes_no_more_schedules_than_there_are_edges(
    lengths: Sequence[int],
) -> None:
    free = Dfs(0, cost=lambda moment, choice: 0)
    most = run(counting(lengths), free, Bounds()).figures.schedules
    assert dfs(counting(lengths)).figures.schedules <= most


# Outcomes


def adders(count: int) -> System[Toy]:
    """Threads that read x and then write what they read plus one; the last one tells x."""

    def body(world: Toy, index: int) -> Body:
        read = world.shared[0]
        assert isinstance(read, int)
        world.shared[1 + index] = read
        yield
        world.shared[0] = read + 1
        if len(world.order) == 2 * count:
            raise outcome(f"x={world.shared[0]}")

    def make(world: Toy) -> list[Body]:
        world.shared = [0] * (1 + count)
        return [body(world, number) for number in range(count)]

    return toy(make)


def sums(order: Sequence[int], count: int) -> int:
    """x after the adders did their steps in that order: a calculation of its own."""
    x, read = 0, [-1] * count
    for number in order:
        if read[number] < 0:
            read[number] = x
        else:
            x = read[number] + 1
    return x


@pytest.mark.parametrize("count", [1, 2, 3])
@pytest.mark.parametrize("bound", [0, 1, 2, NO_BOUND])
@pytest.mark.parametrize("matching", [False, True])
def test_the_outcomes_are_those_of_all_orders(count: int, bound: int, matching: bool) -> None:
    lengths = [2] * count
    wanted = {
        f"x={sums(order, count)}"
        for order in orders(lengths)
        if preemptions(order, lengths) <= bound
    }
    found = dfs(adders(count), bound, matching=matching)
    assert {text.split("'")[1] for text in ends(found)} == wanted


def test_a_fingerprint_that_forgets_something_loses_an_outcome() -> None:
    """Why equal fingerprints must mean equal futures: this one leaves out what is shared."""
    whole = adders(3)

    def forgetful(world: Toy) -> bytes:
        return repr([world.order.count(number) for number in range(3)]).encode()

    bad = System(whole.start, whole.enabled, whole.step, whole.repeat, forgetful, whole.gives_way)
    assert ends(dfs(bad)) < ends(dfs(whole))


@pytest.mark.parametrize("matching", [False, True])
@pytest.mark.parametrize("pattern", [(1, 0), (0, 1, 0), (0, 1, 0, 1, 0), (1, 0, 0, 1, 0)])
def test_the_first_failure_has_the_fewest_preemptions(
    pattern: tuple[int, ...], matching: bool
) -> None:
    lengths = (4, 4)

    def judge(world: Toy) -> None:
        # The order matters to what follows, so it is part of the state.
        world.shared[:] = world.order
        if len(world.order) == sum(lengths) and is_subsequence(pattern, world.order):
            raise outcome("pattern")

    search = Dfs(NO_BOUND, matching=matching)
    found = run(counting(lengths, judge), search, Bounds()).found
    assert found is not None
    assert is_subsequence(pattern, found.choices)
    least = min(
        preemptions(order, lengths) for order in orders(lengths) if is_subsequence(pattern, order)
    )
    assert found.preemptions == least == preemptions(found.choices, lengths)


def is_subsequence(pattern: Sequence[int], order: Sequence[int]) -> bool:
    left = iter(order)
    return all(number in left for number in pattern)


def test_leaving_a_thread_that_gives_way_is_no_preemption() -> None:
    def body(world: Toy, index: int) -> Body:
        world.yielding.add(index)
        yield
        world.yielding.discard(index)
        yield

    lengths = (3, 3)
    system = toy(lambda world: [body(world, number) for number in range(2)])
    free = 0
    for order in orders(lengths):
        done = [0, 0]
        cost = 0
        for at, number in enumerate(order):
            done[number] += 1
            leaves = at + 1 < len(order) and order[at + 1] != number
            cost += leaves and done[number] == 2
        free += cost == 0
    assert dfs(system, 0, matching=False).figures.schedules == free


def test_a_bound_that_is_hit_is_no_exhausted_space() -> None:
    system = counting((3, 3))
    figures = run(system, Dfs(NO_BOUND), Bounds(schedules=3)).figures
    assert (figures.schedules, figures.exhausted) == (3, False)
    figures = run(system, Dfs(NO_BOUND), Bounds(steps=5)).figures
    assert figures.cut > 0
    assert not figures.exhausted
    assert not run(system, RandomWalk(1), Bounds(schedules=30)).figures.exhausted


# Probabilities


def sandwich(first: int, before: int, second: int) -> System[Toy]:
    """Fails if all of thread 1's steps come right after `before` of thread 0's `first`."""

    def judge(world: Toy) -> None:
        wanted = [0] * before + [1] * second + [0]
        if world.order == wanted:
            raise outcome("sandwich")

    return counting((first, second), judge)


def handover(first: int, second: int) -> System[Toy]:
    """Fails after 0..0 1..1 0..0 1: thread 0 is left in its middle, then thread 1 in its."""

    def judge(world: Toy) -> None:
        if world.order == [0] * (first // 2) + [1] * (second // 2) + [0] * (first // 2) + [1]:
            raise outcome("handover")

    return counting((first, second), judge)


def chance(system: System[Toy]) -> Fraction:
    """Probability that one random schedule fails: the sum over the tree of all schedules."""

    def below(prefix: tuple[int, ...]) -> Fraction:
        failing = run(system, Replay(prefix), Bounds())
        if failing.found is not None:
            return Fraction(1)
        world = system.start()
        for number in prefix:
            system.step(world, number)
        choices = system.enabled(world)
        return sum((below((*prefix, choice)) for choice in choices), Fraction(0)) / max(
            1, len(choices)
        )

    return below(())


def pct_chance(system: System[Toy], threads: int, steps: int, depth: int) -> Fraction:
    """Probability that one PCT schedule fails: all priorities and all change points in turn."""
    failing = total = 0
    for order in permutations(range(threads)):
        for points in product(range(1, steps + 1), repeat=depth - 1):
            total += 1
            failing += (
                run(system, Fixed(Priorities(points, list(order))), Bounds()).found is not None
            )
    return Fraction(failing, total)


class Fixed:
    """The PCT schedule of given priorities and change points."""

    def __init__(self, priorities: Priorities) -> None:
        self.priorities = priorities
        self.begun = False

    def new_execution(self) -> Beginning | None:
        first, self.begun = not self.begun, True
        return FROM_THE_START if first else None

    def next_choice(self, moment: Moment) -> int | None:
        return next_by_priority(self.priorities, moment.enabled)

    def end_execution(self, ending: ScheduleEnding, steps: int) -> None:
        del ending, steps


# A world with a bug of that depth, its steps, and the probability of a random schedule.
BUGS: list[tuple[int, Callable[[], System[Toy]], int, Fraction]] = [
    (1, lambda: sandwich(3, 0, 5), 8, Fraction(1, 2**5)),
    (2, lambda: sandwich(4, 2, 4), 8, Fraction(1, 2**6)),
    (3, lambda: handover(4, 4), 8, Fraction(1, 2**6)),
]


@pytest.mark.parametrize(("depth", "make", "steps", "random"), BUGS)
def test_a_random_schedule_fails_with_the_computed_probability(
    depth: int, make: Callable[[], System[Toy]], steps: int, random: Fraction
) -> None:
    assert chance(make()) == random


@pytest.mark.parametrize(("depth", "make", "steps", "random"), BUGS)
def test_pct_keeps_its_bound_over_all_priorities_and_change_points(
    depth: int, make: Callable[[], System[Toy]], steps: int, random: Fraction
) -> None:
    assert pct_chance(make(), 2, steps, depth) >= pct_bound(2, steps, depth)
    if depth > 1:
        # So the bug is that deep, and the change points are what finds it.
        assert pct_chance(make(), 2, steps, depth - 1) == 0


def test_the_bound_is_that_of_the_paper() -> None:
    assert pct_bound(4, 10, 1) == Fraction(1, 4)
    assert pct_bound(4, 10, 3) == Fraction(1, 400)
    assert pct_bound(0, 0, 2) == 0


def test_random_schedules_miss_what_pct_finds() -> None:
    """Probabilities 2^-62 and at least 1/(2 * 64): 2,000 random schedules miss it but for a
    chance of 1 in 10^14, and 2,000 of PCT find it but for one of 1 in 10^6."""
    system = sandwich(31, 31 - 1, 32)
    steps = 31 + 32
    chance_of_random = Fraction(1, 2**62)
    runs_of_random, runs_of_pct = 2_000, 2_000
    assert float(runs_of_random * chance_of_random) < 1e-14
    bound = pct_bound(2, 64, 2)
    assert (1 - float(bound)) ** runs_of_pct < 1e-6
    random = run(system, RandomWalk(1), Bounds(schedules=runs_of_random))
    assert random.found is None
    assert random.figures.schedules == runs_of_random
    pct = Pct(1, depth=2)
    found = run(system, pct, Bounds(schedules=runs_of_pct)).found
    assert found is not None
    assert found.choices[: 30 + 32 + 1] == (0,) * 30 + (1,) * 32 + (0,)
    assert steps <= pct.length == 64
    assert pct.bound == bound


@pytest.mark.parametrize(("depth", "make", "steps", "random"), BUGS)
def test_pct_finds_as_often_as_computed(
    depth: int, make: Callable[[], System[Toy]], steps: int, random: Fraction
) -> None:
    """The frequency over 4,000 schedules is within four standard deviations."""
    system = make()
    runs = 4_000
    pct = Pct(7, depth, length=steps)
    figures = run(system, pct, Bounds(schedules=runs), keep_going=True).figures
    chance = float(pct_chance(system, 2, steps, depth))
    deviation = (runs * chance * (1 - chance)) ** 0.5
    assert abs(figures.failed - runs * chance) <= 4 * deviation
    assert pct.length == steps


def test_threads_that_come_later_get_any_priority() -> None:
    """Of three choices that appear one after the other, each order is equally likely: 1/6."""
    counts: Counter[tuple[int, ...]] = Counter()
    pct = Pct(3, 1)
    for _ in range(6_000):
        pct.new_execution()
        for last in range(3):
            pct.next_choice(Moment(range(last + 1), None, None, 0, bytes))
        counts[tuple(pct.priorities.initial)] += 1
    assert len(counts) == 6
    # Four standard deviations of a binomial with 6,000 trials of probability 1/6.
    assert all(abs(count - 1_000) <= 4 * (6_000 * 5 / 36) ** 0.5 for count in counts.values())


@pytest.mark.parametrize(
    "make", [RandomWalk, PartialOrderSampling, lambda seed: Pct(seed, 3, length=12)]
)
def test_a_schedule_follows_from_the_seed_and_its_number_alone(
    make: Callable[[int], Scheduler],
) -> None:
    def schedules(seed: int, count: int) -> list[tuple[int, ...]]:
        seen: list[tuple[int, ...]] = []

        def judge(world: Toy) -> None:
            if len(world.order) == 12:
                seen.append(tuple(world.order))

        run(counting((4, 4, 4), judge), make(seed), Bounds(schedules=count))
        return seen

    assert schedules(1, 8) == schedules(1, 20)[:8]
    assert schedules(1, 20) != schedules(2, 20)
    assert len(set(schedules(1, 20))) > 10


# Replay


def test_a_replay_follows_its_choices_and_stops_after_them() -> None:
    found = run(sandwich(4, 2, 4), Replay((0, 0, 1, 1, 1, 1, 0)), Bounds())
    assert found.found is not None
    assert found.found.choices == (0, 0, 1, 1, 1, 1, 0)
    figures = run(sandwich(4, 2, 4), Replay((0, 0, 1)), Bounds()).figures
    assert (figures.schedules, figures.steps, figures.pruned) == (1, 3, 1)


def test_a_replay_that_cannot_be_followed_names_the_step() -> None:
    with pytest.raises(InputError, match="step 3: 0 cannot go on there"):
        run(counting((2, 2)), Replay((0, 0, 0)), Bounds())
