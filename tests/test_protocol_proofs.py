"""The protocol as a transition system: its proofs, its findings, and that its readings agree."""

import random

import pytest

from ipvs_est import REVISIONS, Revision
from ipvs_est_spec.proof.protocol import locksets, relation, run, theorems
from ipvs_est_spec.proof.protocol.parts import ACTORS
from ipvs_est_spec.proof.protocol.run import State
from ipvs_est_spec.proof.protocol.system import System, system
from ipvs_est_spec.proof.solve import Options, Status, Verdict, decide
from ipvs_est_spec.z3_names import z3

_SEED = 20260727
_BY_ID = {each.id: each for each in theorems.THEOREMS}


@pytest.mark.parametrize("id_", _BY_ID)
def test_each_theorem_is_decided_as_it_says(id_: str) -> None:
    theorem = _BY_ID[id_]
    outcome = decide(theorem, Options(seed=1))
    assert outcome.complaints == ()
    expected = Verdict.FINDING if theorem.refuted_by else Verdict.PROVED
    assert outcome.verdict is expected
    wanted = Status.REFUTED if theorem.refuted_by else Status.PROVED
    assert {each.answer.status for each in outcome.obligations} == {wanted}
    assert outcome.twin.status is Status.REFUTED


@pytest.mark.parametrize("revision", REVISIONS.values(), ids=lambda each: each.name)
def test_every_way_to_a_place_holds_the_same_mutexes(revision: Revision) -> None:
    one = system(revision)
    for actor in ACTORS:
        assert set(locksets.held(one, actor)) == set(one.variables[actor])


def _states(one: System, count: int) -> list[State]:
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


def _values(one: System, state: State, terms: relation.Terms) -> z3.BoolRef:
    pairs = zip(one.variables, state, strict=True)
    return z3.And(*(terms.has(name, (value,)) for name, value in pairs))


@pytest.mark.parametrize("revision", REVISIONS.values(), ids=lambda each: each.name)
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
