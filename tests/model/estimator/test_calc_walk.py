"""The walk of the calc phase in the proofs is that of the model, also with others in its breaks."""

import random
from collections import Counter
from collections.abc import Mapping
from dataclasses import replace
from functools import cache
from types import FunctionType

import pytest

from ipvs_est import REPAIRED, REVISIONS, Oracle, Revision
from ipvs_est.estimator import calc_phase
from ipvs_est.language.operations import (
    AddService,
    Advance,
    DeleteService,
    ExitNetns,
    InitNetns,
    Operation,
    SetRunEstimation,
    WriteCpulist,
)
from ipvs_est.language.params import Params
from ipvs_est.language.violations import ViolationError
from ipvs_est.machine.points import Body
from ipvs_est.state.machine import Machine
from ipvs_est_checks.explore.engine.world import enabled, start, step
from ipvs_est_checks.explore.scenarios.scenario import Actor, Scenario
from ipvs_est_checks.known.by_history import BY_HISTORY
from ipvs_est_checks.text_edits import applied, function_edit
from ipvs_est_spec.algebra.z3_names import z3
from ipvs_est_spec.proof.inductive import in_range
from ipvs_est_spec.proof.inductive.changes import LAST
from ipvs_est_spec.proof.inductive.goals import before
from ipvs_est_spec.proof.inductive.states.formula import And, Every
from ipvs_est_spec.proof.inductive.states.geometries import FULL, GEOMETRIES
from ipvs_est_spec.proof.inductive.states.symbols import INPUTS
from ipvs_est_spec.proof.inductive.steps import BY_ID
from ipvs_est_spec.proof.inductive.table import ProofKind, walk_table
from ipvs_est_spec.proof.inductive.walk import steps as walk
from ipvs_est_spec.proof.inductive.walk.derive import cases_of, lines
from ipvs_est_spec.proof.inductive.walk.goals import COMPLETE, before_stride, completed
from ipvs_est_spec.proof.inductive.walk.steps import strides
from ipvs_est_spec.proof.inductive.walk.theorems import THEOREMS
from projected import Known
from walked import Followed, LostError, following

_SEED = 20261125
_STEPS = 500
_PARAMS = Params(hz=100, nticks=3, chain_factor=2, est_cost_ns=95_000, steps_per_break=1)
_SETUP: tuple[Operation, ...] = (
    InitNetns(),
    *(AddService(number) for number in range(1, 15)),
    Advance(250),
    WriteCpulist("0"),
    Advance(4),
)
_TASKS: Mapping[str, Mapping[str, tuple[Operation, ...]]] = {
    "services go": {"CTL": tuple(DeleteService(number) for number in (14, 3, 9, 13, 7, 8, 1, 2))},
    "all go": {"CTL": tuple(DeleteService(number) for number in range(14, 0, -1))},
    "services come and go": {
        "CTL": (DeleteService(7), AddService(21), DeleteService(8), DeleteService(9)),
        "SYSCTL": (WriteCpulist("0"), SetRunEstimation(0), SetRunEstimation(1)),
    },
    "exit": {"EXIT": (ExitNetns(),)},
}


def follow(name: str, params: Params, revision: Revision, seed: str, followed: Followed) -> None:
    """One random schedule, of tasks that go on for long or not."""
    numbers = random.Random(seed)
    actors = tuple(Actor(item, operations) for item, operations in _TASKS[name].items())
    followed.known, followed.in_break = Known(), False
    scenario = Scenario(name, "", params, _SETUP, actors, 400)
    patience = numbers.choice((0.2, 0.5, 0.8))
    try:
        with following(followed):
            world = start(scenario, revision)
            for _ in range(_STEPS):
                choices = enabled(world)
                if not choices:
                    return
                # Actors come first; they wait for a break, and for some breaks.
                theirs = [choice for choice in choices if 0 <= choice < len(actors)]
                others = [choice for choice in choices if choice not in theirs]
                waits = not followed.in_break or numbers.random() < patience
                step(world, numbers.choice(others if not theirs or (waits and others) else theirs))
    except ViolationError:
        return


@cache
def followed(revision: Revision) -> Followed:
    """Random schedules of all tasks, with many chains in a row and with one."""
    found = Followed()
    for name in _TASKS:
        for params in (_PARAMS, replace(_PARAMS, chain_factor=6, preempt_rcu=True)):
            for number in range(8):
                follow(name, params, revision, f"{_SEED} {name} {number}", found)
    return found


@pytest.mark.parametrize("revision", REVISIONS.values(), ids=lambda revision: revision.name)
def test_every_step_of_the_models_walk_is_one_of_the_proofs(revision: Revision) -> None:
    found = followed(revision)
    assert found.wrong == []
    assert +found.broken == Counter()
    assert found.complete > 80
    # Others have started and stopped estimators in breaks, with a tick or a kd that went.
    assert min(found.changed_in_breaks.values()) >= 10
    assert set(found.changed_in_breaks) == {"nothing", "something", "a tick", "a kd"}


def test_schedules_take_every_step_of_the_walk() -> None:
    now = before_stride(GEOMETRIES[FULL]).now
    own = {
        f"{step}: {case}"
        for step, cases in strides(now, REVISIONS["repaired"], INPUTS).items()
        for case in cases
        if "meanwhile" not in step and step != "begin"
    }
    for revision, left_out in (
        ("repaired", set[str]()),
        ("mainline", set[str]()),
        # Freed memory is read there, and the schedule ends (F04).
        ("stable", {f"visit: relinked; {LAST}"}),
        ("v7", {f"visit: relinked; {LAST}"}),
        ("v7-unwind", {f"visit: relinked; {LAST}"}),
    ):
        assert own - set(followed(REVISIONS[revision]).seen) == left_out
    assert sum(followed(REPAIRED).seen.values()) == 2208


