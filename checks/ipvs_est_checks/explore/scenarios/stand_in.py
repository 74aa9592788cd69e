"""Revisions whose searches are the same, so that one stands for both."""

from ipvs_est import V7, V7_UNWIND, Revision
from ipvs_est.language.operations import FailAllocations
from ipvs_est_checks.explore.scenarios.scenario import Scenario


def searched_on(scenario: Scenario, revision: Revision) -> Revision:
    """The revision on which a search of the scenario shows what there is on `revision`.

    v7-unwind differs from v7 in a single field, which is read only when the estimator of a service
    does not start. That takes an allocation that fails, and only an operation makes one fail. A
    test searches v7 with a field that must not be read.
    """
    if revision is not V7_UNWIND:
        return revision
    done = [scenario.setup, *(actor.operations for actor in scenario.actors)]
    fails = any(
        isinstance(operation, FailAllocations) for operations in done for operation in operations
    )
    return revision if fails else V7
