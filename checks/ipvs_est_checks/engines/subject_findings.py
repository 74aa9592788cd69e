"""Which recorded findings show on a subject: by their histories, under their properties."""

from collections.abc import Iterator
from dataclasses import dataclass

from ipvs_est import REVISIONS, Params, Revision
from ipvs_est_checks.engines.subject import missing
from ipvs_est_checks.explore.scenarios.scenario import load
from ipvs_est_checks.history.subject_failure import SENTENCES, RefusedError, SubjectError
from ipvs_est_checks.known.by_history import history_of, watch_finding
from ipvs_est_checks.known.finding import Finding, Schedule
from ipvs_est_checks.known.registry import ALL
from ipvs_est_checks.subjects.finding_search import CAUSES, search_for
from ipvs_est_checks.subjects.keeper import Keeper, running
from ipvs_est_checks.subjects.schedules import NotPreparedError
from ipvs_est_checks.subjects.subject import (
    SCHEDULES,
    SCHEDULES_VERSIONS,
    SubjectRun,
    asking,
    begin,
)


@dataclass(frozen=True, slots=True)
class FindingOnSubject:
    """What came of one finding."""

    finding: Finding
    shows: bool | None
    """None: it cannot be tried."""
    observation: str


def findings_on_subject(keeper: Keeper, wanted: frozenset[str]) -> Iterator[FindingOnSubject]:
    """Each of these findings, by id. Raises OSError if the subject cannot be started again."""
    for finding in ALL:
        if finding.id in wanted:
            try:
                yield _tried(keeper, finding)
            except (SubjectError, RefusedError) as error:
                yield FindingOnSubject(finding, None, str(error))


def _searched(keeper: Keeper, finding: Finding, schedule: Schedule) -> FindingOnSubject:
    """One that needs a schedule."""
    subject = running(keeper)
    if subject.handshake.gives.get(SCHEDULES) not in SCHEDULES_VERSIONS:
        return FindingOnSubject(finding, None, f"the subject gives no {SCHEDULES}")
    name = finding.properties[0]
    if name not in CAUSES:
        return FindingOnSubject(finding, None, f"no outcome of a schedule tells of {name}")
    scenario = load(schedule.scenario)
    fields = name != "locks.deadlock"
    try:
        shows, seen = search_for(
            asking(subject), scenario, schedule, CAUSES[name], finding.revisions[-1], fields=fields
        )
    except NotPreparedError as error:
        return FindingOnSubject(finding, None, str(error))
    return FindingOnSubject(finding, shows, seen)


def _tried(keeper: Keeper, finding: Finding) -> FindingOnSubject:
    if finding.schedule is not None:
        return _searched(keeper, finding, finding.schedule)
    handshake = running(keeper).handshake
    if "snapshot" not in handshake.gives:
        return FindingOnSubject(finding, None, "the subject gives no snapshot")
    for prop in finding.properties:
        if why := missing(prop, handshake.gives):
            return FindingOnSubject(finding, None, why)
    name = finding.revisions[-1]
    for operation in history_of(finding, name).operations:
        if operation.op not in handshake.operations:
            why = f"the subject does not take {operation.op}"
            return FindingOnSubject(finding, None, why)

    def new_oracle(params: Params, revision: Revision) -> SubjectRun:
        return begin(running(keeper), params, revision)

    wanted = frozenset(finding.properties)
    seen = watch_finding(finding, REVISIONS[name], new_oracle, wanted)
    for id_, failure in seen.failures.items():
        if id_ in SENTENCES:
            return FindingOnSubject(finding, None, f"{id_}: {failure.detail}")
    broken = sorted(wanted & seen.failures.keys())
    if wanted <= seen.failures.keys():
        return FindingOnSubject(finding, True, f"breaks {', '.join(broken)}")
    some = f"breaks {', '.join(broken)} only" if broken else "breaks none of its properties"
    return FindingOnSubject(finding, False, some)
