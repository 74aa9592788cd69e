"""A finding that needs a schedule, searched for on one revision and told with its timeline."""

from collections.abc import Callable, Iterator
from time import monotonic

from ipvs_est import Revision
from ipvs_est.language.violations import BrokenProperty, Violation
from ipvs_est_checks.explore.engine.job import Job, JobKind, JobResult, Settings
from ipvs_est_checks.explore.engine.outcome import Bounds, Found
from ipvs_est_checks.explore.engine.run import Tally, run
from ipvs_est_checks.explore.engine.watch import WATCHED, Watch
from ipvs_est_checks.explore.engine.world import World
from ipvs_est_checks.explore.failures.cause import cause_of
from ipvs_est_checks.explore.failures.minimise import Minimised, minimise
from ipvs_est_checks.explore.failures.report import (
    SearchRow,
    failure_lines,
    figures_text,
    reach_text,
)
from ipvs_est_checks.explore.scenarios.scenario import load
from ipvs_est_checks.explore.schedulers.dfs import Dfs
from ipvs_est_checks.explore.schedulers.scheduler import system_of
from ipvs_est_checks.known.failures import ALREADY_KNOWN
from ipvs_est_checks.known.finding import Finding, Schedule
from ipvs_est_checks.known.story import headline


def search_finding(
    finding: Finding, revision: Revision, progress: Callable[[Tally], None]
) -> SearchRow:
    """Search the finding's scenario to its bound for a schedule that breaks its properties.

    Raises ValueError for one that a history shows. The first such schedule ends the search and is
    reduced. One that fails in another way, as old revisions do, is passed over.
    """
    schedule = _schedule(finding)
    scenario = load(schedule.scenario)
    wanted = finding.properties[0]
    watched = WATCHED.intersection({wanted})
    bounds = Bounds(schedule.preemptions)
    job = Job(schedule.scenario, scenario, revision, Settings(JobKind.DFS, bounds), watched)

    def of_the_finding(world: World, found: Found) -> bool:
        return cause_of(world, found.violation).property == wanted

    began = monotonic()
    system = system_of(scenario, revision, Watch(watched))
    outcome = run(system, Dfs(bounds.preemptions), bounds, wanted=of_the_finding, progress=progress)
    failures: list[Minimised] = []
    for found in outcome.failures:
        # Another property of the finding must not hide the one that the schedule breaks.
        broken = found.violation
        alone = watched.intersection(
            [broken.property] if isinstance(broken, BrokenProperty) else []
        )
        failures.append(minimise(system_of(scenario, revision, Watch(alone)), found, key=_key))
    result = JobResult(outcome, tuple(failures), seconds=monotonic() - began)
    return SearchRow(job, result, ALREADY_KNOWN)


def _schedule(finding: Finding) -> Schedule:
    if finding.schedule is None:
        raise ValueError(f"{finding.id} is shown by a history")
    return finding.schedule


def scheduled_story(finding: Finding, row: SearchRow) -> Iterator[str]:
    """What was searched, then the schedule that shows the finding; or that none does."""
    properties = ", ".join(finding.properties)
    yield from headline(finding, row.job.revision.name)
    yield f"scenario {_schedule(finding).scenario}, searched for schedules that break {properties}:"
    yield f"  {figures_text(row.result.outcome.figures)}"
    if row.result.failures:
        yield from failure_lines(row)
        return
    yield f"  {reach_text(row)}"
    yield f"     no schedule breaks {properties}"


def _key(world: World, violation: Violation) -> str:
    return cause_of(world, violation).text
