"""One depth-first search over several processes, with the result of one process to the letter.

This process takes every decision, in the order in which it would alone: it holds the states that
were seen and the edges that are left. Workers find out what takes time: where the choices lead
that come next (`ways.look`), and what each schedule's history breaks (`ways.judge`). Since a way
does not depend on who looks at it or when, nothing in the result depends on timing. What a
worker looked at ahead and is never asked for costs time alone.

The search runs ahead of the judgements. They are counted in the order of the schedules; where one
ends the search, what was seen after that schedule is taken back.
"""

from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from itertools import islice
from math import inf
from time import monotonic
from typing import TypeVar

from ipvs_est_checks.explore.engine.job import (
    Go,
    Job,
    Ongoing,
    key_of_failure,
    known_failure,
    search,
    system_of_job,
)
from ipvs_est_checks.explore.engine.outcome import Figures, Found
from ipvs_est_checks.explore.engine.path import unrolled
from ipvs_est_checks.explore.engine.run import Tally, count, execute
from ipvs_est_checks.explore.engine.world import World
from ipvs_est_checks.explore.failures.already_known import AlreadyKnown
from ipvs_est_checks.explore.large import ways
from ipvs_est_checks.explore.large.ways import AskedChoice, Late, Told, Way, moment_at
from ipvs_est_checks.explore.schedulers.dfs import Dfs, Edge
from ipvs_est_checks.explore.schedulers.scheduler import (
    Beginning,
    Moment,
    ScheduleEnding,
    next_holder,
    preemption_cost,
)
from ipvs_est_checks.workers import Lost, Pool, WorkItem

R = TypeVar("R")

ALONE = 200
"""Schedules before work is handed out: many searches have no more."""
_BATCH = 8
"""Choices, or schedules, in one request."""
_BATCHES = 3
"""Requests on their way, for each process."""
_REMEMBERED = 100_000
"""Ways that nobody has taken yet, at most."""
_LONGEST_QUEUE = 1_000
"""Schedules that wait for their judgement."""


class LostShareError(Exception):
    """A worker died; what is known of its work is the argument."""


@dataclass(slots=True)
class _Schedule:
    """One that was walked and is not counted yet."""

    choices: list[int]
    preemptions: int
    ending: ScheduleEnding
    states: list[bytes]
    """That were met on the way."""
    before: int
    """States in the graph before it."""
    ways: list[tuple[bytes, int, tuple[tuple[int, ...], bytes] | None]] = field(
        default_factory=list
    )
    """That it put into the graph, by state and choice, with what was there before."""
    judged: bool = False
    late: Late | None = None


@dataclass(slots=True)
class _Split:
    job: Job
    ongoing: Ongoing
    already: AlreadyKnown
    progress: Callable[[Tally], None]
    pool: Pool
    processes: int
    known: dict[tuple[bytes, int | None], Way] = field(default_factory=dict)
    asked: set[tuple[bytes, int | None]] = field(default_factory=set)
    looks: list[tuple[WorkItem[list[Told]], list[tuple[bytes, int | None]]]] = field(
        default_factory=list
    )
    judgements: list[tuple[WorkItem[list[Late | None]], list[_Schedule]]] = field(
        default_factory=list
    )
    to_judge: list[_Schedule] = field(default_factory=list)
    waiting: deque[_Schedule] = field(default_factory=deque)
    """Schedules that are not counted yet, in their order."""
    steps: int = 0
    """Of those."""
    walking: bool = False
    """The scheduler is in the midst of a schedule."""
    over: bool = False
    """A failure has ended the search."""


def split(processes: int, alone: int = ALONE) -> Go:
    """As `search`, of a depth-first search over so many processes; raises LostWorkError."""

    def go(
        job: Job, ongoing: Ongoing, progress: Callable[[Tally], None], already: AlreadyKnown
    ) -> None:
        first = min(alone, job.settings.bounds.schedules)
        if ongoing.tally.figures.schedules < first:
            search(job, ongoing, progress, already, first)
        if ongoing.tally.figures.exhausted:
            return
        with Pool(processes) as pool:
            _search(_Split(job, ongoing, already, progress, pool, processes))

    return go


