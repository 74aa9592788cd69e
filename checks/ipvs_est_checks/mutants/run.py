"""One mutant, or the unmutated model, under watch in one scenario."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

from ipvs_est.language.operations import Operation
from ipvs_est.language.revision import Revision
from ipvs_est_checks.history.monitor import Failure, run
from ipvs_est_checks.mutants.histories import PlannedHistory
from ipvs_est_checks.mutants.mutant import Mutant
from ipvs_est_checks.mutants.schedule import interrupted
from ipvs_est_checks.text_edits import Edit, applied

# Operations that shrinking a history may take; what it has by then is kept.
SHRINKING_OPERATIONS = 1500


@dataclass(frozen=True, slots=True)
class SeenHistory:
    """What watching showed."""

    failures: dict[str, Failure]
    """First failure of each property."""
    operations: int
    """Applied."""


def watched(
    base: Revision,
    scenario: PlannedHistory,
    edits: Sequence[Edit],
    properties: frozenset[str] | None = None,
) -> SeenHistory:
    """Run the scenario on the base revision with these edits; `properties`: None = all."""
    with applied(edits):
        new_oracle = interrupted(scenario.plan)
        seen = run(scenario.params, base, scenario.operations, new_oracle, properties)
    return SeenHistory(seen.failures, len(seen.operations))


def mutated(
    mutant: Mutant, scenario: PlannedHistory, properties: frozenset[str] | None = None
) -> SeenHistory:
    """Run it on the mutant."""
    return watched(mutant.base, scenario, mutant.edits, properties)


def control(
    mutant: Mutant, scenario: PlannedHistory, properties: frozenset[str] | None = None
) -> SeenHistory:
    """Run it on what the mutant is compared with."""
    return watched(mutant.base, scenario, (), properties)


def breaks(mutant: Mutant, scenario: PlannedHistory, property_id: str) -> bool:
    """The mutant breaks the property in that scenario, and the unmutated model does not."""
    only = frozenset({property_id})
    if not mutated(mutant, scenario, only).failures:
        return False
    return not control(mutant, scenario, only).failures


def shrunk(mutant: Mutant, scenario: PlannedHistory, property_id: str, step: int) -> PlannedHistory:
    """A shorter scenario in which the mutant still breaks the property, by leaving operations
    out: first those after the failure, then halves, quarters and so on."""
    operations = scenario.operations
    left = SHRINKING_OPERATIONS

    def fails(candidate: tuple[Operation, ...]) -> bool:
        nonlocal left
        left -= len(candidate)
        return breaks(mutant, replace(scenario, operations=candidate), property_id)

    if 0 <= step < len(operations) - 1 and fails(operations[: step + 1]):
        operations = operations[: step + 1]
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
    return replace(scenario, operations=operations)
