"""Engine: the explorer's scenarios on a tree's code."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from shlex import quote
from time import perf_counter

from ipvs_est import MAINLINE, Params, Revision
from ipvs_est_checks.engines.tree.asked import JudgedTree, build_all
from ipvs_est_checks.engines.tree.names import TREE
from ipvs_est_checks.explore.scenarios.scenario import Scenario, library, load
from ipvs_est_checks.harness.building.build import build
from ipvs_est_checks.harness.building.options import BuildOptions, Variant, options_for
from ipvs_est_checks.harness.building.tree import Tree
from ipvs_est_checks.harness.process import asking, running
from ipvs_est_checks.harness.schedules.timeline import code_lines
from ipvs_est_checks.known.code_signs import known_on_code
from ipvs_est_checks.report.rows import Engine, Problem, Request, Row
from ipvs_est_checks.report.verdict import Verdict
from ipvs_est_checks.subjects.minimised import minimised
from ipvs_est_checks.subjects.schedules import (
    FailingRuns,
    NotPreparedError,
    prepare,
    schedule_text,
    search,
)
from ipvs_est_checks.terminal.bad_input import BadInputError
from ipvs_est_checks.workers import Pool, results_of
from ipvs_est_spec.catalogue import VIOLATION_PROPERTIES

HOW = "schedules"
_TASK_STARTED = "task-started-while-disabled"
_PROPERTY_OF_KIND = {
    **{kind.kind: prop.id for prop in VIOLATION_PROPERTIES for kind in prop.kinds},
    _TASK_STARTED: "tasks.enabled",
}
"""Kind of a violation -> the property that it breaks."""
_STUCK = "locks.deadlock"


@dataclass(frozen=True, slots=True)
class Search:
    """One search of a scenario."""

    tree: Tree
    revision: Revision
    """The nearest one."""
    scenario: str
    fields: bool
    """Whether tasks also switch at every access to a shared field."""
    preemptions: int
    most: int


@dataclass(frozen=True, slots=True)
class _Amount:
    """At mutexes, waits and sleeps, then at every shared field: preemptions and schedules."""

    locks: tuple[int, int]
    fields: tuple[int, int]


_AMOUNTS = {
    "quick": _Amount((1, 1500), (1, 400)),
    "ci": _Amount((2, 20_000), (1, 5_000)),
    "deep": _Amount((3, 200_000), (2, 200_000)),
}


@dataclass(frozen=True, slots=True)
class ShownFailure:
    """A failure, and what explains it; one that nothing does is made short."""

    failure: FailingRuns
    lines: tuple[str, ...]
    """The timeline, with lines of the source."""
    findings: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class SearchOnCode:
    """What a search came to."""

    schedules: int
    exhausted: bool
    failures: tuple[ShownFailure, ...]
    refused: str = ""
    """Why the scenario is not tried."""


def engine_schedules(tree: Tree, revision: Revision) -> Engine:
    """A row for each scenario and kind of point, and one for each property that a failure breaks.

    Where properties are asked for, those that no outcome of a schedule tells of are left out.
    """

    def engine(request: Request) -> Iterator[Row]:
        lines = {*_PROPERTY_OF_KIND.values()}
        if request.properties is not None and lines.isdisjoint(request.properties):
            return
        scenarios = [
            scenario for scenario in map(load, library()) if not scenario.params.steps_per_break
        ]
        work = list(_searches(tree, revision, scenarios, request))
        with Pool(min(request.jobs, len(work))) as pool:
            started = perf_counter()
            for done, (task, found) in enumerate(results_of(pool, searched, work, _name)):
                request.progress(_name(task), done, len(work))
                yield _row(task, found, request, perf_counter() - started)
                started = perf_counter()

    return engine


def _searches(
    tree: Tree, revision: Revision, scenarios: Sequence[Scenario], request: Request
) -> Iterator[Search]:
    """Those whose machine can be built, at locks first: they find most, and soonest."""
    able: dict[BuildOptions, bool] = {}
    for scenario in scenarios:
        options = options_for(scenario.params, Variant.POINTS)
        if options not in able:
            able[options] = _can_be_built(tree, scenario.params, request)
    tried = [
        scenario for scenario in scenarios if able[options_for(scenario.params, Variant.POINTS)]
    ]
    amount = _AMOUNTS[request.profile]
    for fields, (preemptions, most) in ((False, amount.locks), (True, amount.fields)):
        for scenario in tried:
            yield Search(tree, revision, scenario.name, fields, preemptions, most)


def _can_be_built(tree: Tree, params: Params, request: Request) -> bool:
    try:
        build_all([JudgedTree(tree, MAINLINE)], [params], Variant.POINTS, request)
    except BadInputError:
        # Such as 32 bits, where the system cannot compile for them.
        return False
    return True


def searched(task: Search) -> SearchOnCode:
    """Search a scenario to its bound, or until so many schedules were tried."""
    scenario = load(task.scenario)
    program = build(task.tree, options_for(scenario.params, Variant.POINTS))
    with running(program) as started:
        ask = asking(started)
        try:
            prepare(ask, scenario)
        except NotPreparedError as error:
            return SearchOnCode(0, False, (), error.message)
        found = search(
            ask,
            scenario,
            preemptions=task.preemptions,
            fields=task.fields,
            most=task.most,
            keep_going=True,
        )
        shown: list[ShownFailure] = []
        for failure in found.failures:
            ids = known_on_code(task.revision, failure.cause)
            if ids:
                shown.append(ShownFailure(failure, (), ids))
                continue
            short = minimised(ask, scenario, failure, task.fields)
            lines = code_lines(ask, program, scenario, short.run, task.fields)
            shown.append(ShownFailure(short, tuple(lines), ()))
    return SearchOnCode(found.schedules, found.exhausted, tuple(shown))


def _row(task: Search, found: SearchOnCode, request: Request, seconds: float) -> Row:
    points = "at fields" if task.fields else "at locks"
    bound = f"{task.preemptions} preemption{'s' if task.preemptions > 1 else ''}"
    how = f"{HOW} {points}, {bound}"
    problems: list[Problem] = []
    known: list[str] = []
    for failure in found.failures:
        known += failure.findings
        if not failure.findings:
            problems.append(_problem(task, failure))
            cause = failure.failure.cause
            request.on_failure(f"{problems[-1].property}: {cause} in {task.scenario}")
    verdict = Verdict.FAIL if problems else Verdict.FINDING if known else Verdict.PASS
    remark = ""
    if found.refused:
        verdict, remark = Verdict.NOT_JUDGED, found.refused
    elif not found.exhausted and verdict is Verdict.PASS:
        verdict = Verdict.SAMPLED
        remark = f"{found.schedules} schedules, not all; --profile ci has more"
    return Row(
        f"explore.{task.scenario}",
        load(task.scenario).about,
        TREE,
        verdict,
        how,
        found.schedules,
        seconds,
        problems=tuple(problems),
        remark=remark,
        properties=tuple(
            dict.fromkeys(property_of(failure.failure.cause) for failure in found.failures)
        ),
        findings=tuple(dict.fromkeys(known)),
    )


def property_of(cause: str) -> str:
    """The property that a run breaks which fails so; of the catalogue, if it has one."""
    kind = cause.partition(":")[0]
    return _PROPERTY_OF_KIND.get(kind, _STUCK if kind == cause else f"code.{kind}")


def _problem(task: Search, shown: ShownFailure) -> Problem:
    failure = shown.failure
    kind = "fields" if task.fields else "locks"
    again = f"ipvs-est explore --tree {quote(str(task.tree.path))} {task.scenario}"
    return Problem(
        property_of(failure.cause),
        TREE,
        f"{failure.cause} In {task.scenario}, schedule {failure.number}.",
        shown.lines,
        None,
        f"{again} --replay {kind}:{schedule_text(failure.run)}",
    )


def _name(task: Search) -> str:
    return f"{task.scenario} at {'fields' if task.fields else 'locks'}"
