"""Judge the table of known defects: search each row's scenarios on each revision."""

from collections.abc import Callable, Iterator, Sequence
from contextlib import nullcontext
from dataclasses import dataclass
from functools import partial
from itertools import pairwise
from time import process_time
from typing import assert_never

from ipvs_est import REVISIONS, Revision
from ipvs_est.language.events import Enqueued
from ipvs_est_checks.defects.table import DefectKind, DefectRow
from ipvs_est_checks.explore.engine.outcome import Bounds, switches
from ipvs_est_checks.explore.engine.watch import Watch
from ipvs_est_checks.explore.engine.world import enabled, start, step
from ipvs_est_checks.explore.failures.cause import Cause, shows
from ipvs_est_checks.explore.failures.hunt import Hit, Hunt, hunt, shortest
from ipvs_est_checks.explore.failures.token import token_text
from ipvs_est_checks.explore.scenarios.scenario import load
from ipvs_est_checks.report.verdict import Verdict
from ipvs_est_checks.text_edits import applied
from ipvs_est_checks.workers import Lost, Pool, ignore

PREEMPTIONS = 2
"""Bound of a row that has none of its own."""


@dataclass(frozen=True, slots=True)
class ShownDefect:
    """How a failure was found first, and its shortest schedule."""

    scenario: str
    property: str
    text: str
    """What the failure says."""
    schedules: int
    seconds: float
    """Processor time until it was found."""
    preemptions: int
    switches: int
    """Between tasks, in the shortest schedule; the passing of time is none."""
    context_switches: int
    """From one column of its timeline to another, so those to time and back as well."""
    fewest: bool | None
    """No schedule fails so with fewer of these: all were searched. None: it was not reduced."""
    steps: int
    token: str


@dataclass(frozen=True, slots=True)
class Cell:
    """A row on one revision."""

    revision: str
    wanted: bool
    """It has to show here."""
    shown: ShownDefect | None
    stray: tuple[str, ...]
    """What must not show, and does."""
    exhausted: bool
    """All schedules within the bound were run."""
    schedules: int
    """In all."""
    seconds: float

    @property
    def verdict(self) -> Verdict:
        """PASS: as listed."""
        if self.stray or (self.shown is not None) != self.wanted:
            # What was not found may be in what was not searched.
            missed = self.shown is None and not self.stray and not self.exhausted
            return Verdict.INCOMPLETE if missed else Verdict.FAIL
        return Verdict.PASS if self.wanted or self.exhausted else Verdict.INCOMPLETE


@dataclass(frozen=True, slots=True)
class RowResult:
    """What became of a row."""

    row: DefectRow
    cells: tuple[Cell, ...]
    preemptions: int = PREEMPTIONS
    """Bound of its searches."""
    lost: str = ""
    """Why nothing is known of it; '' = it was judged."""

    @property
    def verdict(self) -> Verdict:
        """The worst of the cells."""
        if self.lost:
            return Verdict.INCOMPLETE
        found = {cell.verdict for cell in self.cells}
        for verdict in (Verdict.FAIL, Verdict.INCOMPLETE):
            if verdict in found:
                return verdict
        return Verdict.PASS


def judge(row: DefectRow, bounds: Bounds | None = None) -> RowResult:
    """Search for one row, to these bounds; None: to the row's own, or else the default one."""
    bounds = bounds or _own_bounds(row)
    match row.kind:
        case DefectKind.DEFECT | DefectKind.INJECTED:
            cells = [_cell(row, revision, bounds, edited=True) for revision in REVISIONS.values()]
        case DefectKind.MUTANT:
            base = REVISIONS[row.revisions[0]]
            cells = [_cell(row, base, bounds, edited=flag) for flag in (True, False)]
        case DefectKind.CONTROL:
            cells = [_control(row, REVISIONS[revision], bounds) for revision in row.revisions]
        case DefectKind.BOUND:
            cells = [_bound(row, revision) for revision in REVISIONS.values()]
        case _:
            assert_never(row.kind)
    # Shown in the schedule that nothing preempts.
    searched = 0 if row.kind is DefectKind.BOUND else bounds.preemptions
    return RowResult(row, tuple(cells), searched)


def _own_bounds(row: DefectRow) -> Bounds:
    return Bounds(PREEMPTIONS if row.preemptions is None else row.preemptions)


