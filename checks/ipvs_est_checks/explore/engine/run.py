"""The loop around a scheduler: execute schedules, count, record, stop at a failure or a bound."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from functools import partial
from math import inf
from time import monotonic
from typing import TypeVar

from ipvs_est.language.violations import Livelock, Violation, ViolationError
from ipvs_est_checks.explore.engine.loops import is_fair
from ipvs_est_checks.explore.engine.outcome import Bounds, Figures, Found, Outcome, failure_key
from ipvs_est_checks.explore.schedulers.scheduler import (
    Beginning,
    Moment,
    ScheduleEnding,
    Scheduler,
    System,
    next_holder,
    preemption_cost,
)

W = TypeVar("W")


LONGEST_LOOP = 1_000
"""Steps after the bound on steps in which a state is to come again, if that is a livelock."""


def by_violation(world: object, violation: Violation) -> str:
    """Failures with equal violations are the same."""
    del world
    return failure_key(violation)


def any_failure(world: object, found: Found) -> bool:
    """Every failure is wanted."""
    del world, found
    return True


@dataclass(slots=True)
class Tally:
    """What a search has done so far: readable also after ctrl-C."""

    figures: Figures = field(default_factory=Figures)
    failures: dict[str, Found] = field(default_factory=dict)
    """First failure of each key."""
    states: set[bytes] = field(default_factory=set)


def outcome_of(tally: Tally) -> Outcome:
    """The result, of a search that has ended or was interrupted."""
    return Outcome(tuple(tally.failures.values()), tally.figures)


def run(
    system: System[W],
    scheduler: Scheduler,
    bounds: Bounds,
    *,
    wanted: Callable[[W, Found], bool] = any_failure,
    key: Callable[[W, Violation], str] = by_violation,
    keep_going: bool = False,
    progress: Callable[[Tally], None] = lambda tally: None,
    tally: Tally | None = None,
    until: float = inf,
) -> Outcome:
    """Execute schedules until a wanted failure, the bound on schedules, the scheduler's end, or
    that time of the monotonic clock.

    With `keep_going` a wanted failure ends only its schedule; those with equal `key` count as
    one. `tally` is filled as the search goes on; one that is given with what a part of the search
    has found stands for that part. `progress` is called between schedules.
    """
    tally = Tally() if tally is None else tally
    while (
        (keep_going or not tally.failures)
        and tally.figures.schedules < bounds.schedules
        and tally.figures.steps < bounds.total_steps
        and (until == inf or monotonic() < until)
    ):
        beginning = scheduler.new_execution()
        if beginning is None:
            figures = tally.figures
            whole = not figures.cut
            tally.figures = replace(figures, exhausted=whole)
            break
        found = execute(system, scheduler, beginning, bounds, wanted, key, tally)
        progress(tally)
        if found is not None and not keep_going:
            break
    return outcome_of(tally)


def execute(
    system: System[W],
    scheduler: Scheduler,
    beginning: Beginning,
    bounds: Bounds,
    wanted: Callable[[W, Found], bool],
    key: Callable[[W, Violation], str],
    tally: Tally,
) -> Found | None:
    """Run one schedule; its failure, if there is one and it is wanted."""
    world = system.start()
    enabled, step, repeat = system.enabled, system.step, system.repeat
    gives_way = system.gives_way
    states = tally.states

    def fingerprint() -> bytes:
        seen = system.fingerprint(world)
        states.add(seen)
        return seen

    moment = Moment((), None, None, beginning.preemptions, fingerprint)
    moment.access = partial(system.access, world)
    moment.footprint = system.footprint
    choices = list(beginning.choices)
    current = beginning.holder
    found: Found | None = None
    ending = ScheduleEnding.COMPLETE
    try:
        if choices:
            for choice in choices[:-1]:
                repeat(world, choice)
            moment.last = choices[-1]
            step(world, choices[-1])
        while available := enabled(world):
            if len(choices) >= bounds.steps:
                ending = ScheduleEnding.CUT
                _look_for_loop(system, world, choices)
                break
            moment.enabled = available
            moment.holder = current
            if current is not None and (current not in available or gives_way(world, current)):
                moment.holder = None
            choice_now = scheduler.next_choice(moment)
            if choice_now is None:
                ending = ScheduleEnding.STOPPED
                break
            moment.preemptions += preemption_cost(moment, choice_now)
            current = next_holder(moment, choice_now)
            choices.append(choice_now)
            moment.last = choice_now
            step(world, choice_now)
        late = system.judge(world)
        if late is not None:
            steps, violation = late
            ending = ScheduleEnding.FAILED
            found = Found(violation, tuple(choices[:steps]), moment.preemptions)
    except ViolationError as error:
        ending = ScheduleEnding.FAILED
        found = Found(error.violation, tuple(choices), moment.preemptions)
    if found is not None:
        if wanted(world, found):
            tally.failures.setdefault(key(world, found.violation), found)
        else:
            found = None
    scheduler.end_execution(ending, len(choices))
    count(tally, ending, len(choices))
    return found


def _look_for_loop(system: System[W], world: W, choices: list[int]) -> None:
    """Go on with whoever has waited longest; raises ViolationError if that comes to nothing.

    It does if a state comes again and nobody who could go on all the time was passed over.
    """
    seen: dict[bytes, int] = {}
    enabled: list[Sequence[int]] = []
    turn: dict[int, int] = {}
    while len(seen) < LONGEST_LOOP and (available := system.enabled(world)):
        state = system.fingerprint(world)
        if state in seen:
            around = len(enabled) - seen[state]
            if is_fair(enabled[-around:], choices[-around:]):
                raise ViolationError(livelock(system, world, choices[-around:]))
            return
        seen[state] = len(enabled)
        enabled.append(available)
        choice = min(available, key=lambda number: (turn.get(number, -1), number))
        turn[choice] = len(choices)
        choices.append(choice)
        system.step(world, choice)


def livelock(system: System[W], world: W, around: Sequence[int]) -> Livelock:
    """The violation that going round in a fair loop is."""
    tasks = sorted({number for number in around if number >= 0})
    return Livelock(tuple(system.name(world, task) for task in tasks), len(around))


def count(tally: Tally, ending: ScheduleEnding, steps: int) -> None:
    """One more schedule, with so many steps."""
    before = tally.figures
    tally.figures = replace(
        before,
        schedules=before.schedules + 1,
        steps=before.steps + steps,
        states=len(tally.states),
        longest=max(before.longest, steps),
        pruned=before.pruned + (ending is ScheduleEnding.STOPPED),
        cut=before.cut + (ending is ScheduleEnding.CUT),
        failed=before.failed + (ending is ScheduleEnding.FAILED),
    )
