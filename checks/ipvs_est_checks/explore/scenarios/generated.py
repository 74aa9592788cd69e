"""Scenarios that Hypothesis makes, each searched as those of the library are."""

import contextlib
from dataclasses import dataclass, replace

from hypothesis import HealthCheck, Phase, given, seed, settings

from ipvs_est import Revision
from ipvs_est_checks.explore.engine.outcome import Bounds
from ipvs_est_checks.explore.engine.watch import WATCHED
from ipvs_est_checks.explore.failures.hunt import Hit, hunt
from ipvs_est_checks.explore.scenarios.scenario import Scenario
from ipvs_est_checks.explore.scenarios.strategy import scenarios
from ipvs_est_checks.hypothesis_runs import no_local_constants, nothing_left_behind


@dataclass(frozen=True, slots=True)
class Generated:
    """What the scenarios so far have shown."""

    scenarios: int = 0
    schedules: int = 0
    exhausted: int = 0
    """Scenarios of which no schedule within the bounds is left."""
    failure: tuple[Scenario, Hit] | None = None
    """The smallest scenario with an unexplained failure, and its first schedule."""


class _UnexplainedError(Exception):
    """Makes Hypothesis shrink the scenario."""


def search_generated(
    revision: Revision,
    bounds: Bounds,
    examples: int,
    number: int,
    known: frozenset[str] = frozenset(),
) -> Generated:
    """Search that many scenarios from the seed `number`; properties in `known` may fail."""
    done = Generated()

    @seed(number)
    @settings(
        max_examples=examples,
        deadline=None,
        database=None,
        phases=(Phase.generate, Phase.shrink),
        suppress_health_check=list(HealthCheck),
    )
    @given(scenarios())
    def search(scenario: Scenario) -> None:
        nonlocal done
        seen = hunt(scenario, revision, bounds, WATCHED - known)
        unknown = [hit for hit in seen.hits if hit.cause.property not in known]
        if not unknown and done.failure is None:
            done = replace(
                done,
                scenarios=done.scenarios + 1,
                schedules=done.schedules + seen.figures.schedules,
                exhausted=done.exhausted + seen.figures.exhausted,
            )
        if unknown:
            done = replace(done, failure=(scenario, unknown[0]))
            raise _UnexplainedError

    # That error only ends Hypothesis' search: what it found is in `done`.
    with nothing_left_behind(), no_local_constants(), contextlib.suppress(_UnexplainedError):
        search()
    return done
