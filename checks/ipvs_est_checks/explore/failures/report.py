"""What `ipvs-est explore` says of each search, as text."""

import shlex
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from ipvs_est.language.revision import Revision
from ipvs_est.language.violations import BrokenProperty
from ipvs_est_checks.explore.engine.functions import operation_text
from ipvs_est_checks.explore.engine.job import (
    Guarantee,
    Job,
    JobKind,
    JobResult,
)
from ipvs_est_checks.explore.engine.memory.order import MemoryOrder
from ipvs_est_checks.explore.engine.outcome import Figures
from ipvs_est_checks.explore.engine.watch import WATCHED
from ipvs_est_checks.explore.failures.already_known import AlreadyKnown, Known
from ipvs_est_checks.explore.failures.cause import cause_in
from ipvs_est_checks.explore.failures.minimise import Minimised
from ipvs_est_checks.explore.failures.token import token_text
from ipvs_est_checks.explore.scenarios.scenario import Scenario
from ipvs_est_checks.explore.timeline.steps import Timeline, timeline
from ipvs_est_checks.explore.timeline.text import timeline_lines, wrapped
from ipvs_est_checks.report.verdict import Verdict, counted
from ipvs_est_checks.terminal.printable import printable, shorten


@dataclass(frozen=True, slots=True)
class FailureStory:
    """A failure with all that a reader needs to follow it."""

    failure: Minimised
    property: str
    """Id of the one that it breaks; '' = none of the catalogue."""
    known: Known | None
    """What it is known as; None = it is new."""
    timeline: Timeline
    token: str
    command: str
    """Replays it."""


@dataclass(frozen=True, slots=True)
class SearchRow:
    """One search."""

    job: Job
    result: JobResult
    already: AlreadyKnown
    """Asked of its failures."""

    @property
    def verdict(self) -> Verdict:
        """A search that was interrupted is no pass, nor is one by chance."""
        if self.result.failures:
            return Verdict.FAIL
        if not self.result.ended:
            return Verdict.INCOMPLETE
        if self.job.settings.kind is not JobKind.DFS:
            return Verdict.SAMPLED
        return Verdict.PASS if self.result.outcome.figures.exhausted else Verdict.INCOMPLETE


def tell(row: SearchRow) -> Iterator[FailureStory]:
    """Its failures."""
    job = row.job
    for failure in row.result.failures:
        choices, violation = failure.found.choices, failure.found.violation
        watched = violation.property if isinstance(violation, BrokenProperty) else ""
        order = job.settings.order
        token = token_text(job.scenario, job.revision, choices, watched, order)
        cause = cause_in(job.scenario, job.revision, choices, violation, order)
        yield FailureStory(
            failure,
            cause.property,
            row.already.known_as(job.revision.name, cause),
            timeline(job.scenario, job.revision, choices, watched, order),
            token,
            replay_command(job.source, job.scenario, token),
        )


def replay_command(source: str, scenario: Scenario, token: str) -> str:
    """The command that replays a token; a scenario of the library is named by the token."""
    words = ["ipvs-est", "explore", *([] if source == scenario.name else [source])]
    return shlex.join([*words, "--replay", token])


def row_lines(row: SearchRow) -> Iterator[str]:
    """The line of a search, then its failures."""
    job, result = row.job, row.result
    order = job.settings.order
    memory = "" if order is MemoryOrder.SC else f" under {order.value}"
    name = f"{printable(job.source)} on {job.revision.name}{memory}"
    figures = figures_text(result.outcome.figures)
    yield f"{name}: {row.verdict.value}: {figures}, {result.seconds:.1f} s"
    yield f"  {reach_text(row)}; {watched_text(row)}"
    if result.guarantee is not None:
        yield f"  {guarantee_text(result.guarantee, job.settings.depth)}"
    for passed_over in result.passed_over:
        ended = _count(passed_over.schedules, "schedule", "schedules")
        yield f"  passed over: {ended} that end with what is known as {', '.join(passed_over.ids)}"
    if result.failures:
        yield from failure_lines(row)


def failure_lines(row: SearchRow) -> Iterator[str]:
    """The scenario and each failure with its timeline and the command that replays it."""
    job, failures = row.job, row.result.failures
    yield f"  {printable(job.scenario.about)}"
    yield from cast_lines(job.scenario)
    for number, story in enumerate(tell(row), 1):
        of = f" {number} of {len(failures)}" if len(failures) > 1 else ""
        yield f"  failure{of}: {length_text(story.failure)}"
        yield from timeline_lines(story.timeline)
        yield f"  {property_text(story.property)}"
        yield from wrapped(f"  {known_text(story.known, job.revision)}")
        yield f"  again: {story.command}"


def property_text(property_id: str) -> str:
    """Which property a failure breaks."""
    return f"property: {property_id or 'none of the catalogue'}"


def caption(story: FailureStory, revision: Revision) -> tuple[str, ...]:
    """What a picture of a failure names, one line each: property, finding, token."""
    return property_text(story.property), known_text(story.known, revision), f"token: {story.token}"


