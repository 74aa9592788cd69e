"""The protocol as a transition system: its proofs, its findings, and that its readings agree."""

import random

import pytest

from ipvs_est import MAINLINE, REPAIRED, REVISIONS, Revision
from ipvs_est_spec.algebra.z3_names import z3
from ipvs_est_spec.proof.framework.solve import Decision, Options, ProofVerdict, ask, decide
from ipvs_est_spec.proof.protocol import locksets, relation, run, theorems
from ipvs_est_spec.proof.protocol import mutants as wrong
from ipvs_est_spec.proof.protocol import properties as bad
from ipvs_est_spec.proof.protocol.bad_runs import (
    RECALCULATION,
    RELINKING_N,
    Bad,
    BadRun,
    relinked_under,
    via,
)
from ipvs_est_spec.proof.protocol.expression import Condition
from ipvs_est_spec.proof.protocol.programs.parts import ACTORS, CTL, EXIT, KT0, WORK
from ipvs_est_spec.proof.protocol.programs.step import at
from ipvs_est_spec.proof.protocol.run import State
from ipvs_est_spec.proof.protocol.search import Where, find_run
from ipvs_est_spec.proof.protocol.system import Edit, ProtocolSystem, system

_SEED = 20260727
_BY_ID = {theorem.id: theorem for theorem in theorems.THEOREMS}


@pytest.mark.parametrize("id_", _BY_ID)
def test_each_theorem_is_decided_as_it_says(id_: str) -> None:
    theorem = _BY_ID[id_]
    # One theorem's are left to `ipvs-est prove`: they are many.
    all_of_it = id_ != "protocol.request-served"
    outcome = decide(theorem, Options(seed=1, drop_assumptions=all_of_it))
    assert outcome.complaints == ()
    expected = ProofVerdict.FINDING if theorem.refuted_by else ProofVerdict.PROVED
    assert outcome.verdict is expected
    wanted = Decision.REFUTED if theorem.refuted_by else Decision.PROVED
    assert {obligation.answer.status for obligation in outcome.obligations} == {wanted}
    assert outcome.twin.status is Decision.REFUTED


@pytest.mark.parametrize("revision", REVISIONS.values(), ids=lambda revision: revision.name)
def test_every_way_to_a_place_holds_the_same_mutexes(revision: Revision) -> None:
    one = system(revision)
    for actor in ACTORS:
        assert set(locksets.held(one, actor)) == set(one.variables[actor])


def _states(one: ProtocolSystem, count: int) -> list[State]:
    rng = random.Random(_SEED)
    ready = run.runner(one)
    found: list[State] = []
    while len(found) < count:
        state = run.state_of(ready, rng.choice(one.initial))
        for _ in range(rng.randrange(70)):
            ways = [then for actor in ACTORS for _, then in run.following(ready, state, actor)]
            state = rng.choice(ways)
        found.append(state)
    return found


def _values(one: ProtocolSystem, state: State, terms: relation.RelationTerms) -> z3.BoolRef:
    pairs = zip(one.variables, state, strict=True)
    return z3.And(*(terms.has(name, (value,)) for name, value in pairs))


@pytest.mark.parametrize("revision", REVISIONS.values(), ids=lambda revision: revision.name)
def test_steps_over_values_are_those_of_the_formula(revision: Revision) -> None:
    """What z3 says can follow a state is what running says, no more and no less."""
    one = system(revision)
    ready = run.runner(one)
    here, there = relation.terms(one), relation.terms(one, "'")
    solver = z3.Solver()
    solver.add(relation.step_relation(here, there))
    followed = 0
    for state in _states(one, 16):
        expected = {then for actor in ACTORS for _, then in run.following(ready, state, actor)}
        solver.push()
        solver.add(_values(one, state, here))
        for then in expected:
            solver.push()
            solver.add(_values(one, then, there))
            assert solver.check() == z3.sat
            solver.pop()
            solver.add(z3.Not(_values(one, then, there)))
            followed += 1
        assert solver.check() == z3.unsat
        solver.pop()
    assert followed > 20


# Mutants that are no twin: what each breaks, and where to look.
MUTANTS: dict[str, tuple[Edit, Bad, Where]] = {
    "R1": (
        lambda steps: wrong.started_in_calc_phase(wrong.others_not_stopped(steps)),
        relinked_under,
        via(*RECALCULATION),
    ),
    "R6": (
        wrong.work_not_awaited,
        lambda one: bad.alive_after_exit(),
        Where((CTL, WORK, EXIT), {"sysctl": "1"}, via=(at(WORK, "start 0"),)),
    ),
    "D02": (
        wrong.exits_unreferenced,
        bad.freed_memory,
        Where((CTL, WORK, KT0, EXIT), {"sysctl": "1"}, (at(KT0, "measuring"),)),
    ),
}


@pytest.mark.parametrize("name", MUTANTS)
def test_each_mutant_has_a_bad_run(name: str) -> None:
    edit, wrong_state, where = MUTANTS[name]
    assert edit(system(MAINLINE).steps) != system(MAINLINE).steps
    goal = BadRun(MAINLINE, edit, wrong_state, where).goal()
    assert ask(goal, Options()).status is Decision.REFUTED


def test_without_the_assumption_on_control_processes_exit_leaves_something() -> None:
    """A service that is added during exit sets enable again."""
    one = system(MAINLINE)
    where = Where(
        (CTL, WORK, EXIT), {"sysctl": "1"}, (at(EXIT, "cancelled"), at(CTL, "enabling, locked"))
    )
    assert find_run(one, bad.alive_after_exit(), where) is not None


def _places(one: ProtocolSystem, way: tuple[Condition, ...], count: int) -> set[str]:
    """Where kthread 0 comes to in the first `count` states after the way."""
    ready = run.runner(one)
    number = ready.index[KT0]
    found = find_run(one, way[-1], via(*way[:-1]))
    assert found is not None
    seen = {found.states[-1]}
    todo = [found.states[-1]]
    actors = tuple(actor for actor in ACTORS if actor != EXIT)
    for state in todo:
        for actor in actors:
            for _, then in run.following(ready, state, actor):
                if then not in seen and len(seen) < count:
                    seen.add(then)
                    todo.append(then)
    return {state[number] for state in seen}


def test_kthread_0_comes_to_all_places_of_its_program_but_those() -> None:
    """No proof holds for the reason that the place it speaks of cannot be reached.

    Kthread 0 never has to stop a kthread above 0: the reload work, which has started it, has
    done so already. Relinking never takes the last estimator of all: the total is in kd 0.
    """
    one = system(REPAIRED)
    ways = (
        (at(KT0, "new"),),
        (at(KT0, "measured"),),
        (at(KT0, "no room"),),
        (*RECALCULATION, at(KT0, "measured")),
        RELINKING_N,
        (at(KT0, "measured"), at(KT0, "limits set")),
    )
    reached: set[str] = set()
    for way in ways:
        reached |= _places(one, way, 20_000)
    missing = set(one.variables[KT0]) - reached
    assert {name for name in missing if not name.startswith("kd n gone, ")} == {
        "stopping n, joining",
        "last of kd n, locked, joining",
    }
    assert len(missing) == 9
