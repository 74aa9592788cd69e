"""Many scenarios compared, in this process or in several; each is the same in any number."""

from collections.abc import Callable, Sequence
from copy import deepcopy
from dataclasses import dataclass, field
from functools import partial
from time import monotonic

from ipvs_est_checks.explore.scenarios.scenario import Scenario
from ipvs_est_checks.harness.steps.compare import Compared
from ipvs_est_checks.harness.steps.session import StepsSession, compare_scenario
from ipvs_est_checks.terminal.bad_input import BadInputError
from ipvs_est_checks.workers import Lost, Pool

_SECONDS_PER_REPORT = 0.2


@dataclass(frozen=True, slots=True)
class ComparedOutcome:
    """What came of one scenario, so far."""

    done: Compared = field(default_factory=Compared)
    ended: bool = False
    """All of its schedules were compared, or those up to the one in which the two part."""
    parting: tuple[str, ...] = ()
    """Lines that tell where they part."""
    why_not: str = ""
    """Why it could not be compared."""


Report = Callable[[int, ComparedOutcome], None]
"""Takes a scenario's index and what came of it so far; the last of one has ended or says why
not."""


def compare_all(
    session: StepsSession, scenarios: Sequence[Scenario], processes: int, report: Report
) -> None:
    """Compare all scenarios; outcomes come in any order.

    How much was compared is reported now and then, so that nothing is lost if the rest is
    interrupted.
    """
    with Pool(min(processes, len(scenarios))) as pool:
        tasks = [
            pool.submit_noting(
                scenario.name, partial(_compare, session, scenario), partial(report, index)
            )
            for index, scenario in enumerate(scenarios)
        ]
        index_of = {task: index for index, task in enumerate(tasks)}
        for task in pool.as_completed(tasks):
            outcome = task.outcome()
            if isinstance(outcome, Lost):
                outcome = ComparedOutcome(why_not=outcome.why)
            report(index_of[task], outcome)


def _compare(
    session: StepsSession, scenario: Scenario, note: Callable[[ComparedOutcome], None]
) -> ComparedOutcome:
    done = Compared()
    due = monotonic() + _SECONDS_PER_REPORT

    def progress() -> None:
        nonlocal due
        now = monotonic()
        if now >= due:
            due = now + _SECONDS_PER_REPORT
            note(ComparedOutcome(deepcopy(done)))

    try:
        lines = compare_scenario(session, scenario, done, progress)
    except BadInputError as error:
        return ComparedOutcome(why_not=str(error))
    except KeyboardInterrupt:
        note(ComparedOutcome(deepcopy(done)))
        raise
    return ComparedOutcome(done, True, tuple(lines))
