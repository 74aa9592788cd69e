"""The mask of est_cpulist at netns exit: freed without est_mutex (F06), yet never used after."""

import json
from collections.abc import Mapping, Sequence

import pytest

from ipvs_est import MAINLINE, STABLE, V7, Revision
from ipvs_est_checks.explore.engine.outcome import Bounds
from ipvs_est_checks.explore.failures.hunt import hunt
from ipvs_est_checks.explore.scenarios.scenario import scenario_from_text


def with_services(number: int) -> str:
    """A netns with a cpulist and so many services goes away while the kthreads are restarted."""
    setup: Sequence[Mapping[str, object]] = (
        {"op": "init"},
        {"op": "add_service", "id": 1, "times": number},
        {"op": "write_cpulist", "text": "0"},
        {"op": "advance", "n": 250},
    )
    tasks = {"EXIT": [{"op": "exit"}], "SYSCTL": [{"op": "nice", "value": 1}]}
    return json.dumps({"scenario": 1, "about": "Exit.", "setup": setup, "tasks": tasks})


@pytest.mark.parametrize("revision", [V7, STABLE, MAINLINE], ids=lambda revision: revision.name)
@pytest.mark.parametrize("services", [1, 2])
def test_no_schedule_uses_a_freed_mask(revision: Revision, services: int) -> None:
    scenario = scenario_from_text("exit", with_services(services))
    seen = hunt(scenario, revision, Bounds(preemptions=2), frozenset())
    assert seen.figures.exhausted
    assert seen.figures.schedules > 300
    assert [hit.cause for hit in seen.hits] == []
