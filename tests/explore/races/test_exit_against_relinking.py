"""Netns exit of v7 and stable while kthread 0 relinks the total, which F12 put into kthread 1."""

from dataclasses import replace
from pathlib import Path

import pytest

from ipvs_est import MAINLINE, STABLE
from ipvs_est_checks.explore.engine.outcome import Bounds
from ipvs_est_checks.explore.failures.hunt import hunt
from ipvs_est_checks.explore.scenarios.scenario import Scenario, scenario_from_text

_FILE = Path(__file__).parents[2] / "data/scenarios/exit-against-relinking.json"
_COUNTS = frozenset({"counts.chain-len", "counts.tick-len", "counts.est-count"})
# F04 and F23 end the schedules in which the total is relinked.
_BEHIND_THEM = replace(
    STABLE,
    relinked_delay_from_loop=True,
    kd0_until_exit=True,
)


@pytest.fixture(scope="module")
def relinking() -> Scenario:
    return scenario_from_text(_FILE.stem, _FILE.read_text())


def test_relinking_ends_in_f04_or_f23_or_a_deadlock_with_exit(relinking: Scenario) -> None:
    hits = hunt(relinking, STABLE, Bounds(1), _COUNTS).hits
    assert {hit.cause.property for hit in hits} == {"memory.use-after-free", "locks.deadlock"}


def test_behind_those_exit_finds_the_slot_of_its_stale_place_gone(relinking: Scenario) -> None:
    hits = hunt(relinking, _BEHIND_THEM, Bounds(1), frozenset()).hits
    texts = {hit.cause.text for hit in hits if hit.cause.property == "bitmaps.in-range"}
    assert texts == {
        "index-out-of-range: thing=est_kt_arr, index=1, size=1, where=ip_vs_stop_estimator"
    }


def test_on_mainline_the_total_is_stopped_under_the_mutex(relinking: Scenario) -> None:
    assert hunt(relinking, MAINLINE, Bounds(1), _COUNTS).hits == ()
