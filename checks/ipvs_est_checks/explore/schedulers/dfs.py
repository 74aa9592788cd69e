"""Depth-first search over schedules, with a bound on preemptions and state matching.

Generators cannot be copied, so each schedule is run from the start. The bound is raised one by
one, as in iterative context bounding: a choice that takes one more preemption waits until all
schedules with fewer are done. The first failure so has the fewest preemptions, and nothing is
searched twice for a larger bound.

Reduction. An *edge* is a state, a choice and who has the processor afterwards. What can follow
an edge depends on nothing else but the preemptions left. Each edge is taken once, by a schedule
with the fewest preemptions that lead to it (they come first), so with the most left: whatever
another schedule could do after the same edge, that one can as well. By induction over the
preemptions and then the steps of a schedule, every state and every failure within the bound is
reached. This rests on fingerprints: equal ones (of 16 bytes) are taken for equal states.

Livelocks. An edge that leads back to a state makes a loop in the graph of states, which is kept;
see `loops.py`. Without one every schedule comes to an end.

No schedule is left out because another one does the same in another order: under a bound on
preemptions the other one may take more. `exhaustive.py`, which has no bound, does that.

Over several processes: `large/split.py`. Disjoint halves of a search reach mostly the same
states, so there one process decides for all.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from typing import TypeVar

from ipvs_est import Revision
from ipvs_est.language.violations import Livelock
from ipvs_est_checks.explore.engine.loops import Loop, StateGraph, add_state, add_way, fair_loop
from ipvs_est_checks.explore.engine.outcome import Bounds, Figures, Found, Outcome, switches
from ipvs_est_checks.explore.engine.path import Path, unrolled
from ipvs_est_checks.explore.engine.run import Tally, any_failure, livelock, run
from ipvs_est_checks.explore.engine.world import TIME, World, flush_of
from ipvs_est_checks.explore.scenarios.scenario import Scenario
from ipvs_est_checks.explore.schedulers.scheduler import (
    FROM_THE_START,
    Beginning,
    Moment,
    ScheduleEnding,
    System,
    next_holder,
    preemption_cost,
    system_of,
)

__all__ = ["Bounds", "Dfs", "Figures", "Found", "Outcome", "Wanted", "any_failure", "explore_dfs"]

W = TypeVar("W")

Wanted = Callable[[World, Found], bool]
"""Whether a failure, at whose end the world stands, ends the search; else it ends its schedule."""


@dataclass(frozen=True, slots=True)
class Edge:
    """Where a schedule is to begin."""

    path: Path
    """To the state that it leaves."""
    choice: int
    state: bytes
    """The state's fingerprint; b'' if states are not matched."""
    bit: int
    """Among the edges of that state; 0 if states are not matched."""
    holder: int | None
    """Who has the processor after it."""
    preemptions: int
    """With that of the choice."""


