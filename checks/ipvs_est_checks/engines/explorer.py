"""Engine: the scenarios of the library under all schedules within a bound."""

import signal
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from time import process_time

from ipvs_est import REVISIONS, Revision
from ipvs_est.language.violations import BrokenProperty
from ipvs_est_checks.explore.engine.outcome import Bounds
from ipvs_est_checks.explore.engine.watch import WATCHED
from ipvs_est_checks.explore.failures.claimed import explained_before, explored_on
from ipvs_est_checks.explore.failures.hunt import Hit, Hunt, hunt
from ipvs_est_checks.explore.failures.token import token_text
from ipvs_est_checks.explore.scenarios.generated import search_generated
from ipvs_est_checks.explore.scenarios.scenario import library, load
from ipvs_est_checks.history.monitor import is_chosen
from ipvs_est_checks.known.failures import known_as
from ipvs_est_checks.known.findings import explained
from ipvs_est_checks.known.scheduled import SCHEDULED, ScheduledFinding, explained_by_schedule
from ipvs_est_checks.report.rows import Problem, Request, Row, Verdict
from ipvs_est_spec.catalogue import PROPERTIES

HEAVY = frozenset(
    {
        "break-in-recalculation",
        "cpulist-empty-and-back",
        "dest-to-trash-and-back",
        "exit-under-packets",
        "exit-in-drain",
        "exit-with-two-kthreads",
        "first-service-and-two-writers",
        "memory-runs-out",
        "recalculation-of-full-kthreads",
        "recalculation-to-the-end",
        "two-kthreads-restart",
    }
)
"""Scenarios that take more than a second; `quick` leaves them out."""
_SENTENCES = {each.id: each.sentence for each in PROPERTIES}
_GENERATED = 150
_GENERATED_SCHEDULES = 500
PREEMPTIONS = {"quick": 1, "ci": 1, "deep": 2}
"""By profile."""


@dataclass(frozen=True, slots=True)
class _Task:
    scenario: str
    revision: str
    bounds: Bounds
    properties: frozenset[str]


def engine_explorer(request: Request) -> Iterator[Row]:
    """A row for each scenario on each revision, and for each finding that needs a schedule."""
    preemptions = PREEMPTIONS[request.profile]
    names = [each for each in library() if request.profile != "quick" or each not in HEAVY]
    watched = WATCHED if request.properties is None else WATCHED & request.properties
    how = f"explored to {preemptions} preemption" + ("s" if preemptions > 1 else "")
    tasks = [
        _Task(
            name,
            revision.name,
            Bounds(preemptions),
            # What a finding breaks everywhere would end every schedule early.
            frozenset(each for each in watched if not explained(revision.name, each)),
        )
        for name in names
        for revision in request.revisions
    ]
    findings = [
        _Task(each.scenario, revision.name, Bounds(each.preemptions), frozenset(each.properties))
        for each in SCHEDULED
        for revision in request.revisions
    ]
    seen = _hunts([*tasks, *findings], request.jobs)
    done: list[tuple[_Task, Hunt]] = []
    for task in tasks:
        done.append((task, next(seen)))
        yield _row(request, *done[-1], how)
    for each in SCHEDULED:
        for revision in request.revisions:
            yield _finding_row(each, revision.name, next(seen))
    for revision in request.revisions:
        yield from _property_rows(
            request,
            revision.name,
            [each for each in done if each[0].revision == revision.name],
            how,
        )
    if request.profile == "deep":
        for revision in request.revisions:
            yield _generated_row(request, revision)
    if request.profile == "quick":
        names = sorted(HEAVY)
        yield Row(
            "explore.rest",
            "Larger scenarios.",
            "",
            Verdict.NOT_RUN,
            how,
            0,
            0.0,
            f"ipvs-est explore -j 0 --preemptions 1 {' '.join(names)}",
        )


def _row(request: Request, task: _Task, seen: Hunt, how: str) -> Row:
    unknown = [
        each
        for each in seen.hits
        if known_as(task.revision, each.cause) is None
        and (request.properties is None or each.cause.property in request.properties)
    ]
    if unknown:
        verdict = Verdict.FAIL
    elif not seen.figures.exhausted:
        verdict = Verdict.INCOMPLETE
    else:
        verdict = Verdict.FINDING if seen.hits else Verdict.PASS
    return Row(
        f"explore.{task.scenario}",
        load(task.scenario).about,
        task.revision,
        verdict,
        how,
        seen.figures.schedules,
        seen.seconds,
        problems=tuple(_problem(task, each) for each in unknown or seen.hits),
    )


