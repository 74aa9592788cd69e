"""The induction's counterexamples are states of the model: the step taken there breaks them."""

from collections import Counter

import pytest

from ipvs_est import REVISIONS
from ipvs_est_checks.proving.counterexamples.loading import loaded
from ipvs_est_checks.proving.counterexamples.states import (
    StepReplay,
    broken,
    row_replay,
    twin_replay,
)
from ipvs_est_checks.proving.counterexamples.steps import NO_MEMORY, take
from ipvs_est_checks.proving.counterexamples.wrong_steps import WRONG_STEPS as EDITS
from ipvs_est_spec.proof.framework.solve import seed_z3
from ipvs_est_spec.proof.inductive.concrete import SIZES
from ipvs_est_spec.proof.inductive.states.geometries import FULL, PREEMPT
from ipvs_est_spec.proof.inductive.table import ProofKind, ProofRow, table
from ipvs_est_spec.proof.inductive.twins import WRONG_STEPS

REFUTED = [
    (row, name, geometry)
    for row in table()
    if row.kind is ProofKind.REFUTED
    for geometry in row.geometries
    for name in row.revisions
]


def _shown(replay: StepReplay | None, invariant: str) -> StepReplay:
    assert replay is not None, "no small state"
    assert replay.broken_before == ()
    assert invariant in replay.broken_after
    return replay


def test_every_wrong_step_is_one_of_the_model() -> None:
    assert EDITS.keys() == WRONG_STEPS.keys()


@pytest.mark.parametrize("seed", [0, 7])
@pytest.mark.parametrize("invariant", WRONG_STEPS)
def test_state_of_a_twin_loses_the_invariant_by_the_wrong_step(invariant: str, seed: int) -> None:
    seed_z3(seed)
    _shown(twin_replay(invariant), invariant)


@pytest.mark.parametrize("invariant", [id_ for id_, edits in EDITS.items() if edits])
def test_the_right_step_keeps_the_invariant_in_the_same_state(invariant: str) -> None:
    replay = _shown(twin_replay(invariant), invariant)
    machine = loaded(replay.state, REVISIONS[replay.revision])
    take(machine, replay.step, replay.case, replay.state)
    # A new cpulist may allow fewer kthreads than there are.
    config = {proof_row.invariant for proof_row in table() if proof_row.finding == "config"}
    allowed = config if replay.step == "cpulist" else set()
    assert config == {"limits.threads"}
    assert set(broken(machine)) <= allowed


@pytest.mark.parametrize(
    ("row", "revision", "geometry"),
    REFUTED,
    ids=lambda value: value if isinstance(value, str) else f"{value.invariant}-{value.step}",
)
def test_state_of_a_finding_loses_the_invariant_on_its_revision(
    row: ProofRow, revision: str, geometry: str
) -> None:
    replay = _shown(row_replay(row, REVISIONS[revision], SIZES[geometry]), row.invariant)
    assert replay.state.params.preempt_rcu is (geometry == PREEMPT)
    assert (replay.case == NO_MEMORY) is (row.case == NO_MEMORY)


def test_number_of_counterexamples_of_findings_that_are_replayed() -> None:
    found = Counter(row.finding for row, _, _ in REFUTED)
    assert found == {
        "F02": 4,
        "F11": 16,
        "F12": 8,
        "F13": 24,
        "F14": 20,
        "F21": 8,
        "F23": 6,
        "F26": 6,
        "config": 10,
    }


def test_a_step_that_breaks_nothing_has_no_counterexample() -> None:
    """On repaired the same rows are proved: no state of the size that shows them elsewhere."""
    tried = 0
    for row, name, geometry in REFUTED:
        if "repaired" not in row.revisions and (name, geometry) == ("mainline", FULL):
            sizes = SIZES[FULL][1:2] if row.finding == "F11" else SIZES[FULL][:1]
            assert row_replay(row, REVISIONS[name], sizes) is not None
            assert row_replay(row, REVISIONS["repaired"], sizes) is None
            tried += 1
    assert tried == 8
