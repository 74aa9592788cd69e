"""Counterexamples of the induction: a state is loaded into the model and the step is taken there.

Before the step every invariant has to hold of the machine, after it one has not to; both are the
predicates themselves, over Python's values.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from ipvs_est import REVISIONS, Revision
from ipvs_est.answers.snapshot import take_snapshot
from ipvs_est.state.machine import Machine
from ipvs_est_checks.proving.counterexamples.loading import loaded
from ipvs_est_checks.proving.counterexamples.steps import take
from ipvs_est_checks.proving.counterexamples.wrong_steps import WRONG_STEPS as EDITS
from ipvs_est_checks.text_edits import Edit, applied
from ipvs_est_spec.algebra.python_algebra import PythonAlgebra
from ipvs_est_spec.proof.inductive.concrete import SIZES, Build, Concrete, Size, smallest
from ipvs_est_spec.proof.inductive.goals import INVARIANTS
from ipvs_est_spec.proof.inductive.states.geometries import FULL
from ipvs_est_spec.proof.inductive.states.symbols import INPUTS
from ipvs_est_spec.proof.inductive.steps import BY_ID
from ipvs_est_spec.proof.inductive.table import ProofKind, ProofRow, table
from ipvs_est_spec.proof.inductive.twins import WRONG_STEPS, wrong_change
from ipvs_est_spec.state.snapshot_state import snapshot_state

_ALGEBRA = PythonAlgebra()


@dataclass(frozen=True, slots=True)
class StepReplay:
    """What taking a step has shown."""

    revision: str
    step: str
    case: str
    state: Concrete
    broken_before: tuple[str, ...]
    """Invariants that do not hold before it: none has to be."""
    broken_after: tuple[str, ...]


def twin_replay(invariant: str) -> StepReplay | None:
    """Of the wrong step that does not preserve the invariant; None if no small state shows it."""
    wrong = WRONG_STEPS[invariant]
    return _replay(
        invariant,
        wrong.step,
        wrong.case,
        wrong.revision,
        lambda state: wrong_change(state, wrong),
        EDITS[invariant],
    )


def finding_replays(invariant: str, finding: str) -> Iterator[tuple[ProofRow, StepReplay | None]]:
    """Of each step that a finding lets break the invariant, in each of its geometries on each of
    its revisions."""
    for row in table():
        if (row.invariant, row.kind, row.finding) != (invariant, ProofKind.REFUTED, finding):
            continue
        for geometry in row.geometries:
            for name in row.revisions:
                yield row, row_replay(row, REVISIONS[name], SIZES[geometry])


def row_replay(
    row: ProofRow, revision: Revision, sizes: Sequence[Size] = SIZES[FULL]
) -> StepReplay | None:
    """Of one refuted row of the table."""
    return _replay(
        row.invariant,
        row.step,
        row.case,
        revision,
        lambda state: BY_ID[row.step].build(state, revision, INPUTS)[row.case],
        (),
        sizes,
    )


def _replay(
    invariant: str,
    step: str,
    case: str,
    revision: Revision,
    build: Build,
    edits: Sequence[Edit],
    sizes: Sequence[Size] = SIZES[FULL],
) -> StepReplay | None:
    state = smallest(invariant, step, build, sizes)
    if state is None:
        return None
    machine = loaded(state, revision)
    before = broken(machine)
    with applied(edits):
        take(machine, step, case, state)
    return StepReplay(revision.name, step, case, state, before, broken(machine))


def broken(machine: Machine) -> tuple[str, ...]:
    """Ids of the induction's invariants that do not hold of the machine as it is now."""
    state = snapshot_state(_ALGEBRA, machine.params, take_snapshot(machine))
    return tuple(id_ for id_, invariant in INVARIANTS.items() if not invariant.predicate(state))
