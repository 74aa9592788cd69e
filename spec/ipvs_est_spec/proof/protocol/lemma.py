"""Lemmas: what holds in every state, and the goals that prove it by induction over the steps."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from typing import assert_never

from ipvs_est_spec.algebra.z3_names import z3
from ipvs_est_spec.algebra.z3_terms import conjunction
from ipvs_est_spec.proof.framework.theorem import Assumption, Goal
from ipvs_est_spec.proof.protocol import relation
from ipvs_est_spec.proof.protocol.expression import (
    FALSE,
    TRUE,
    YES,
    Both,
    Condition,
    Either,
    Holds,
    Is,
    Negated,
    both,
    either,
    negated,
)
from ipvs_est_spec.proof.protocol.locksets import places_holding
from ipvs_est_spec.proof.protocol.programs.parts import ACTORS
from ipvs_est_spec.proof.protocol.programs.step import EST, SERVICE, ProtocolStep, Value, at
from ipvs_est_spec.proof.protocol.system import ProtocolSystem


@dataclass(frozen=True, slots=True)
class Lemma:
    """A condition that every reachable state fulfils."""

    id: str
    sentence: str
    condition: Condition


def implies(premise: Condition, conclusion: Condition) -> Condition:
    """If the premise holds, so does the conclusion."""
    return either(negated(premise), conclusion)


def same(left: Condition, right: Condition) -> Condition:
    """Both hold or neither."""
    return both(implies(left, right), implies(right, left))


def before(step: ProtocolStep, condition: Condition) -> Condition:
    """What has to hold before the step so that the condition holds after it."""
    changes = step.changes()
    return condition if not changes else _before(changes, condition)


def _before(changes: Mapping[str, Value], condition: Condition) -> Condition:
    match condition:
        case Is(variable, values):
            value = changes.get(variable)
            if value is None:
                return condition
            if isinstance(value, str):
                return TRUE if value in values else FALSE
            wanted = YES in values
            return TRUE if len(set(values)) > 1 else value if wanted else negated(value)
        case Both(terms):
            return both(*(_before(changes, term) for term in terms))
        case Either(terms):
            return either(*(_before(changes, term) for term in terms))
        case Negated(term):
            return negated(_before(changes, term))
        case Holds(predicate, case):
            return Holds(
                predicate,
                tuple(item if isinstance(item, int) else _before(changes, item) for item in case),
            )
        case _:
            assert_never(condition)


def owners(system: ProtocolSystem) -> Lemma:
    """Mutexes are owned by those who stand where they hold them."""
    terms = [
        same(Is(mutex, (actor,)), at(actor, *places_holding(system, actor, mutex)))
        for mutex in (SERVICE, EST)
        for actor in ACTORS
    ]
    return Lemma(
        "owners",
        "A mutex is owned by the actor that stands where its program holds it, else by nobody.",
        both(*terms),
    )


def _of_environment(
    lemma: Lemma, system: ProtocolSystem, state: relation.RelationTerms, index: z3.ArithRef
) -> Assumption:
    after = [
        z3.Implies(index == number, relation.holds(condition, state))
        for number, step in enumerate(system.steps)
        for condition in _owed(step, (lemma.condition,))
    ]
    now = relation.holds(lemma.condition, state)
    return Assumption(lemma.id, lemma.sentence, conjunction([now, *after]))


def _parts(condition: Condition) -> Iterator[Condition]:
    if isinstance(condition, Both):
        for term in condition.terms:
            yield from _parts(term)
    else:
        yield condition


def _owed(step: ProtocolStep, parts: Sequence[Condition]) -> Iterator[Condition]:
    """What has to hold before the step for the parts that it can change."""
    changes = step.changes()
    for part in parts:
        if not changes.keys().isdisjoint(_variables(part)):
            yield _before(changes, part)


@cache
def _variables(condition: Condition) -> frozenset[str]:
    match condition:
        case Is(variable, _):
            return frozenset({variable})
        case Both(terms) | Either(terms):
            return frozenset().union(*(_variables(term) for term in terms))
        case Negated(term):
            return _variables(term)
        case Holds(_, case):
            conditions = [item for item in case if not isinstance(item, int)]
            return frozenset().union(*(_variables(condition) for condition in conditions))
        case _:
            assert_never(condition)


def induction(
    name: str,
    system: ProtocolSystem,
    lemmas: Sequence[Lemma],
    bad: Condition,
    assumed: Sequence[Lemma] = (),
) -> tuple[Goal, ...]:
    """The goals "initially" and "step": the lemmas hold, and what is bad does not.

    What is `assumed` of the environment holds before and after each step.
    """
    state = relation.terms(system)
    ranges = relation.ranges(state)
    shown = relation.shown(state)
    start = Goal(
        f"{name}, initially",
        (),
        z3.Implies(
            relation.initial(state),
            conjunction([relation.holds(lemma.condition, state) for lemma in lemmas]),
        ),
        ranges,
        shown,
    )
    index = z3.Int("step")
    parts = [part for lemma in lemmas for part in _parts(lemma.condition)]
    cases = [
        z3.Implies(
            z3.And(index == number, relation.enabled(step, state)),
            conjunction([relation.holds(condition, state) for condition in _owed(step, parts)]),
        )
        for number, step in enumerate(system.steps)
    ]
    kept = Goal(
        f"{name}, step",
        (
            *(Assumption(e.id, e.sentence, relation.holds(e.condition, state)) for e in lemmas),
            *(_of_environment(lemma, system, state, index) for lemma in assumed),
        ),
        z3.And(z3.Not(relation.holds(bad, state)), *cases),
        ranges,
        (("step", index), *shown),
    )
    return start, kept