def replay_caption(
    scenario: Scenario,
    revision: Revision,
    choices: Sequence[int],
    replayed: Timeline,
    already: AlreadyKnown,
    order: MemoryOrder = MemoryOrder.SC,
) -> tuple[str, ...]:
    """Property and finding of a replayed schedule, one line each, if it fails."""
    if replayed.violation is None:
        return ()
    cause = cause_in(scenario, revision, choices, replayed.violation, order)
    known = already.known_as(revision.name, cause)
    return property_text(cause.property), known_text(known, revision)


def known_text(known: Known | None, revision: Revision) -> str:
    """Which finding or defect a failure is."""
    if known is None:
        return f"new: no recorded finding and no listed defect explains this on {revision.name}"
    how = "" if known.by_sign else ", by the property that it breaks"
    return f"known as {', '.join(known.ids)}{how}: {known.title}"


def cast_lines(scenario: Scenario) -> Iterator[str]:
    """What has happened before, and what each control process does."""
    before = "; ".join(operation_text(operation) for operation in scenario.setup) or "nothing"
    yield from wrapped(f"  before: {shorten(printable(before))}")
    for actor in scenario.actors:
        doing = "; ".join(operation_text(operation) for operation in actor.operations)
        yield from wrapped(f"  {printable(actor.name)}: {printable(doing)}")


def figures_text(figures: Figures) -> str:
    """The figures of a search, in one line."""
    share = 100 * figures.pruned / figures.schedules if figures.schedules else 0.0
    return (
        f"{_count(figures.schedules, 'schedule', 'schedules')},"
        f" {_count(figures.states, 'distinct state', 'distinct states')},"
        f" {_count(figures.steps, 'step', 'steps')}, longest {figures.longest},"
        f" {share:.0f}% pruned"
    )


def reach_text(row: SearchRow) -> str:
    """How much of the space that was."""
    figures, settings = row.result.outcome.figures, row.job.settings
    if row.result.lost:
        return f"lost: {row.result.lost}, schedules are left over"
    if not row.result.ended:
        return "interrupted: schedules are left over"
    if figures.exhausted:
        if settings.reduction is not None:
            return "exhausted: every schedule"
        if figures.unbounded:
            return "exhausted: no more preemptions lead to anything else"
        return f"exhausted with up to {settings.bounds.preemptions} preemptions"
    if row.result.failures and not settings.keep_going:
        return "stopped at the first failure; --keep-going searches on"
    if settings.kind is not JobKind.DFS:
        return f"sampled: {settings.kind.value} schedules, seed {settings.seed}"
    if figures.cut:
        return f"not exhausted: {figures.cut} schedules were cut at {settings.bounds.steps} steps"
    stopped = f"not exhausted: stopped after {_count(figures.schedules, 'schedule', 'schedules')}"
    if settings.minutes_each is not None and figures.schedules < settings.bounds.schedules:
        return f"{stopped}, when its {settings.minutes_each:g} minutes were over"
    if settings.minutes is not None and figures.schedules < settings.bounds.schedules:
        return f"{stopped}, when the {settings.minutes:g} minutes were over"
    return stopped


def watched_text(row: SearchRow) -> str:
    """Which properties were watched."""
    job = row.job
    if not job.watched:
        return "no property watched, only memory errors and deadlocks"
    left_out = len(WATCHED) - len(job.watched)
    if not left_out:
        return f"all {len(WATCHED)} properties watched"
    if job.watched == row.already.watched_by_default(job.revision):
        return (
            f"{len(job.watched)} properties watched, not {left_out} that recorded findings break"
            " without concurrency"
        )
    return f"{len(job.watched)} of {len(WATCHED)} properties watched"


def guarantee_text(guarantee: Guarantee, depth: int) -> str:
    """What PCT promises."""
    power = depth - 1
    return (
        f"{guarantee.schedules} of them with {guarantee.threads} threads and up to"
        f" {guarantee.steps} steps: a bug of depth {depth} is met by one with a probability of at"
        f" least 1/({guarantee.threads}*{guarantee.steps}^{power}), by any of them with"
        f" {guarantee.probability:.4f}"
    )


def length_text(failure: Minimised) -> str:
    """How long its schedule is."""
    found = failure.found
    few = " (no schedule fails so with fewer)" if failure.fewest else ""
    return (
        f"{_count(found.switches, 'context switch', 'context switches')}{few},"
        f" {_count(found.preemptions, 'preemption', 'preemptions')},"
        f" {_count(len(found.choices), 'step', 'steps')}"
    )


def _count(number: int, one: str, many: str) -> str:
    return f"{number} {one if number == 1 else many}"


def summary(rows: Sequence[SearchRow]) -> str:
    """The closing line."""
    return f"{len(rows)} searches: {counted(row.verdict for row in rows)}"


def replay_lines(
    scenario: Scenario, revision: Revision, replayed: Timeline, caption: Sequence[str]
) -> Iterator[str]:
    """A replayed token."""
    yield f"{printable(scenario.name)} on {revision.name}: {printable(scenario.about)}"
    yield from cast_lines(scenario)
    yield from timeline_lines(replayed)
    for line in caption:
        yield from wrapped(f"  {line}")
