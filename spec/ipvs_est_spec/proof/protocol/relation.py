"""The system as z3's terms: a Boolean for each flag, an integer for each other variable."""

from collections.abc import Mapping
from dataclasses import dataclass

from ipvs_est_spec.algebra.z3_algebra import Z3Algebra
from ipvs_est_spec.algebra.z3_names import z3
from ipvs_est_spec.algebra.z3_terms import disjunction, negation
from ipvs_est_spec.proof.protocol.expression import FLAG, YES, Condition, interpret
from ipvs_est_spec.proof.protocol.programs.step import NOBODY, ProtocolStep
from ipvs_est_spec.proof.protocol.system import ProtocolSystem

_ALGEBRA = Z3Algebra()


@dataclass(frozen=True, slots=True)
class RelationTerms:
    """One state's variables as terms."""

    system: ProtocolSystem
    terms: Mapping[str, z3.ExprRef]
    made: dict[tuple[str, tuple[str, ...]], z3.BoolRef]
    """What `has` has answered."""

    def has(self, variable: str, values: tuple[str, ...]) -> z3.BoolRef:
        """The variable has one of the values."""
        key = variable, values
        if key not in self.made:
            self.made[key] = self._has(variable, values)
        return self.made[key]

    def _has(self, variable: str, values: tuple[str, ...]) -> z3.BoolRef:
        domain, term = self.system.variables[variable], self.terms[variable]
        if isinstance(term, z3.BoolRef):
            if len(set(values)) == 2:
                return z3.BoolVal(True)
            return term if values == (YES,) else negation(term)
        assert isinstance(term, z3.ArithRef)
        named = [term == domain.index(value) for value in values if value in domain]
        return disjunction(named)


def terms(system: ProtocolSystem, suffix: str = "") -> RelationTerms:
    """The variables' terms."""
    return RelationTerms(
        system,
        {
            name: z3.Bool(name + suffix) if values == FLAG else z3.Int(name + suffix)
            for name, values in system.variables.items()
        },
        {},
    )


def holds(condition: Condition, state: RelationTerms) -> z3.BoolRef:
    """The condition of a state."""
    return interpret(condition, _ALGEBRA, state)


def initial(state: RelationTerms) -> z3.BoolRef:
    """It is an initial state."""
    return z3.Or(
        *(
            z3.And(*(state.has(name, (value,)) for name, value in entry.items()))
            for entry in state.system.initial
        )
    )


def enabled(step: ProtocolStep, state: RelationTerms) -> z3.BoolRef:
    """The step can be taken."""
    free = [state.has(step.acquires, (NOBODY,))] if step.acquires else []
    return z3.And(state.has(step.actor, (step.source,)), *free, holds(step.guard, state))


def taken(step: ProtocolStep, state: RelationTerms, following: RelationTerms) -> z3.BoolRef:
    """The step leads from one state to the other."""
    changed = step.changes()
    parts = [enabled(step, state)]
    for name, term in state.terms.items():
        after = following.terms[name]
        value = changed.get(name)
        if value is None:
            parts.append(_same(after, term))
        elif isinstance(value, str):
            parts.append(following.has(name, (value,)))
        else:
            assert isinstance(after, z3.BoolRef)
            parts.append(after == holds(value, state))
    return z3.And(*parts)


def _same(left: z3.ExprRef, right: z3.ExprRef) -> z3.BoolRef:
    if isinstance(left, z3.BoolRef):
        assert isinstance(right, z3.BoolRef)
        return left == right
    assert isinstance(left, z3.ArithRef)
    assert isinstance(right, z3.ArithRef)
    return left == right


def step_relation(state: RelationTerms, following: RelationTerms) -> z3.BoolRef:
    """Some step leads from one state to the other."""
    return z3.Or(*(taken(step, state, following) for step in state.system.steps))


def ranges(state: RelationTerms) -> tuple[z3.BoolRef, ...]:
    """Each variable has one of its values."""
    found: list[z3.BoolRef] = []
    for name, term in state.terms.items():
        if isinstance(term, z3.ArithRef):
            found += [term >= 0, term < len(state.system.variables[name])]
    return tuple(found)


def shown(state: RelationTerms) -> tuple[tuple[str, z3.ExprRef], ...]:
    """The variables by name, for counterexamples."""
    return tuple(state.terms.items())
