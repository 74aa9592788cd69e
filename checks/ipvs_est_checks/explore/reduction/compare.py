"""The reduced search of a scenario beside the whole one: they have to come to the same."""

from collections.abc import Mapping
from dataclasses import dataclass
from math import inf

from ipvs_est import Revision
from ipvs_est_checks.explore.engine.outcome import Bounds, Figures, failure_key
from ipvs_est_checks.explore.engine.run import Tally, run
from ipvs_est_checks.explore.engine.watch import Watch
from ipvs_est_checks.explore.scenarios.scenario import Scenario
from ipvs_est_checks.explore.schedulers.exhaustive import (
    Exhaustive,
    Reduction,
    closed_exhaustive,
)
from ipvs_est_checks.explore.schedulers.scheduler import system_of, with_footprints


@dataclass(frozen=True, slots=True)
class SearchedGraph:
    """What one of the two has come to."""

    figures: Figures
    states: frozenset[bytes]
    """With a choice."""
    ways: Mapping[bytes, Mapping[int, bytes]]
    """By state and choice: the next state with one."""
    failures: frozenset[str]


@dataclass(frozen=True, slots=True)
class BothSearches:
    """The two searches."""

    whole: SearchedGraph
    reduced: SearchedGraph


def compare(
    scenario: Scenario, revision: Revision, watched: frozenset[str], until: float = inf
) -> BothSearches | None:
    """Search both ways; None if the time is over, by the monotonic clock, before both have
    ended."""
    searched = []
    for reduction in (Reduction.SLEEP, Reduction.NONE):
        one = _search(scenario, revision, watched, reduction, until)
        if not one.figures.exhausted:
            return None
        searched.append(one)
    reduced, whole = searched
    return BothSearches(whole, reduced)


def _search(
    scenario: Scenario,
    revision: Revision,
    watched: frozenset[str],
    reduction: Reduction,
    until: float,
) -> SearchedGraph:
    system = system_of(scenario, revision, Watch(watched) if watched else None)
    search, tally = Exhaustive(reduction), Tally()
    outcome = run(
        with_footprints(system) if reduction is Reduction.SLEEP else system,
        search,
        Bounds(schedules=10**12),
        keep_going=True,
        tally=tally,
        until=until,
    )
    outcome = closed_exhaustive(system, outcome, search)
    ways = {
        state: {choice: to for choice, (_, to) in node.out.items()}
        for state, node in search.graph.states.items()
    }
    failures = frozenset(failure_key(failure.violation) for failure in outcome.failures)
    return SearchedGraph(outcome.figures, frozenset(tally.states), ways, failures)


def difference(both: BothSearches) -> str:
    """What differs, '' = nothing. Where schedules fail, all that is compared is whether one does:
    the reduced search is not trusted any further then."""
    whole, reduced = both.whole, both.reduced
    if bool(whole.failures) != bool(reduced.failures):
        return "one of them fails and the other does not"
    if whole.failures:
        return ""
    if whole.states != reduced.states:
        return f"{len(whole.states ^ reduced.states)} states are met by one of them only"
    if whole.ways != reduced.ways:
        return "the ways between the states are not the same"
    return ""
