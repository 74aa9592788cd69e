"""Depth-first search over all schedules, without a bound on preemptions.

An edge is a state and a choice; who has the processor does not matter. Each schedule ends where
all that follows was seen before.

Reduction by sleep sets (Godefroid, Partial-Order Methods for the Verification of Concurrent
Systems, LNCS 1032, chapter 5), combined with state matching as there. Of two independent steps
that can be taken in a state, the order that is tried second is not followed: once the first, a,
was taken, it *sleeps* behind the second, b, and is not taken there, as a after b leads where b
after a has led. It sleeps until a step is taken that is not independent of it. With each state
the set is kept of what slept each time the state was reached; where a state is reached again,
what sleeps in the set and not now is taken then.

Every state is reached that can be reached without this: sleep sets leave out steps, never states.
See docs/explanation/explorer.md for why.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from enum import Enum
from typing import TypeVar

from ipvs_est_checks.explore.engine.loops import StateGraph, add_state, add_way
from ipvs_est_checks.explore.engine.outcome import Outcome
from ipvs_est_checks.explore.engine.path import Path, unrolled
from ipvs_est_checks.explore.reduction.footprint import Footprint, independent
from ipvs_est_checks.explore.reduction.ways import KnownWays, complete, number_of
from ipvs_est_checks.explore.schedulers.dfs import with_livelock
from ipvs_est_checks.explore.schedulers.scheduler import (
    FROM_THE_START,
    Beginning,
    Moment,
    ScheduleEnding,
    System,
)

W = TypeVar("W")


class Reduction(Enum):
    """Of equivalent schedules."""

    NONE = "none"
    SLEEP = "sleep"


@dataclass(slots=True)
class _Arrival:
    """A state that a schedule has reached, with choices to take there."""

    path: Path
    state: bytes
    sleep: dict[int, Footprint]
    """What need not be taken behind the next choice, unless that touches the same."""
    left: list[int]
    """Choices to take, the next one last."""


@dataclass(slots=True)
class Exhaustive:
    """All schedules."""

    reduction: Reduction
    asleep: dict[bytes, int] = field(default_factory=dict)
    """By state: the bits of the choices that slept each time it was reached."""
    known: KnownWays = field(default_factory=KnownWays)
    """How what was not taken is known."""
    todo: list[_Arrival] = field(default_factory=list)
    """With choices left, the deepest last."""
    begun: bool = False
    path: Path = None
    """Of this execution, so far."""
    graph: StateGraph = field(default_factory=StateGraph)
    at: _Arrival | None = None
    """Where the last step was taken, if there was a choice."""
    since: list[int] = field(default_factory=list)
    """Choices since the last state with one."""
    left: bytes | None = None
    """That state."""
    closing: bool = False
    """All that is left are ways of which it must be seen where they lead."""

    def new_execution(self) -> Beginning | None:
        """The next choice that is left, with the schedule that leads to it."""
        if not self.begun:
            self.begun = True
            return FROM_THE_START
        if not self.todo:
            self._close()
        if not self.todo:
            return None
        arrival = self.todo[-1]
        choice = self._take(arrival)
        if not arrival.left:
            self.todo.pop()
        return Beginning(unrolled(self.path), choice if choice >= 0 else None, 0)

    def _close(self) -> None:
        """Take what slept and of which nothing tells where it leads."""
        self.closing = True
        for state, choice in complete(self.graph, self.asleep, self.known):
            self.todo.append(_Arrival(self.graph.states[state].reached, state, {}, [choice]))

    def _take(self, arrival: _Arrival) -> int:
        choice = arrival.left.pop()
        self.path = (arrival.path, choice)
        self.at = arrival
        self.left = arrival.state
        self.since = [choice]
        return choice

    def next_choice(self, moment: Moment) -> int | None:
        """What does not sleep and was not taken there before."""
        sleep = self._asleep_now(moment)
        enabled = moment.enabled
        if len(enabled) == 1:
            choice = enabled[0]
            if choice in sleep:
                # The schedule that has taken it earlier goes on from where this one would come to.
                if self.left is not None:
                    self.known.add_turned(self.left, self.since[0], choice)
                return None
            self.at = None
            self.path = (self.path, choice)
            self.since.append(choice)
            return choice
        arrival = self._arrive(moment, sleep)
        if arrival is None:
            return None
        choice = self._take(arrival)
        if arrival.left:
            self.todo.append(arrival)
        return choice

    def end_execution(self, ending: ScheduleEnding, steps: int) -> None:
        """A way that leads to no other choice is known to its end."""
        del steps
        if self.left is not None and ending is not ScheduleEnding.STOPPED:
            self.known.ended.add((self.left, self.since[0]))

    def _asleep_now(self, moment: Moment) -> dict[int, Footprint]:
        """What sleeps behind the step that was taken last, which sleeps behind the next ones."""
        arrival, self.at = self.at, None
        if arrival is None or self.reduction is Reduction.NONE:
            return {}
        footprint = moment.footprint()
        assert footprint is not None
        assert moment.last is not None
        sleep = {
            choice: other
            for choice, other in arrival.sleep.items()
            if independent(footprint, other)
        }
        arrival.sleep[moment.last] = footprint
        for choice in sleep:
            if choice not in moment.enabled:
                raise AssertionError(f"a step that sleeps, {choice}, cannot be taken")
        return sleep

    def _arrive(self, moment: Moment, sleep: dict[int, Footprint]) -> _Arrival | None:
        """What is to be taken in this state; None: nothing."""
        key = moment.fingerprint()
        asleep = sum(1 << number_of(choice) for choice in sleep)
        before = self.asleep.get(key)
        left = self.left
        add_state(self.graph, key, moment.enabled, self.path)
        if left is not None:
            add_way(self.graph, left, self.since, key)
        if before is not None and self.closing:
            return None
        if before is None:
            if asleep and left is not None:
                self.known.witness[key] = left, self.since[0]
            wanted = [number for number in _order(moment) if number not in sleep]
            self.asleep[key] = asleep
        else:
            awake = before & ~asleep
            wanted = [number for number in _order(moment) if awake >> number_of(number) & 1]
            self.asleep[key] = before & asleep
            sleep = {
                number: one for number, one in sleep.items() if before >> number_of(number) & 1
            }
        if not wanted:
            return None
        wanted.reverse()
        return _Arrival(self.path, key, sleep, wanted)


def _order(moment: Moment) -> Sequence[int]:
    """Any order will do; this one, the same in all states, makes few schedules of many states.

    What has the fewest steps to come is best taken first, since each of its steps is taken from a
    state once and what sleeps behind it goes on in one schedule: grace periods and time, then
    kthreads, the last one first, then control processes.
    """
    return sorted(
        moment.enabled, key=lambda number: (number >= 0, number if number < 0 else -number)
    )


def closed_exhaustive(system: System[W], outcome: Outcome, search: Exhaustive) -> Outcome:
    """The outcome of a search at its end, with the livelocks that only the whole of it shows."""
    unknown = complete(search.graph, search.asleep, search.known)
    failures = with_livelock(system, outcome.failures, search.graph)
    figures = outcome.figures
    # A search that was interrupted has ways left.
    exhausted = figures.exhausted and not unknown
    return Outcome(failures, replace(figures, exhausted=exhausted, unbounded=exhausted))
