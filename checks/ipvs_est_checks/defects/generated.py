"""Which known defects show in scenarios that nobody wrote.

Hypothesis makes scenarios from a seed; each is searched on a revision, and what fails is told
apart by the signs of the table. It shows that the table does not depend on how the library's
scenarios were chosen.
"""

from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass, field

from hypothesis import HealthCheck, Phase, given, seed, settings

from ipvs_est import Revision
from ipvs_est_checks.defects.table import DefectKind, DefectRow
from ipvs_est_checks.explore.engine.outcome import Bounds
from ipvs_est_checks.explore.failures.cause import shows
from ipvs_est_checks.explore.failures.hunt import Hit, hunt
from ipvs_est_checks.explore.scenarios.scenario import Scenario, scenario_text
from ipvs_est_checks.explore.scenarios.strategy import scenarios
from ipvs_est_checks.hypothesis_runs import no_local_constants, nothing_left_behind
from ipvs_est_spec.catalogue import VIOLATION_PROPERTIES

SCHEDULES = 6000
"""Of one search; the largest scenarios have more within the bound."""
PREEMPTIONS = 3
"""Bound: as many as the row that needs most."""
_RAISED = frozenset(prop.id for prop in VIOLATION_PROPERTIES)


@dataclass(frozen=True, slots=True)
class First:
    """The first scenario that shows a defect."""

    number: int
    """Of scenarios, from 1."""
    scenario: Scenario
    hit: Hit


@dataclass(slots=True)
class SeenDefects:
    """What the scenarios so far have shown; it grows, so that an interrupt loses nothing."""

    first: dict[str, First] = field(default_factory=dict)
    """By id of the row."""
    scenarios: int = 0
    schedules: int = 0


class _AllShownError(Exception):
    """Ends the search."""


def rows_of(rows: Sequence[DefectRow], revision: Revision) -> tuple[DefectRow, ...]:
    """Those that the revision has as it is."""
    return tuple(
        row for row in rows if row.kind is DefectKind.DEFECT and revision.name in row.revisions
    )


def search_defects(
    rows: Sequence[DefectRow],
    revision: Revision,
    bounds: Bounds,
    examples: int,
    number: int,
    seen: SeenDefects,
    progress: Callable[[int], None],
) -> None:
    """Search that many scenarios of the seed `number`, or until each of the rows has shown.

    A broken property ends a schedule and hides what would follow, so rows that watch different
    ones are searched for apart.
    """

    @seed(number)
    @settings(
        max_examples=examples,
        deadline=None,
        database=None,
        phases=(Phase.generate,),
        suppress_health_check=list(HealthCheck),
    )
    @given(scenarios())
    def search(scenario: Scenario) -> None:
        _search_one(rows, scenario, revision, bounds, seen)
        progress(seen.scenarios)
        if len(seen.first) == len(rows):
            raise _AllShownError

    with nothing_left_behind(), no_local_constants(), suppress(_AllShownError):
        search()


def _search_one(
    rows: Sequence[DefectRow],
    scenario: Scenario,
    revision: Revision,
    bounds: Bounds,
    seen: SeenDefects,
) -> None:
    number = seen.scenarios + 1
    missing = [row for row in rows if row.id not in seen.first]
    for watched in dict.fromkeys(_watched(defect_row) for defect_row in missing):
        searched = hunt(scenario, revision, bounds, watched)
        seen.schedules += searched.figures.schedules
        for hit in searched.hits:
            for row in missing:
                if any(shows(sign, hit.cause) for sign in row.signs):
                    seen.first.setdefault(row.id, First(number, scenario, hit))
    seen.scenarios = number


def _watched(row: DefectRow) -> frozenset[str]:
    """Properties that have to be watched; the others raise themselves."""
    return frozenset(sign.property for sign in row.signs if sign.property not in _RAISED)


def lines(rows: Sequence[DefectRow], seen: SeenDefects) -> Iterator[str]:
    """A row for each defect: where it showed first, and that scenario."""
    yield "id    scenario  preempt  switches  what"
    for row in rows:
        first = seen.first.get(row.id)
        if first is None:
            yield f"{row.id:<4}  {'-':<8}  {'-':<7}  {'-':<8}  {row.title}"
            continue
        found = first.hit.found
        switches = first.hit.best.switches
        yield (
            f"{row.id:<4}  {first.number:<8}  {found.preemptions:<7}  {switches:<8}  {row.title}"
        )
        yield f"      {scenario_text(first.scenario)}"
    yield (
        f"{len(seen.first)} of {len(rows)} defects in {seen.scenarios} scenarios,"
        f" {seen.schedules} schedules"
    )
