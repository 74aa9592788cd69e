"""What the induction assumes of a step is what the model does, and its table is complete."""

from collections import Counter
from functools import cache
from types import FunctionType

import pytest

from ipvs_est import REVISIONS, OperationError, Oracle, Params, ViolationError
from ipvs_est.language.operations import (
    Advance,
    Cleanup,
    Delete,
    Disable,
    InitNetns,
    Operation,
    StartService,
)
from ipvs_est_checks.known.by_history import BY_HISTORY, history_of
from ipvs_est_checks.text_edits import applied, function_edit
from ipvs_est_spec.proof.framework.solve import Decision, Options, Z3Solver, ask
from ipvs_est_spec.proof.inductive import changes
from ipvs_est_spec.proof.inductive import theorems as theorems_module
from ipvs_est_spec.proof.inductive.auxiliary import AUXILIARY
from ipvs_est_spec.proof.inductive.goals import INVARIANTS, change_of, held_after, held_before
from ipvs_est_spec.proof.inductive.states.facts import EMPTY, FACTS
from ipvs_est_spec.proof.inductive.states.geometries import FULL, GEOMETRIES, PREEMPT
from ipvs_est_spec.proof.inductive.states.symbols import INPUTS, any_state
from ipvs_est_spec.proof.inductive.steps import STEPS
from ipvs_est_spec.proof.inductive.table import COLUMNS, ProofKind, parse, table, written
from ipvs_est_spec.proof.inductive.theorems import goals_of, theorems, unrecorded
from ipvs_est_spec.proof.inductive.twins import WRONG_STEPS
from model import TINY
from projected import Steps, watched
from sampled import random_history

HISTORIES = 64
CLEANUP = (Disable(), Delete(1), Cleanup())
"""The end of the estimators in a netns that goes on."""


def drive(steps: Steps, params: Params, revision: str, operations: list[Operation]) -> None:
    """Apply a history under watch, as far as it goes."""
    with watched(steps):
        oracle = Oracle(params, REVISIONS[revision])
        for operation in operations:
            try:
                oracle.apply(operation)
            except OperationError:
                continue
            except ViolationError:
                return
            if oracle.ended:
                return


@cache
def observed() -> tuple[tuple[str, Steps], ...]:
    """The steps of random histories, all revisions in turn, each with its revision."""
    found: list[tuple[str, Steps]] = []
    for seed in range(HISTORIES):
        params, operations = random_history(seed)
        if params.nticks < 10:
            steps = Steps()
            name = list(REVISIONS)[seed % len(REVISIONS)]
            drive(steps, params, name, operations)
            found.append((name, steps))
    for id_, name in (("F09", "v7"), ("F21", "mainline"), ("F21", "stable"), ("F21", "repaired")):
        (finding,) = (finding for finding in BY_HISTORY if finding.id == id_)
        history = history_of(finding, name)
        steps = Steps()
        drive(steps, history.header.params, name, list(history.operations))
        found.append((name, steps))
    for name in REVISIONS:
        steps = Steps()
        drive(steps, TINY, name, [InitNetns(), StartService(1), Advance(300), *CLEANUP])
        found.append((name, steps))
    return tuple(found)


def test_every_step_of_random_histories_is_a_step_of_the_induction() -> None:
    assert [wrong for _, steps in observed() for wrong in steps.wrong] == []


def test_random_histories_take_every_case_of_every_step() -> None:
    seen: Counter[str] = Counter()
    for _, steps in observed():
        seen += steps.seen
    state = any_state(GEOMETRIES[FULL])
    cases = {
        f"{step.id}: {case}"
        for step in STEPS
        for revision in REVISIONS.values()
        for case in step.build(state, revision, INPUTS)
    }
    assert cases - seen.keys() == set()
    assert sum(seen.values()) > 3000


@pytest.mark.parametrize(
    ("function", "old", "new"),
    [
        (
            changes.enqueued,
            "chain_full, a.at_most(state.tick_max",
            "chain_full, a.less(state.tick_max",
        ),
        (changes.taken_off_chain, "row), a.truth(True))", "row), state.avail(slot, row))"),
        (
            changes.stopped,
            "a.less(slot, state.est_add_ktid), slot",
            "a.less(state.est_add_ktid, slot), slot",
        ),
        (changes.slot_cleared, "a.less(kt_count, old)", "a.less(old, kt_count)"),
    ],
    ids=lambda value: getattr(value, "__name__", ""),
)
def test_a_wrong_step_is_noticed(function: FunctionType, old: str, new: str) -> None:
    steps = Steps()
    for seed in range(3, HISTORIES, 4):
        params, operations = random_history(seed)
        if params.nticks < 10:
            with applied([function_edit(function, old, new)]):
                drive(steps, params, "repaired", operations)
        if steps.wrong:
            return
    raise AssertionError