def _cell(row: DefectRow, revision: Revision, bounds: Bounds, *, edited: bool) -> Cell:
    """A mutant's second cell is its base without the edits."""
    began = process_time()
    wanted = edited and revision.name in row.revisions
    properties = frozenset(sign.property for sign in row.signs)
    schedules = 0
    exhausted = True
    shown: ShownDefect | None = None

    def enough(cause: Cause) -> bool:
        # The catalogue tells no history of a mutant, to which the shortest could be compared.
        return row.kind is DefectKind.MUTANT and wanted and _is(row, cause)

    with applied(row.edits) if edited and row.edits else nullcontext():
        for name in row.scenarios:
            scenario = load(name)
            seen = hunt(scenario, revision, bounds, properties, enough)
            schedules += seen.figures.schedules
            exhausted &= seen.figures.exhausted
            hit = next((hit for hit in seen.hits if _is(row, hit.cause)), None)
            if hit is not None:
                shown = _shown(row, name, revision, hit, properties)
                break
    return Cell(revision.name, wanted, shown, (), exhausted, schedules, process_time() - began)


def _is(row: DefectRow, cause: Cause) -> bool:
    return any(shows(sign, cause) for sign in row.signs)


def _shown(
    row: DefectRow, name: str, revision: Revision, hit: Hit, properties: frozenset[str]
) -> ShownDefect:
    scenario = load(name)
    reduced = shortest(scenario, revision, hit.best, properties)
    found = reduced.found
    tasks = [choice for choice in found.choices if choice >= 0]
    return ShownDefect(
        name,
        hit.cause.property,
        hit.cause.text,
        hit.schedules,
        hit.seconds,
        hit.found.preemptions,
        sum(left != right for left, right in pairwise(tasks)),
        found.switches,
        reduced.fewest,
        len(found.choices),
        "" if row.edits else token_text(scenario, revision, found.choices),
    )


def _control(row: DefectRow, revision: Revision, bounds: Bounds) -> Cell:
    began = process_time()
    schedules = 0
    exhausted = True
    stray: set[str] = set()
    for name in row.scenarios:
        seen = _hunt_control(row, name, revision, bounds)
        schedules += seen.figures.schedules
        exhausted &= seen.figures.exhausted
        if row.signs:
            stray |= {hit.cause.text for hit in seen.hits if _is(row, hit.cause)}
        else:
            base = hunt(load(name), revision, bounds)
            known = {hit.cause for hit in base.hits}
            stray |= {hit.cause.text for hit in seen.hits if hit.cause not in known}
    return Cell(
        revision.name,
        False,
        None,
        tuple(sorted(stray)),
        exhausted,
        schedules,
        process_time() - began,
    )


def _hunt_control(row: DefectRow, name: str, revision: Revision, bounds: Bounds) -> Hunt:
    with applied(row.edits) if row.edits else nullcontext():
        if row.signs:
            properties = frozenset(sign.property for sign in row.signs)
            return hunt(load(name), revision, bounds, properties)
        return hunt(load(name), revision, bounds)


def _bound(row: DefectRow, revision: Revision) -> Cell:
    """In the schedule without preemptions: relinked estimators that do not get the row of the
    delay that they had left."""
    began = process_time()
    (name,) = row.scenarios
    scenario = load(name)
    world = start(scenario, revision, Watch(frozenset({"delay.relinked-row"})))
    choices: list[int] = []
    while available := enabled(world):
        choices.append(available[0])
        step(world, available[0])
    late = [
        event
        for event in world.machine.events or ()
        if isinstance(event, Enqueued)
        and event.delay < scenario.params.nticks - 1
        and event.row != event.crow
    ]
    shown: ShownDefect | None = None
    if late:
        first = late[0]
        text = f"estimator {first.id}: wanted row {first.crow}, got row {first.row}"
        token = token_text(scenario, revision, choices)
        seconds = process_time() - began
        tasks = switches(choices)
        shown = ShownDefect(name, "", text, 1, seconds, 0, 0, tasks, None, len(choices), token)
    return Cell(revision.name, True, shown, (), True, 1, process_time() - began)


def judge_all(
    rows: Sequence[DefectRow],
    bounds: Bounds | None,
    jobs: int,
    waiting: Callable[[str], None] = ignore,
) -> Iterator[RowResult]:
    """The results in order, found by that many processes; `bounds` as in `judge`, `waiting` as of
    `Pool`."""
    with Pool(min(jobs, len(rows)), waiting=waiting) as pool:
        for row, result in pool.map(
            partial(_judge, bounds), rows, lambda defect_row: defect_row.id
        ):
            if isinstance(result, Lost):
                preemptions = (bounds or _own_bounds(row)).preemptions
                yield RowResult(row, (), preemptions, result.why)
            else:
                yield result


def _judge(bounds: Bounds | None, row: DefectRow) -> RowResult:
    return judge(row, bounds)
