"""A recorded finding that needs a schedule, searched for on a subject that gives schedules."""

from ipvs_est_checks.explore.scenarios.scenario import Scenario
from ipvs_est_checks.known.finding import Schedule
from ipvs_est_checks.subjects.schedules import Ask, prepare, search

CAUSES = {
    "locks.deadlock": "deadlock",
    "memory.pointer": "invalid-pointer",
    "memory.leak": "leak-at-exit",
}
"""By property: how the cause of a run that breaks it begins, in the contract's words."""
MOST_SCHEDULES = 30_000


def search_for(
    ask: Ask, scenario: Scenario, schedule: Schedule, cause: str, revision: str, *, fields: bool
) -> tuple[bool | None, str]:
    """Whether a run fails so, and what was seen; None: not all schedules were tried.

    `revision` is for a subject that knows it; '': its own choice.
    """
    prepare(ask, scenario, revision)
    found = search(
        ask,
        scenario,
        preemptions=schedule.preemptions,
        fields=fields,
        most=MOST_SCHEDULES,
        ends=lambda name: name.startswith(cause),
    )
    bound = f"{schedule.scenario} with at most {schedule.preemptions} preemptions"
    for failure in found.failures:
        if failure.cause.startswith(cause):
            return True, f"{failure.cause} (schedule {failure.number} of {bound})"
    if found.exhausted:
        return False, f"in none of {found.schedules} schedules of {bound}"
    return None, f"not all schedules of {bound} were tried, {found.schedules} were"
