"""Depth-first search over schedules, with a bound on preemptions and state matching.

Generators cannot be copied, so each schedule is run from the start. A state that was reached
before by the same thread with as many preemptions left is not searched again: what can follow
depends on nothing else. Bounds are tried from 0 up, so the first failure has the fewest.
"""

from collections.abc import Callable
from dataclasses import dataclass, field

from ipvs_est import Revision
from ipvs_est.violations import Violation, ViolationError
from ipvs_est_checks.explore.fingerprint import fingerprint
from ipvs_est_checks.explore.scenario import Scenario
from ipvs_est_checks.explore.world import TIME, World, enabled, start, step


@dataclass(frozen=True, slots=True)
class Bounds:
    """How far a search goes."""

    preemptions: int = 2
    depth: int = 5_000
    """Steps in a schedule."""
    schedules: int = 1_000_000


@dataclass(frozen=True, slots=True)
class Found:
    """A failure and its schedule."""

    violation: Violation
    choices: tuple[int, ...]
    preemptions: int


Wanted = Callable[[World, Found], bool]
"""Whether a failure, at whose end the world stands, ends the search; else it ends its schedule."""


def any_failure(world: World, found: Found) -> bool:
    """Every failure is wanted."""
    del world, found
    return True


@dataclass(frozen=True, slots=True)
class Figures:
    """What a search has done."""

    schedules: int
    steps: int
    """Scheduling steps, those that repeat a schedule's beginning included."""
    states: int
    """Distinct states at which there was a choice."""
    longest: int
    """Steps in the longest schedule."""
    pruned: int
    """Schedules that ended at a state seen before."""
    exhausted: bool
    """Nothing within the preemption bound is left."""


@dataclass(frozen=True, slots=True)
class Outcome:
    """Of a search."""

    found: Found | None
    figures: Figures


@dataclass(slots=True)
class _Node:
    options: list[tuple[int, int]]
    """Choice and its cost in preemptions."""
    at: int = 0


@dataclass(slots=True)
class _Search:
    scenario: Scenario
    revision: Revision
    bounds: Bounds
    preemptions: int
    wanted: Wanted
    seen: dict[tuple[bytes, int], int] = field(default_factory=dict)
    stack: list[_Node] = field(default_factory=list)
    schedules: int = 0
    steps: int = 0
    states: int = 0
    longest: int = 0
    pruned: int = 0
    too_long: bool = False


def options(world: World, current: int, left: int) -> list[tuple[int, int]]:
    """What a schedule may do next, with the cost of each in preemptions.

    Taking the processor from a thread that could go on costs one; so does letting time pass
    while anything else could happen.
    """
    choices = enabled(world)
    goes_on = current in choices
    costed: list[tuple[int, int]] = [(current, 0)] if goes_on else []
    others = sum(each != TIME for each in choices)
    for choice in choices:
        if goes_on and choice == current:
            continue
        cost = int(others > 0) if choice == TIME else int(goes_on)
        if cost <= left:
            costed.append((choice, cost))
    return costed


def explore_dfs(
    scenario: Scenario,
    revision: Revision,
    bounds: Bounds,
    progress: Callable[[int], None] = lambda schedules: None,
    wanted: Wanted = any_failure,
) -> Outcome:
    """Search all schedules within the bounds, until one fails as wanted."""
    total = Figures(0, 0, 0, 0, 0, exhausted=True)
    for preemptions in range(bounds.preemptions + 1):
        search = _Search(scenario, revision, bounds, preemptions, wanted)
        found = _search(search, total.schedules, progress)
        total = Figures(
            total.schedules + search.schedules,
            total.steps + search.steps,
            search.states,
            max(total.longest, search.longest),
            total.pruned + search.pruned,
            exhausted=found is None and not search.stack and not search.too_long,
        )
        if found is not None or not total.exhausted:
            return Outcome(found, total)
    return Outcome(None, total)


def _search(search: _Search, before: int, progress: Callable[[int], None]) -> Found | None:
    while before + search.schedules < search.bounds.schedules:
        found = _schedule(search)
        search.schedules += 1
        progress(before + search.schedules)
        if found is not None:
            return found
        while search.stack and search.stack[-1].at + 1 == len(search.stack[-1].options):
            search.stack.pop()
        if not search.stack:
            return None
        search.stack[-1].at += 1
    return None


def _schedule(search: _Search) -> Found | None:
    """Run one schedule: the stack's choices, then the first of what there is."""
    world = start(search.scenario, search.revision)
    left, current, depth = search.preemptions, 0, 0
    choices: list[int] = []
    stack = search.stack
    try:
        while True:
            if depth < len(stack):
                node = stack[depth]
            else:
                available = options(world, current, left)
                if not available:
                    return None
                if len(available) > 1 and _known(search, world, current, left):
                    search.pruned += 1
                    return None
                node = _Node(available)
                stack.append(node)
            choice, cost = node.options[node.at]
            left -= cost
            depth += 1
            choices.append(choice)
            if depth > search.bounds.depth:
                search.too_long = True
                return None
            step(world, choice)
            if choice >= 0:
                current = choice
    except ViolationError as error:
        found = Found(error.violation, tuple(choices), search.preemptions - left)
        return found if search.wanted(world, found) else None
    finally:
        search.steps += depth
        search.longest = max(search.longest, depth)


def _known(search: _Search, world: World, current: int, left: int) -> bool:
    key = fingerprint(world), current
    known = search.seen.get(key, -1)
    if known >= left:
        return True
    search.states += known < 0
    search.seen[key] = left
    return False
