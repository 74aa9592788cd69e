"""The reduced search of a scenario meets the states, the ways between them, the failures and the
broken properties of the whole one. `ipvs-est explore --reduction compare` does this for all."""

import pytest

from ipvs_est import REPAIRED, STABLE, Revision
from ipvs_est_checks.explore.reduction.compare import BothSearches, compare, difference
from ipvs_est_checks.explore.scenarios.scenario import load
from ipvs_est_checks.known.failures import ALREADY_KNOWN


@pytest.mark.parametrize(
    ("name", "revision"),
    [("last-estimator-goes", REPAIRED), ("exit-of-an-idle-netns", STABLE)],
)
def test_both_searches_come_to_the_same(name: str, revision: Revision) -> None:
    both = compare(load(name), revision, ALREADY_KNOWN.watched_by_default(revision))
    assert isinstance(both, BothSearches)
    assert difference(both) == ""
    assert both.reduced.figures.steps < 0.6 * both.whole.figures.steps