@dataclass(slots=True)
class Dfs:
    """All schedules with at most `bound` preemptions, those with fewer first."""

    bound: int
    cost: Callable[[Moment, int], int] = preemption_cost
    """0 or 1, for each choice."""
    matching: bool = True
    """Whether states that were reached before are recognised."""
    level: int = 0
    """The bound that is searched now."""
    todo: list[Edge] = field(default_factory=list)
    """Edges to begin a schedule with, the next one last."""
    later: list[Edge] = field(default_factory=list)
    """Those that take one preemption more."""
    taken: dict[bytes, int] = field(default_factory=dict)
    """By state: the bits of the edges that are taken or in `todo`."""
    deferred: dict[bytes, int] = field(default_factory=dict)
    """By state: the bits of those in `later`, or beyond the bound."""
    left_out: bool = False
    """Without matching: a schedule takes more preemptions than the bound."""
    begun: bool = False
    path: Path = None
    """Of this execution, so far."""
    graph: StateGraph = field(default_factory=StateGraph)
    """What is known of it, with matching."""
    left: bytes | None = None
    """The last state with a choice that this execution left."""
    since: list[int] = field(default_factory=list)
    """Its choices since."""

    def new_execution(self) -> Beginning | None:
        """The next edge that is left, with the schedule that leads to it."""
        if not self.begun:
            self.begun = True
            return FROM_THE_START
        while not self.todo:
            if not self.later:
                return None
            self._raise_bound()
        edge = self.todo.pop()
        self.path = (edge.path, edge.choice)
        self.left = edge.state if self.matching else None
        self.since = [edge.choice]
        return Beginning(unrolled(self.path), edge.holder, edge.preemptions)

    def upcoming(self) -> Iterator[Edge]:
        """The edges that are left, in the order in which schedules will begin with them, as far
        as is known now."""
        yield from reversed(self.todo)
        yield from (edge for edge in self.later if not self.taken.get(edge.state, 0) & edge.bit)

    def next_choice(self, moment: Moment) -> int | None:
        """What takes no preemption and was not taken there before."""
        choice = moment.enabled[0]
        # The only choice is no preemption, but can be a switch, which counts as well.
        if len(moment.enabled) > 1 or self.cost(moment, choice):
            options = self._options(moment)
            if not options:
                return None
            choice = options[0]
        self.path = (self.path, choice)
        self.since.append(choice)
        return choice

    def end_execution(self, ending: ScheduleEnding, steps: int) -> None:
        """Nothing to learn."""
        del ending, steps

    def _options(self, moment: Moment) -> list[int]:
        """New choices without a preemption; all but the first, and those with one, are kept."""
        free: list[int] = []
        key = moment.fingerprint() if self.matching else b""
        if self.matching:
            add_state(self.graph, key, moment.enabled, self.path)
            if self.left is not None:
                add_way(self.graph, self.left, self.since, key)
            self.left, self.since = key, []
        taken, deferred = self.taken.get(key, 0), self.deferred.get(key, 0)
        fresh: list[Edge] = []
        last = None if moment.last is None else flush_of(moment.last)
        for choice in _holder_first(moment):
            if last is not None and choice == last[0]:
                # A store that reaches the others before its own task's next step could do so after
                # that as well, or in it: nobody else has looked.
                continue
            holder = next_holder(moment, choice)
            bit = 1 << _number(choice, holder) if self.matching else 0
            if self.cost(moment, choice):
                if (taken | deferred) & bit:
                    continue
                deferred |= bit
                if self.level == self.bound:
                    self.left_out = True
                    continue
                kept = self.later
            elif taken & bit:
                continue
            else:
                taken |= bit
                free.append(choice)
                kept = fresh
            preemptions = moment.preemptions + preemption_cost(moment, choice)
            kept.append(Edge(self.path, choice, key, bit, holder, preemptions))
        if self.matching:
            self.taken[key] = taken
            if deferred:
                self.deferred[key] = deferred
        self.todo.extend(reversed(fresh[1:]))
        return free

    def _raise_bound(self) -> None:
        """What waited for one preemption more, unless it was taken with fewer meanwhile."""
        self.level += 1
        for edge in reversed(self.later):
            taken = self.taken.get(edge.state, 0)
            if taken & edge.bit:
                continue
            if self.matching:
                self.taken[edge.state] = taken | edge.bit
            self.todo.append(edge)
        self.later = []
        self.deferred = {}


def beyond_bound(search: Dfs) -> bool:
    """Whether schedules were left out because they take more preemptions than the bound."""
    if not search.matching:
        return search.left_out
    return any(bits & ~search.taken[key] for key, bits in search.deferred.items())


def _holder_first(moment: Moment) -> list[int]:
    holder = moment.holder
    if holder is None:
        return list(moment.enabled)
    return [holder, *(number for number in moment.enabled if number != holder)]


def _number(choice: int, holder: int | None) -> int:
    """A number for each pair of a choice and who has the processor afterwards."""
    if choice >= 0:
        return 4 * (choice + 1)
    who = 0 if holder is None else holder + 1
    flushed = flush_of(choice)
    if flushed is not None:
        return 4 * _paired(who, _paired(*flushed)) + 3
    return 4 * who + (1 if choice == TIME else 2)


def _paired(one: int, other: int) -> int:
    """A number for each pair (Cantor's)."""
    return (one + other) * (one + other + 1) // 2 + other


def explore_dfs(
    scenario: Scenario,
    revision: Revision,
    bounds: Bounds,
    progress: Callable[[int], None] = lambda schedules: None,
    wanted: Wanted = any_failure,
) -> Outcome:
    """Search all schedules within the bounds, until one fails as wanted."""

    def report(tally: Tally) -> None:
        progress(tally.figures.schedules)

    scheduler = Dfs(bounds.preemptions)
    system = system_of(scenario, revision)
    outcome = run(system, scheduler, bounds, wanted=wanted, progress=report)
    return closed(system, outcome, scheduler)


def closed(system: System[W], outcome: Outcome, search: Dfs) -> Outcome:
    """The outcome of a search at its end, with what only the whole of it shows.

    That is a livelock, where no other failure was found, and whether the bound on preemptions
    left anything out.
    """
    figures = outcome.figures
    failures = with_livelock(system, outcome.failures, search.graph)
    if figures.exhausted and not beyond_bound(search):
        figures = replace(figures, unbounded=True)
    return Outcome(failures, figures)


def with_livelock(
    system: System[W], failures: tuple[Found, ...], graph: StateGraph
) -> tuple[Found, ...]:
    """With that of the graph, if it has one and none was found by itself."""
    loop = fair_loop(graph)
    if loop is None or any(isinstance(failure.violation, Livelock) for failure in failures):
        return failures
    return (*failures, _livelock(system, loop))


def _livelock(system: System[W], loop: Loop) -> Found:
    world = system.start()
    choices = (*loop.reached, *loop.around)
    for choice in choices:
        system.repeat(world, choice)
    return Found(livelock(system, world, loop.around), choices, switches(choices))
