"""One mutant, or the unmutated model, under watch: in a history, or in schedules of a scenario."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

from ipvs_est.language.operations import Operation
from ipvs_est.language.revision import Revision
from ipvs_est.language.violations import ViolationError
from ipvs_est_checks.explore.engine.memory.order import MemoryOrder
from ipvs_est_checks.explore.engine.outcome import Bounds, Figures
from ipvs_est_checks.explore.engine.run import run as run_search
from ipvs_est_checks.explore.engine.watch import WATCHED, Watch
from ipvs_est_checks.explore.engine.world import broken_history, enabled, start, step
from ipvs_est_checks.explore.failures.cause import cause_of
from ipvs_est_checks.explore.failures.hunt import hunt
from ipvs_est_checks.explore.scenarios.scenario import load
from ipvs_est_checks.explore.schedulers.dfs import Dfs
from ipvs_est_checks.explore.schedulers.scheduler import system_of
from ipvs_est_checks.history.monitor import Failure, run
from ipvs_est_checks.mutants.histories import TrialHistory
from ipvs_est_checks.mutants.mutant import Mutant
from ipvs_est_checks.text_edits import Edit, applied

# Operations that shrinking a history may take; what it has by then is kept.
SHRINKING_OPERATIONS = 1500
_ABOUT_RECALCULATION = frozenset({"progress.not-lost", "tasks.relinking"})
"""Properties that would tell a requested recalculation that is lost, or begins too early."""


@dataclass(frozen=True, slots=True)
class SeenHistory:
    """What watching showed."""

    failures: dict[str, Failure]
    """First failure of each property."""
    operations: int
    """Applied."""


def watched(
    base: Revision,
    history: TrialHistory,
    edits: Sequence[Edit],
    properties: frozenset[str] | None = None,
) -> SeenHistory:
    """Run the history on the base revision with these edits; `properties`: None = all."""
    with applied(edits):
        seen = run(history.params, base, history.operations, properties=properties)
    return SeenHistory(seen.failures, len(seen.operations))


def mutated(
    mutant: Mutant, history: TrialHistory, properties: frozenset[str] | None = None
) -> SeenHistory:
    """Run it on the mutant."""
    return watched(mutant.base, history, mutant.edits, properties)


def control(
    mutant: Mutant, history: TrialHistory, properties: frozenset[str] | None = None
) -> SeenHistory:
    """Run it on what the mutant is compared with."""
    return watched(mutant.base, history, (), properties)


@dataclass(frozen=True, slots=True)
class KillingSchedule:
    """A schedule of a scenario of the library in which a mutant breaks a property."""

    scenario: str
    choices: tuple[int, ...]
    preemptions: int


def breaks(mutant: Mutant, shown: TrialHistory | KillingSchedule, property_id: str) -> bool:
    """The mutant breaks the property there, and the unmutated model does not."""
    if isinstance(shown, TrialHistory):
        return _breaks_in_history(mutant, shown, property_id)
    with applied(mutant.edits):
        if not _breaks_in_schedule(mutant.base, shown, property_id):
            return False
    return not _breaks_in_schedule(mutant.base, shown, property_id)


def search(mutant: Mutant, property_id: str) -> tuple[KillingSchedule | None, Figures]:
    """Search the schedules of the mutant's scenario, within its bound, for one that kills it."""
    with applied(mutant.edits):
        seen = hunt(
            load(mutant.scenario),
            mutant.base,
            Bounds(mutant.preemptions),
            WATCHED & {property_id},
            lambda cause: cause.property == property_id,
        )
    for hit in seen.hits:
        if hit.cause.property == property_id:
            found = hit.found
            killing = KillingSchedule(mutant.scenario, found.choices, found.preemptions)
            return killing, seen.figures
    return None, seen.figures


@dataclass(frozen=True, slots=True)
class Comparison:
    """A mutant beside the unmutated model, both exhausted under store buffers."""

    equivalent: bool
    text: str


def under_buffers(mutant: Mutant) -> Comparison:
    """Exhaust the mutant's scenario under tso to its bound, with it and without it.

    It is equivalent if both reach the same abstract states in the same scopes and neither fails;
    more states with stores that wait show that it does let the store wait.
    """
    without, states_without, good = _exhausted(mutant, ())
    with_it, states_with, as_good = _exhausted(mutant, mutant.edits)
    same = good and as_good and without == with_it and states_with > states_without
    bound = f"{mutant.preemptions} preemption{'' if mutant.preemptions == 1 else 's'}"
    text = (
        f"scenario {mutant.scenario} under tso to {bound}: {states_without} states without it,"
        f" {states_with} with it, {len(without)} and {len(with_it)} abstract states, which are"
        f" {'the same' if without == with_it else 'NOT the same'}"
    )
    return Comparison(same, text if good and as_good else f"{text}; not exhausted, or it fails")


def _exhausted(mutant: Mutant, edits: Sequence[Edit]) -> tuple[frozenset[object], int, bool]:
    """The abstract states, how many states there are, and that none is left and nothing fails."""
    watch = Watch(_ABOUT_RECALCULATION)
    system = system_of(load(mutant.scenario), mutant.base, watch, MemoryOrder.TSO)
    with applied(edits):
        outcome = run_search(system, Dfs(mutant.preemptions), Bounds(mutant.preemptions))
    figures = outcome.figures
    good = figures.exhausted and not outcome.failures
    return frozenset(watch.verdicts), figures.states, good


def _breaks_in_schedule(base: Revision, shown: KillingSchedule, property_id: str) -> bool:
    """Whether the schedule, followed as far as the model can, breaks the property.

    A search of the unmutated model to the same bound is made for each mutant by `defects`.
    """
    world = start(load(shown.scenario), base, Watch(WATCHED & {property_id}))
    for choice in shown.choices:
        if choice not in enabled(world):
            return False
        try:
            step(world, choice)
        except ViolationError as error:
            return cause_of(world, error.violation).property == property_id
    late = broken_history(world)
    return late is not None and cause_of(world, late[1]).property == property_id


def _breaks_in_history(mutant: Mutant, history: TrialHistory, property_id: str) -> bool:
    only = frozenset({property_id})
    if not mutated(mutant, history, only).failures:
        return False
    return not control(mutant, history, only).failures


def shrunk(mutant: Mutant, history: TrialHistory, property_id: str, last: int) -> TrialHistory:
    """A shorter history in which the mutant still breaks the property, by leaving operations
    out: first those after the failure, then halves, quarters and so on."""
    operations = history.operations
    left = SHRINKING_OPERATIONS

    def fails(candidate: tuple[Operation, ...]) -> bool:
        nonlocal left
        left -= len(candidate)
        return breaks(mutant, replace(history, operations=candidate), property_id)

    if 0 <= last < len(operations) - 1 and fails(operations[: last + 1]):
        operations = operations[: last + 1]
    size = len(operations) // 2
    while size and left > 0:
        start = 0
        smaller = False
        while start < len(operations) and left > 0:
            candidate = operations[:start] + operations[start + size :]
            if fails(candidate):
                operations = candidate
                smaller = True
            else:
                start += size
        if size > 1:
            size //= 2
        elif not smaller:
            break
    return replace(history, operations=operations)