def test_facts_and_auxiliary_invariants_hold_in_the_model() -> None:
    states = [
        state for name, steps in observed() if name == "repaired" for state in steps.states[::8]
    ]
    assert len(states) > 60
    for state in states:
        assert [fact.id for fact in (*FACTS, EMPTY) if not fact.predicate(state)] == []
        assert [auxiliary.id for auxiliary in AUXILIARY if not auxiliary.predicate(state)] == []


# The table


def test_table_has_each_invariant_step_case_and_revision_once() -> None:
    found = Counter(
        (row.invariant, row.step, row.case, geometry, name)
        for row in table()
        for geometry in row.geometries
        for name in row.revisions
    )
    state = any_state(GEOMETRIES[FULL])
    cases = [
        (step.id, case, name)
        for step in STEPS
        for name, revision in REVISIONS.items()
        for case in step.build(state, revision, INPUTS)
    ]
    wanted = Counter(
        (invariant, step, case, geometry, name)
        for invariant in INVARIANTS
        for geometry in GEOMETRIES
        for step, case, name in cases
    )
    left_out = Counter(
        (invariant, *place) for invariant in INVARIANTS for place in unrecorded(invariant)
    )
    assert found + left_out == wanted
    assert not found & left_out


def test_table_is_read_as_it_is_written() -> None:
    assert parse(written(table())) == table()
    for bad in ("", "a\tb\n", "\t".join(COLUMNS) + "\nx\n"):
        with pytest.raises(ValueError, match="column"):
            parse(bad)


def test_untouched_invariants_are_the_same_formula_before_and_after() -> None:
    assert not [row for row in table() if row.kind is ProofKind.UNTOUCHED]
    seen = 0
    for invariant in INVARIANTS:
        for step, case, geometry, name in unrecorded(invariant):
            params = GEOMETRIES[geometry]
            change = change_of(step, case, REVISIONS[name], params)
            after = held_after(invariant, step, change, params)
            assert after.eq(held_before(invariant, step, params))
            seen += 1
    assert seen > 2000


def test_step_that_changes_an_invariant_and_is_not_in_the_table_fails_its_theorem(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    rows = tuple(row for row in table() if (row.invariant, row.step) != ("counts.tick", "stop"))
    monkeypatch.setattr(theorems_module, "table", lambda: rows)
    (theorem,) = (theorem for theorem in theorems() if theorem.id == "induction.counts.tick")
    goals = [
        obligation for obligation in theorem.obligations() if "not in the table" in obligation.name
    ]
    assert goals
    assert {ask(goal, Options()).status for goal in goals} == {Decision.REFUTED}


def test_on_repaired_nothing_is_refuted_but_a_smaller_thread_limit() -> None:
    refuted = [
        (row.invariant, row.step)
        for row in table()
        if row.kind is ProofKind.REFUTED and "repaired" in row.revisions
    ]
    assert refuted == [("limits.threads", "cpulist")]


def test_every_refuted_row_is_refuted_and_names_a_finding() -> None:
    known = {finding.id: finding for finding in BY_HISTORY}
    rows = [row for row in table() if row.kind is ProofKind.REFUTED]
    assert len(rows) == 17
    solver = Z3Solver(Options(), over_functions=True)
    for row in rows:
        for goal in goals_of(row):
            assert solver.ask(goal).status is Decision.REFUTED, goal.name
        if row.finding != "config":
            assert set(row.revisions) <= set(known[row.finding].revisions)


def test_with_one_chain_new_limits_leave_no_flag_wrong() -> None:
    """The only estimator that kd 0 keeps is below every limit: 48 times chain_max. So neither
    F01, F02, F03 nor F20 can happen in a kernel with preemptible RCU."""
    refuted = {
        (row.invariant, geometry): set(row.revisions)
        for row in table()
        for geometry in row.geometries
        if row.step == "finish" and row.kind is ProofKind.REFUTED
    }
    merged = {"v7", "v7-unwind", "stable", "mainline"}
    assert refuted == {
        ("bitmaps.full", FULL): merged,
        ("limits.computed", FULL): merged,
        ("limits.computed", PREEMPT): merged,
    }


def test_every_invariant_has_a_wrong_step_and_a_theorem() -> None:
    assert set(WRONG_STEPS) == set(INVARIANTS)
    proved = [
        theorem for theorem in theorems() if not theorem.refuted_by and "sums" not in theorem.id
    ]
    assert [theorem.id for theorem in proved] == [
        f"induction.{invariant}" for invariant in INVARIANTS
    ]