def _search(split: _Split) -> None:
    """The loop of `run`."""
    job, tally, search = split.job, split.ongoing.tally, _dfs(split)
    bounds, until = job.settings.bounds, job.until
    split.over = bool(tally.failures) and not job.settings.keep_going
    while (
        not split.over
        and tally.figures.schedules + len(split.waiting) < bounds.schedules
        and tally.figures.steps + split.steps < bounds.total_steps
        and (until == inf or monotonic() < until)
    ):
        _ask_ahead(split)
        edge = _next_edge(search)
        beginning = search.new_execution()
        if beginning is None:
            _settle(split)
            if not split.over:
                tally.figures = _exhausted(tally)
            return
        split.ongoing.at_rest, split.walking = False, True
        _walk(split, beginning, edge)
        split.walking = False
        split.pool.poll()
        _absorb(split)
        _count(split)
        if split.ongoing.rest_asked or len(split.waiting) >= _LONGEST_QUEUE:
            _settle(split)
    _settle(split)


def _exhausted(tally: Tally) -> Figures:
    return replace(tally.figures, exhausted=not tally.figures.cut)


def _dfs(split: _Split) -> Dfs:
    scheduler = split.ongoing.scheduler
    assert isinstance(scheduler, Dfs)
    return scheduler


# What comes next.


def _next_edge(search: Dfs) -> Edge | None:
    """With which the next schedule begins; None: at the start, or there is none."""
    return next(search.upcoming(), None) if search.begun else None


def _ask_ahead(split: _Split) -> None:
    """Have workers look at the choices that come next, if they have little to do."""
    if len(split.looks) >= _BATCHES * split.processes:
        return
    batch: list[Edge] = []
    most = 2 * _BATCH * _BATCHES * split.processes
    for edge in islice(_dfs(split).upcoming(), most):
        key = edge.state, edge.choice
        if key not in split.known and key not in split.asked:
            split.asked.add(key)
            batch.append(edge)
            if len(batch) == _BATCH:
                _ask(split, batch)
                batch = []
                if len(split.looks) >= _BATCHES * split.processes:
                    return
    if batch:
        _ask(split, batch)


def _ask(split: _Split, edges: list[Edge]) -> None:
    asked = [
        AskedChoice((*unrolled(edge.path), edge.choice), edge.state, edge.holder) for edge in edges
    ]
    _ask_all(split, asked, [(edge.state, edge.choice) for edge in edges])


def _ask_all(split: _Split, asked: list[AskedChoice], keys: list[tuple[bytes, int | None]]) -> None:
    item = split.pool.submit(f"{split.job.source}: choices", ways.look, split.job, asked)
    split.looks.append((item, keys))


def _way(split: _Split, state: bytes, choice: int | None, asked: AskedChoice) -> Way | None:
    """Where the choice leads, as soon as that is known; None: nobody could see to the end."""
    key = state, choice
    if key not in split.known and key not in split.asked:
        split.asked.add(key)
        _ask_all(split, [asked], [key])
    while key in split.asked and key not in split.known:
        mine = next(item for item, keys in split.looks if key in keys)
        looked = split.pool.outcome(mine)
        _kept(looked)
        _absorb(split)
    split.asked.discard(key)
    return split.known.pop(key, None)


def _kept(answer: R | Lost) -> R:
    if isinstance(answer, Lost):
        raise LostShareError(answer.why)
    return answer


def _absorb(split: _Split) -> None:
    """What workers have told since."""
    if len(split.known) > _REMEMBERED:
        # Most of it was looked at twice. What is wanted all the same is asked for again.
        split.known.clear()
    for look in [look for look in split.looks if look[0].done]:
        split.looks.remove(look)
        split.asked.difference_update(look[1])
        for state, choice, way in _kept(look[0].outcome()):
            split.known[state, choice] = way
    for judgement in [judgement for judgement in split.judgements if judgement[0].done]:
        split.judgements.remove(judgement)
        lates = _kept(judgement[0].outcome())
        for schedule, late in zip(judgement[1], lates, strict=True):
            schedule.judged, schedule.late = True, late


# A schedule.


