"""Engine: the scenarios of the library under all schedules within a bound."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from functools import partial
from time import process_time

from ipvs_est import REVISIONS, Revision
from ipvs_est.language.violations import BrokenProperty
from ipvs_est_checks.broken_properties import is_chosen
from ipvs_est_checks.explore.engine.outcome import Bounds
from ipvs_est_checks.explore.engine.watch import WATCHED
from ipvs_est_checks.explore.failures.cause import Cause
from ipvs_est_checks.explore.failures.hunt import Hit, Hunt, hunt
from ipvs_est_checks.explore.failures.token import token_text
from ipvs_est_checks.explore.scenarios.generated import search_generated
from ipvs_est_checks.explore.scenarios.scenario import library, load
from ipvs_est_checks.explore.scenarios.stand_in import searched_on
from ipvs_est_checks.known.by_history import explained
from ipvs_est_checks.known.by_schedule import BY_SCHEDULE, explained_by_schedule
from ipvs_est_checks.known.explored import explained_before, explored_on
from ipvs_est_checks.known.failures import known_as
from ipvs_est_checks.known.finding import Finding
from ipvs_est_checks.known.registry import findings_of
from ipvs_est_checks.report.rows import Problem, Request, Row
from ipvs_est_checks.report.verdict import Verdict
from ipvs_est_checks.workers import Lost, Pool
from ipvs_est_spec.catalogue import PROPERTIES, VIOLATION_PROPERTIES

HEAVY = frozenset(
    {
        "break-in-recalculation",
        "cpulist-empty-and-back",
        "delete-from-three-kthreads",
        "dest-to-trash-and-back",
        "exit-in-drain",
        "exit-in-later-drain",
        "exit-under-packets",
        "exit-with-two-kthreads",
        "first-service-and-two-writers",
        "limit-shrinks-in-drain",
        "memory-runs-out",
        "memory-runs-out-in-recalculation",
        "packets-and-second-kthread",
        "packets-around-enable",
        "packets-while-kthreads-read",
        "reader-while-kthreads-restart",
        "recalculation-of-full-kthreads",
        "recalculation-to-the-end",
        "restart-in-calc-phase",
        "restart-in-drain",
        "two-kthreads-restart",
        "two-sysctl-writers",
    }
)
"""Larger scenarios, half a second and more on a revision; `quick` leaves them out.
`exit-and-sysctl` stays: F16 needs it anyway. `exit-in-later-drain` is small, and shows what
`exit-in-first-drain` does: it is for real code."""
_SENTENCES = {prop.id: prop.sentence for prop in PROPERTIES}
_VIOLATIONS = frozenset(prop.id for prop in VIOLATION_PROPERTIES)
_JUDGED = WATCHED | _VIOLATIONS
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
    wanted: str = ""
    """A property: whether it breaks is all that is asked, so the first schedule that breaks it
    ends the search. '': what breaks, and whether that is known, is asked of all schedules."""


def engine_explorer(request: Request) -> Iterator[Row]:
    """A row for each scenario on each revision, and for each finding that needs a schedule.

    Where properties are asked for, scenarios in which none of them came up have none.
    """
    if request.properties is not None and request.properties.isdisjoint(_JUDGED):
        return
    preemptions = PREEMPTIONS[request.profile]
    names = [name for name in library() if request.profile != "quick" or name not in HEAVY]
    watched = WATCHED if request.properties is None else WATCHED & request.properties
    how = f"explored to {preemptions} preemption" + ("s" if preemptions > 1 else "")
    tasks = [
        _Task(
            name,
            revision.name,
            Bounds(preemptions),
            # What a finding breaks everywhere would end every schedule early.
            frozenset(name for name in watched if not explained(revision.name, name)),
        )
        for name in names
        for revision in request.revisions
        if _is_searched(request, revision.name)
    ]
    scheduled = [
        (finding, finding.schedule)
        for finding in BY_SCHEDULE
        if finding.schedule is not None and is_chosen(request.properties, finding.properties[0])
    ]
    findings = [
        _Task(
            schedule.scenario,
            revision.name,
            Bounds(schedule.preemptions),
            # Others that it breaks would end schedules before.
            frozenset(finding.properties[:1]),
            finding.properties[0],
        )
        for finding, schedule in scheduled
        for revision in request.revisions
    ]
    seen = _hunts([*tasks, *findings], request)
    done: list[tuple[_Task, Hunt]] = []
    lost: set[str] = set()
    for task in tasks:
        found = next(seen)
        if isinstance(found, Lost):
            lost.add(task.revision)
            yield _lost_row(f"explore.{task.scenario}", load(task.scenario).about, task, how, found)
            continue
        done.append((task, found))
        if _came_up(request, found):
            yield _row(request, task, found, how)
    for task, finding in zip(
        findings, [finding for finding, _ in scheduled for _ in request.revisions], strict=True
    ):
        found = next(seen)
        if isinstance(found, Lost):
            yield _lost_row(finding.id, finding.title, task, "schedule", found)
        else:
            yield _finding_row(finding, task, found)
    for revision in request.revisions:
        yield from _property_rows(
            request,
            revision.name,
            [pair for pair in done if pair[0].revision == revision.name],
            how,
            lost=revision.name in lost,
        )
    if request.profile == "deep" and request.properties is None:
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
            remark=f"the profile leaves out {len(names)} larger scenarios; --profile ci has them",
        )


def _is_searched(request: Request, revision: str) -> bool:
    """Whether a search looks at a property asked for: what a finding breaks is not watched."""
    return request.properties is None or any(
        id_ in _VIOLATIONS or (id_ in WATCHED and not explained(revision, id_))
        for id_ in request.properties
    )


def _came_up(request: Request, seen: Hunt) -> bool:
    """Whether a property asked for was looked at: an empty watch says nothing."""
    return request.properties is None or any(
        seen.evaluations.get(prop, 0) for prop in request.properties
    )


def _row(request: Request, task: _Task, seen: Hunt, how: str) -> Row:
    hits = [hit for hit in seen.hits if is_chosen(request.properties, hit.cause.property)]
    known = {hit: known_as(task.revision, hit.cause) for hit in hits}
    unknown = [hit for hit in hits if hit.cause in seen.unknown]
    if unknown:
        verdict = Verdict.FAIL
    elif not seen.figures.exhausted:
        verdict = Verdict.INCOMPLETE
    else:
        verdict = Verdict.FINDING if hits else Verdict.PASS
    return Row(
        f"explore.{task.scenario}",
        load(task.scenario).about,
        task.revision,
        verdict,
        how,
        seen.figures.schedules,
        seen.seconds,
        problems=tuple(_problem(task, hit) for hit in unknown or hits),
        findings=tuple(
            dict.fromkeys(id_ for one_known in known.values() if one_known for id_ in one_known.ids)
        ),
        # What each property came to has rows of its own.
        properties=(f"explore.{task.scenario}",),
        remark=_left_over(seen) if verdict is Verdict.INCOMPLETE else "",
    )


def _left_over(seen: Hunt) -> str:
    return f"schedules are left over: {seen.figures.cut} were cut at the bound on steps"


def _lost_row(id_: str, sentence: str, task: _Task, how: str, lost: Lost) -> Row:
    command = (
        f"ipvs-est explore --preemptions {task.bounds.preemptions} --revision {task.revision}"
        f" {task.scenario}"
    )
    problem = Problem(id_, task.revision, str(lost), (), None, command)
    return Row(id_, sentence, task.revision, Verdict.INCOMPLETE, how, 0, 0.0, problems=(problem,))


def _property_rows(
    request: Request,
    revision: str,
    done: Sequence[tuple[_Task, Hunt]],
    how: str,
    *,
    lost: bool,
) -> Iterator[Row]:
    """What the searches of one revision say of each property that they looked at; `lost`: one of
    them was."""
    exhausted = not lost and all(seen.figures.exhausted for _, seen in done)
    whole = exhausted and request.profile != "quick"
    for prop in PROPERTIES:
        if not is_chosen(request.properties, prop.id) or explained_before(revision, prop.id):
            continue
        counts = [seen.evaluations.get(prop.id, 0) for _, seen in done]
        causes = [
            hit.cause in seen.unknown
            for _, seen in done
            for hit in seen.hits
            if hit.cause.property == prop.id
        ]
        problems: tuple[Problem, ...] = ()
        command = remark = ""
        if any(causes):
            verdict = Verdict.FAIL
        elif causes:
            verdict = Verdict.FINDING
        elif any(counts):
            left = [seen for _, seen in done if not seen.figures.exhausted]
            verdict = Verdict.PASS if exhausted else Verdict.INCOMPLETE
            if left:
                remark = _left_over(left[0])
            elif lost:
                remark = "a search is lost"
        else:
            # A property that was never evaluated has not passed.
            verdict = Verdict.NOT_RUN
            remark = "it came up in none of the scenarios of the profile"
            command = f"ipvs-est check --profile ci --property {prop.id}"
            if whole and revision in explored_on(prop.id):
                verdict = Verdict.FAIL
                detail = "is called explored, and came up in no scenario"
                problems = (Problem(prop.id, revision, detail, (), None, command),)
        yield Row(
            prop.id,
            prop.sentence,
            revision,
            verdict,
            f"{how}, evaluated",
            sum(counts),
            0.0,
            command,
            problems,
            (f"came up in {sum(map(bool, counts))} of {len(counts)} scenarios",),
            remark,
            findings=findings_of(revision, prop.id) if verdict is Verdict.FINDING else (),
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


def _finding_row(finding: Finding, task: _Task, seen: Hunt) -> Row:
    revision = task.revision
    wanted = revision in finding.revisions
    shows = any(hit.cause.property == finding.properties[0] for hit in seen.hits)
    if shows != wanted:
        # What was not found may be in what was not searched.
        verdict = Verdict.FAIL if shows or seen.figures.exhausted else Verdict.INCOMPLETE
    elif shows:
        verdict = Verdict.FINDING
    else:
        verdict = Verdict.PASS if seen.figures.exhausted else Verdict.INCOMPLETE
    command = f"ipvs-est findings --revision {revision} {finding.id}"
    if shows:
        detail = finding.title if wanted else f"shows, and is not recorded: {finding.title}"
    else:
        detail = f"{finding.id} is recorded, and no schedule breaks the property any more"
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
        properties=finding.properties[:1],
        findings=(finding.id,) if verdict is Verdict.FINDING else (),
        remark=_left_over(seen) if verdict is Verdict.INCOMPLETE else "",
    )


def _generated_row(request: Request, revision: Revision) -> Row:
    began = process_time()
    known = frozenset(
        prop.id
        for prop in PROPERTIES
        if explained(revision.name, prop.id) or explained_by_schedule(revision.name, prop.id)
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


def _hunts(tasks: Sequence[_Task], request: Request) -> Iterator[Hunt | Lost]:
    """What each task's search has seen; one search stands for all that are the same."""
    searched = [_searched(task) for task in tasks]
    different = list(dict.fromkeys(searched))
    known: dict[_Task, Hunt | Lost] = {}

    def waiting(name: str) -> None:
        request.progress(name, len(known), len(different))

    with Pool(min(request.jobs, len(different)), waiting=waiting) as pool:
        found = pool.map(_hunt, different, lambda task: f"{task.scenario} on {task.revision}")
        for one_task in searched:
            while one_task not in known:
                task, seen = next(found)
                known[task] = seen
                waiting("explorer")
            yield known[one_task]


def _searched(task: _Task) -> _Task:
    revision = searched_on(load(task.scenario), REVISIONS[task.revision])
    return replace(task, revision=revision.name)


def _hunt(task: _Task) -> Hunt:
    """The search; which of the causes neither a recorded finding nor a listed defect explains.

    Where no sign tells, the scenario is searched again with the repairs of what is suspected.
    """
    scenario, revision = load(task.scenario), REVISIONS[task.revision]
    if task.wanted:
        enough = partial(_breaks, task.wanted)
        return hunt(scenario, revision, task.bounds, task.properties, enough)
    seen = hunt(scenario, revision, task.bounds, task.properties)

    def is_known(cause: Cause) -> bool:
        def holds(revision: Revision) -> bool:
            only, enough = frozenset({cause.property}), partial(_breaks, cause.property)
            again = hunt(scenario, revision, task.bounds, only, enough)
            return not any(enough(hit.cause) for hit in again.hits)

        return known_as(task.revision, cause, holds) is not None

    unknown = tuple(hit.cause for hit in seen.hits if not is_known(hit.cause))
    return replace(seen, unknown=unknown)


def _breaks(property_id: str, cause: Cause) -> bool:
    return cause.property == property_id