def _property_rows(
    request: Request, revision: str, done: Sequence[tuple[_Task, Hunt]], how: str
) -> Iterator[Row]:
    """What the searches of one revision say of each property that they looked at."""
    whole = request.profile != "quick" and all(seen.figures.exhausted for _, seen in done)
    for each in PROPERTIES:
        if not is_chosen(request.properties, each.id) or explained_before(revision, each.id):
            continue
        counts = [seen.evaluations.get(each.id, 0) for _, seen in done]
        causes = [
            hit.cause for _, seen in done for hit in seen.hits if hit.cause.property == each.id
        ]
        problems: tuple[Problem, ...] = ()
        command = ""
        if any(known_as(revision, cause) is None for cause in causes):
            verdict = Verdict.FAIL
        elif causes:
            verdict = Verdict.FINDING
        elif any(counts):
            exhausted = all(seen.figures.exhausted for _, seen in done)
            verdict = Verdict.PASS if exhausted else Verdict.INCOMPLETE
        else:
            # A property that was never evaluated has not passed.
            verdict = Verdict.NOT_RUN
            command = f"ipvs-est check --profile ci --property {each.id}"
            if whole and revision in explored_on(each.id):
                verdict = Verdict.FAIL
                detail = "is called explored, and came up in no scenario"
                problems = (Problem(each.id, revision, detail, (), None, command),)
        yield Row(
            each.id,
            each.sentence,
            revision,
            verdict,
            f"{how}, evaluated",
            sum(counts),
            0.0,
            command,
            problems,
            (f"came up in {sum(map(bool, counts))} of {len(counts)} scenarios",),
        )


def _problem(task: _Task, hit: Hit) -> Problem:
    violation = hit.found.violation
    broken = violation.property if isinstance(violation, BrokenProperty) else ""
    scenario, revision = load(task.scenario), REVISIONS[task.revision]
    # A broken property ends the schedule only where the token says that it is watched.
    token = token_text(scenario, revision, hit.found.choices, broken)
    return Problem(
        hit.cause.property,
        task.revision,
        f"{_SENTENCES[broken] if broken else hit.cause.text} In {task.scenario}.",
        (),
        None,
        f"ipvs-est explore --replay {token}",
    )


def _finding_row(finding: ScheduledFinding, revision: str, seen: Hunt) -> Row:
    wanted = revision in finding.revisions
    shows = any(each.cause.property in finding.properties for each in seen.hits)
    verdict = Verdict.PASS
    if shows != wanted:
        verdict = Verdict.FAIL
    elif shows:
        verdict = Verdict.FINDING
    command = f"ipvs-est findings --revision {revision} {finding.id}"
    detail = finding.title if shows else "no schedule breaks the property any more"
    return Row(
        finding.id,
        finding.title,
        revision,
        verdict,
        "schedule",
        seen.figures.schedules,
        seen.seconds,
        problems=()
        if verdict is Verdict.PASS
        else (Problem(finding.properties[0], revision, detail, (), None, command),),
    )


def _generated_row(request: Request, revision: Revision) -> Row:
    began = process_time()
    known = frozenset(
        each.id
        for each in PROPERTIES
        if explained(revision.name, each.id) or explained_by_schedule(revision.name, each.id)
    )
    bounds = Bounds(preemptions=1, schedules=_GENERATED_SCHEDULES)
    seen = search_generated(revision, bounds, _GENERATED, request.seed, known)
    problems: tuple[Problem, ...] = ()
    if seen.failure is not None:
        scenario, hit = seen.failure
        detail = f"{hit.cause.text} in {scenario}, schedule {hit.found.choices}"
        command = f"ipvs-est check --profile deep --seed {request.seed}"
        problems = (Problem(hit.cause.property, revision.name, detail, (), None, command),)
    return Row(
        "explore.generated",
        f"Scenarios made by Hypothesis ({seen.exhausted} of {seen.scenarios} exhausted).",
        revision.name,
        Verdict.FAIL if problems else Verdict.PASS if seen.scenarios else Verdict.INCOMPLETE,
        "sampled scenarios, explored to 1 preemption",
        seen.schedules,
        process_time() - began,
        problems=problems,
    )


def _hunts(tasks: Sequence[_Task], jobs: int) -> Iterator[Hunt]:
    jobs = min(jobs, len(tasks))
    if jobs <= 1:
        yield from map(_hunt, tasks)
        return
    # Imported here: it takes as long as some searches.
    from multiprocessing import get_context

    with get_context("spawn").Pool(jobs, _ignore_interrupts) as pool:
        yield from pool.imap(_hunt, tasks)


def _hunt(task: _Task) -> Hunt:
    revision = REVISIONS[task.revision]
    return hunt(load(task.scenario), revision, task.bounds, task.properties)


def _ignore_interrupts() -> None:
    # Ctrl-C reaches the whole process group; the parent alone acts on it.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