def _walk(split: _Split, beginning: Beginning, edge: Edge | None) -> None:
    """What `run.execute` does, with ways in the place of steps."""
    search, graph = _dfs(split), _dfs(split).graph
    schedule = _Schedule(
        list(beginning.choices),
        beginning.preemptions,
        ScheduleEnding.COMPLETE,
        [],
        len(graph.states),
    )
    choices, holder = schedule.choices, beginning.holder
    state, choice = (b"", None) if edge is None else (edge.state, edge.choice)
    while True:
        way = _way(split, state, choice, AskedChoice(tuple(choices), state, holder))
        first = 0 if choice is None else 1
        longest = split.job.settings.bounds.steps
        if way is None or len(choices) + len(way.labels) - first >= longest:
            _execute_here(split, schedule, holder)
            return
        for only in way.labels[first:]:
            moment = Moment([only], holder if holder == only else None, None, 0, bytes)
            taken = search.next_choice(moment)
            assert taken == only
            holder = next_holder(moment, only)
            choices.append(only)
        if way.fails:
            schedule.ending = ScheduleEnding.FAILED
            break
        if way.to is None:
            break
        last = choices[-1] if choices else None
        moment = moment_at(way.to, holder, last, schedule.preemptions)
        left = search.left
        if left is not None:
            label = search.since[0]
            schedule.ways.append((left, label, graph.states[left].out.get(label)))
        schedule.states.append(way.to.fingerprint)
        choice = search.next_choice(moment)
        if choice is None:
            schedule.ending = ScheduleEnding.STOPPED
            break
        schedule.preemptions += preemption_cost(moment, choice)
        holder = next_holder(moment, choice)
        choices.append(choice)
        state = way.to.fingerprint
    split.waiting.append(schedule)
    split.steps += len(choices)
    if schedule.ending is not ScheduleEnding.FAILED and not split.job.watched:
        # A history breaks nothing where nothing is watched.
        schedule.judged = True
        return
    split.to_judge.append(schedule)
    if len(split.to_judge) >= _BATCH:
        _ask_to_judge(split)


def _execute_here(split: _Split, schedule: _Schedule, holder: int | None) -> None:
    """Go on with a schedule that comes to the bound on steps: how that ends is a matter of its
    own."""
    _settle(split)
    if split.over:
        _undo(_dfs(split), schedule)
        return
    job, ongoing = split.job, split.ongoing
    ongoing.tally.states.update(schedule.states)

    def is_new(world: World, found: Found) -> bool:
        known = known_failure(job, split.already, world, found)
        if known is not None:
            ongoing.passed_over[known.ids] += 1
        return known is None

    found = execute(
        system_of_job(job),
        _dfs(split),
        Beginning(schedule.choices, holder, schedule.preemptions),
        job.settings.bounds,
        is_new,
        key_of_failure,
        ongoing.tally,
    )
    split.over = found is not None and not job.settings.keep_going
    ongoing.at_rest, split.walking = True, False
    split.progress(ongoing.tally)


# Its judgement.


def _ask_to_judge(split: _Split) -> None:
    runs = [
        ways.WayRun(
            tuple(schedule.choices), schedule.preemptions, schedule.ending is ScheduleEnding.FAILED
        )
        for schedule in split.to_judge
    ]
    name = f"{split.job.source}: histories"
    item = split.pool.submit(name, ways.judge, split.job, split.already, runs)
    split.judgements.append((item, split.to_judge))
    split.to_judge = []


def _count(split: _Split) -> None:
    """Count the schedules whose judgement is known, as long as all before them are counted."""
    tally, waiting = split.ongoing.tally, split.waiting
    while waiting and waiting[0].judged and not split.over:
        schedule = waiting.popleft()
        split.steps -= len(schedule.choices)
        tally.states.update(schedule.states)
        ending, late = schedule.ending, schedule.late
        if late is not None:
            ending = ScheduleEnding.FAILED
            if late.wanted:
                tally.failures.setdefault(late.key, late.found)
                split.over = not split.job.settings.keep_going
            else:
                split.ongoing.passed_over[late.ids] += 1
        count(tally, ending, len(schedule.choices))
        if split.over:
            _take_back(split)
        split.ongoing.at_rest = not waiting and not split.walking
        split.progress(tally)


def _take_back(split: _Split) -> None:
    """Forget what the schedules after the last one that counts have put into the graph."""
    search = _dfs(split)
    for schedule in reversed(split.waiting):
        _undo(search, schedule)
    split.waiting.clear()
    split.steps = 0
    # Nobody goes on with it.
    search.todo, search.later = [], []


def _undo(search: Dfs, schedule: _Schedule) -> None:
    states = search.graph.states
    for state, label, before in reversed(schedule.ways):
        out = states[state].out if state in states else {}
        if before is None:
            out.pop(label, None)
        else:
            out[label] = before
    while len(states) > schedule.before:
        state, _ = states.popitem()
        search.taken.pop(state, None)
        search.deferred.pop(state, None)


def _settle(split: _Split) -> None:
    """Wait until all schedules are counted."""
    if split.to_judge:
        _ask_to_judge(split)
    _count(split)
    while split.waiting:
        item = next(
            item
            for item, schedules in split.judgements
            if any(schedule is split.waiting[0] for schedule in schedules)
        )
        judged = split.pool.outcome(item)
        _kept(judged)
        _absorb(split)
        _count(split)
    split.ongoing.at_rest = not split.walking