@pytest.mark.parametrize(
    ("function", "old", "new"),
    [
        (walk.gone_on, "a.less(slot, zero)", "a.less(slot, a.number(1))"),
        (walk.keeps_its_last, "a.number(1)", "a.number(2)"),
        (walk.next_delay, "id_=f.est_kt_count", "id_=now.walk.id"),
        (walk.row_ahead, "delay)\n", "a.plus(delay, a.number(1)))\n"),
        (walk.visited, "walk.row), one)", "walk.row), zero)"),
        (walk.taken_up, "a.both(walk.same_kd, walk.same_tick)", "walk.same_kd"),
        (calc_phase._relink_all, "kd.est_count <= 1", "kd.est_count <= 2"),
        (calc_phase._relink_all, "machine.params.nticks - 1", "machine.params.nticks - 2"),
        (calc_phase._relink_row, "cid += 1\n", "return _Next.KD\n"),
        (calc_phase._relink_row, "if last or last_in_tick:", "if True:"),
    ],
    ids=lambda value: getattr(value, "__name__", ""),
)
def test_a_walk_that_differs_is_noticed(function: FunctionType, old: str, new: str) -> None:
    with applied([function_edit(function, old, new)]):
        for name in _TASKS:
            for number in range(8):
                found = Followed()
                try:
                    follow(name, _PARAMS, REPAIRED, f"{_SEED} {name} {number}", found)
                except LostError:
                    return
                if +found.broken:
                    return
    raise AssertionError


@pytest.mark.parametrize(
    ("function", "old", "new", "cost"),
    [
        (calc_phase._relink_all, "kd.est_count <= 1", "kd.est_count <= 2", 95_000),
        # With two estimators in a chain.
        (
            calc_phase._relink_row,
            "if last or last_in_tick:",
            "cid += 1\n        if cid > 1:",
            11_875,
        ),
        (calc_phase._relink_all, "if walk.delay < 0:", "if walk.delay < 1:", 95_000),
    ],
    ids=("walk.rows", "walk.chains", "walk.complete"),
)
def test_twins_leave_estimators_in_chains_that_get_new_limits(
    function: FunctionType, old: str, new: str, cost: int
) -> None:
    """In the model; the walk as it is leaves one."""
    counts: list[int] = []
    finish = calc_phase._finish

    def finished(machine: Machine, chain_max: int, genid: int) -> Body:
        counts.append(sum(kd.est_count for kd in machine.netns.est_kt_arr if kd is not None))
        yield from finish(machine, chain_max, genid)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(calc_phase, "_finish", finished)
        for wrong in (old, new):
            with applied([function_edit(function, old, wrong)]):
                oracle = Oracle(replace(_PARAMS, est_cost_ns=cost), REPAIRED)
                for operation in (*_SETUP[:8], Advance(250), WriteCpulist("0"), Advance(50)):
                    oracle.apply(operation)
    assert counts[:3] == [0, 1, 0]
    assert counts[3] > 1


# The table


def test_walk_table_has_each_conclusion_step_case_and_revision_once() -> None:
    rows = walk_table()
    found = Counter(
        (row.invariant, row.step, row.case, geometry, name)
        for row in rows
        for geometry in row.geometries
        for name in row.revisions
    )
    wanted = Counter(
        (*line, geometry, name)
        for line in lines()
        for geometry in GEOMETRIES
        for name in REVISIONS
        if line[0] == COMPLETE or line[1:] in cases_of(name)
    )
    assert found == wanted


def test_the_walk_is_refuted_where_findings_are_and_nowhere_on_mainline_and_repaired() -> None:
    refuted = Counter(
        (row.invariant, row.step, row.finding, row.revisions)
        for row in walk_table()
        if row.kind is ProofKind.REFUTED
    )
    old = ("v7", "v7-unwind", "stable")
    assert refuted == {
        ("walk.place", "exit meanwhile", "F08", old): 3,
        ("walk.kd0", "visit", "F23", old): 1,
        ("walk.kd0", "stop meanwhile", "F17", old): 3,
        ("walk.kd0", "exit meanwhile", "F17", old): 3,
    }
    known = {**{finding.id: finding.revisions for finding in BY_HISTORY}, "F17": old}
    assert all(set(row.revisions) <= set(known[row.finding]) for row in walk_table() if row.finding)


def test_what_the_walk_ends_with_is_what_the_step_of_new_limits_presumes() -> None:
    """In the steps' own premise, so that the one proves the other."""
    for params in GEOMETRIES.values():
        state = before(params, "finish").state
        premise = BY_ID["finish"].build(state, REPAIRED, INPUTS)[""].premise
        assert isinstance(premise, And)
        (presumed,) = (part for part in premise.parts if isinstance(part, Every))
        known = before_stride(params).known
        wanted = known.instances.apart().deny("conclusion", presumed)
        assert completed(params, (), ()).conclusion.eq(z3.Not(wanted))


def test_number_of_theorems_on_the_walk_and_the_searches() -> None:
    found = Counter(bool(theorem.refuted_by) for theorem in (*THEOREMS, *in_range.THEOREMS))
    assert found == {False: 7, True: 5}
