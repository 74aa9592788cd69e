"""Random scenarios, as the explorer's generated searches have them."""

from hypothesis import HealthCheck, Phase, given, seed, settings

from ipvs_est import Params
from ipvs_est_checks.explore.scenarios.scenario import Scenario
from ipvs_est_checks.explore.scenarios.strategy import MOST_TASKS, scenarios
from ipvs_est_checks.hypothesis_runs import no_local_constants, nothing_left_behind


def make_scenarios(
    number: int,
    count: int,
    machine: Params | None = None,
    theme: str | None = None,
    most_tasks: int = MOST_TASKS,
) -> list[Scenario]:
    """At most that many different scenarios from the seed `number`; equal seeds, equal ones.

    The rest is as for the strategy.
    """
    made: dict[Scenario, None] = {}

    @seed(number)
    @settings(
        max_examples=count + 1,
        deadline=None,
        database=None,
        phases=(Phase.generate,),
        suppress_health_check=list(HealthCheck),
    )
    @given(scenarios(machine, theme, most_tasks))
    def keep(scenario: Scenario) -> None:
        made[scenario] = None

    with nothing_left_behind(), no_local_constants():
        keep()
    # Hypothesis begins with the simplest one, whatever the seed.
    return list(made)[1 : count + 1]
