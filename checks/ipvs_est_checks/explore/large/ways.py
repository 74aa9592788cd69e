"""What workers find out for a search that is split: where steps lead, and what histories break.

What follows a step from a state depends on nothing but the state and the step, so it does not
matter by which schedule the state was reached, nor in which process. What a history breaks
depends on the whole of its schedule.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Generic, TypeVar

from ipvs_est.language.violations import ViolationError
from ipvs_est_checks.explore.engine.job import Job, key_of_failure, known_failure, system_of_job
from ipvs_est_checks.explore.engine.outcome import Found
from ipvs_est_checks.explore.engine.world import World
from ipvs_est_checks.explore.failures.already_known import AlreadyKnown
from ipvs_est_checks.explore.schedulers.scheduler import (
    Moment,
    System,
    next_holder,
    preemption_cost,
)

W = TypeVar("W")

_AHEAD = 16
"""States with a choice that are looked at for one request, at most."""
_REMEMBERED = 200_000
"""States that a worker knows to have seen; then it forgets all of them."""


@dataclass(frozen=True, slots=True)
class ChoiceNode:
    """A state with a choice."""

    fingerprint: bytes
    enabled: tuple[int, ...]
    giving_way: tuple[int, ...]
    """Those of the enabled threads that offer the processor."""


@dataclass(frozen=True, slots=True)
class Way:
    """A choice and all steps after it that are the only ones, up to a state with a choice."""

    labels: tuple[int, ...]
    to: ChoiceNode | None
    """None: the schedule ends, complete, or with a failure in the last of the steps."""
    fails: bool = False


@dataclass(frozen=True, slots=True)
class AskedChoice:
    """Where a choice leads."""

    choices: tuple[int, ...]
    """A schedule; all but the last of them are known not to fail. None at all: the start."""
    state: bytes
    """The fingerprint before the last one."""
    holder: int | None
    """Who has the processor after it."""


Told = tuple[bytes, int | None, Way]
"""A state, a choice there (None: the start), and where it leads."""


@dataclass(frozen=True, slots=True)
class Late:
    """How a schedule fails."""

    found: Found
    key: str
    wanted: bool
    ids: tuple[str, ...] = ()
    """Of what it is known as, if it is not wanted for that."""


@dataclass(frozen=True, slots=True)
class WayRun:
    """A schedule to be judged."""

    choices: tuple[int, ...]
    preemptions: int
    fails: bool
    """In its last step; else only its history may break something."""


@dataclass(slots=True)
class Scout(Generic[W]):
    """What a worker keeps between two requests."""

    system: System[W]
    longest: int
    """Steps of a schedule."""
    seen: set[bytes] = field(default_factory=set)

    def look(self, asked: AskedChoice) -> Iterator[Told]:
        """Where the choice leads, and what will be asked next if it leads to something new."""
        system = self.system
        world = system.start()
        steps = len(asked.choices)
        for number in asked.choices[:-1]:
            system.repeat(world, number)
        state, choice = asked.state, asked.choices[-1] if asked.choices else None
        holder = asked.holder
        for _ in range(_AHEAD):
            labels: list[int] = [] if choice is None else [choice]
            try:
                if choice is not None:
                    system.step(world, choice)
                while len(available := system.enabled(world)) == 1:
                    only = available[0]
                    holder = only if only >= 0 else None
                    labels.append(only)
                    steps += 1
                    if steps > self.longest:
                        # It is for the search itself to see how that goes on.
                        return
                    system.step(world, only)
            except ViolationError:
                yield state, choice, Way(tuple(labels), None, fails=True)
                return
            if not available:
                yield state, choice, Way(tuple(labels), None)
                return
            giving = tuple(
                number for number in available if number >= 0 and system.gives_way(world, number)
            )
            node = ChoiceNode(system.fingerprint(world), tuple(available), giving)
            yield state, choice, Way(tuple(labels), node)
            if node.fingerprint in self.seen:
                return
            if len(self.seen) >= _REMEMBERED:
                self.seen.clear()
            self.seen.add(node.fingerprint)
            moment = moment_at(node, holder, None, 0)
            free = [number for number in available if not preemption_cost(moment, number)]
            if not free:
                return
            # What a depth-first search takes first.
            choice = moment.holder if moment.holder in free else free[0]
            assert choice is not None
            holder = next_holder(moment, choice)
            state = node.fingerprint
            steps += 1

    def judge(self, run: WayRun) -> tuple[W, Found] | None:
        """How the schedule fails, and the world at that time; None: it does not."""
        system = self.system
        world = system.start()
        choices = run.choices
        for choice in choices[:-1] if run.fails else choices:
            system.repeat(world, choice)
        if run.fails:
            try:
                system.step(world, choices[-1])
            except ViolationError as error:
                return world, Found(error.violation, choices, run.preemptions)
            raise AssertionError("the same step fails by one schedule and not by another")
        late = system.judge(world)
        if late is None:
            return None
        steps, violation = late
        return world, Found(violation, choices[:steps], run.preemptions)


def moment_at(node: ChoiceNode, holder: int | None, last: int | None, preemptions: int) -> Moment:
    """What a scheduler knows there; the fingerprint is not counted."""
    if holder is not None and (holder not in node.enabled or holder in node.giving_way):
        holder = None
    return Moment(list(node.enabled), holder, last, preemptions, lambda: node.fingerprint)


# In a worker's process.

_SCOUTS: list[tuple[Job, Scout[World]]] = []
"""That of the job that it works for, if any."""


def _scout(job: Job) -> Scout[World]:
    if not _SCOUTS or _SCOUTS[0][0] != job:
        scout = Scout(system_of_job(job), job.settings.bounds.steps)
        _SCOUTS[:] = [(job, scout)]
    return _SCOUTS[0][1]


def look(job: Job, asked: Sequence[AskedChoice]) -> list[Told]:
    """Where these choices lead, and some that will be asked next."""
    scout = _scout(job)
    return [seen for asked_choice in asked for seen in scout.look(asked_choice)]


def judge(job: Job, already: AlreadyKnown, runs: Sequence[WayRun]) -> list[Late | None]:
    """How these schedules fail."""
    scout = _scout(job)
    return [_late(job, already, scout.judge(run)) for run in runs]


def _late(job: Job, already: AlreadyKnown, seen: tuple[World, Found] | None) -> Late | None:
    if seen is None:
        return None
    world, found = seen
    key = key_of_failure(world, found.violation)
    known = known_failure(job, already, world, found)
    return Late(found, key, known is None, () if known is None else known.ids)
