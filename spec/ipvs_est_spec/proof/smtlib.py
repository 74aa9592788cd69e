"""Obligations as SMT-LIB text, to be checked with another solver."""

from collections.abc import Iterator, Sequence

from ipvs_est_spec.proof.theorem import Goal, Obligation, Reachability
from ipvs_est_spec.z3_names import z3


def smtlib_text(obligation: Obligation, expected: str) -> str:
    """A script that says what its answer has to be.

    A goal is proved by `unsat`; a query about reachability, which becomes Horn clauses, by
    `sat`: there is an invariant.
    """
    if isinstance(obligation, Goal):
        assumed = [each.term for each in obligation.assumptions]
        terms = [*obligation.definitions, *assumed, z3.Not(obligation.conclusion)]
        return script(terms, expected)
    return script(list(_clauses(obligation)), expected, "HORN")


def script(terms: Sequence[z3.BoolRef], expected: str = "unknown", logic: str = "ALL") -> str:
    """Whether all the terms can hold at once."""
    solver = z3.Solver()
    solver.add(*terms)
    lines = [
        line
        for line in solver.to_smt2().splitlines()
        if not line.startswith((";", "(set-info", "(set-logic"))
    ]
    return "\n".join([f"(set-logic {logic})", f"(set-info :status {expected})", *lines, ""])


def expected_answer(obligation: Obligation, *, holds: bool) -> str:
    """What a solver has to answer to `smtlib_text`."""
    return "unsat" if isinstance(obligation, Goal) is holds else "sat"


def _clauses(query: Reachability) -> Iterator[z3.BoolRef]:
    reach = z3.Function("reach", *(each.sort() for each in query.state), z3.BoolSort())
    here, there = reach(*query.state), reach(*query.following)
    assert isinstance(here, z3.BoolRef)
    assert isinstance(there, z3.BoolRef)
    both = [*query.state, *query.following]
    assumed = [each.term for each in query.assumptions]
    yield z3.ForAll(list(query.state), z3.Implies(query.initial, here))
    yield z3.ForAll(both, z3.Implies(z3.And(here, query.step, *assumed), there))
    yield z3.ForAll(list(query.state), z3.Not(z3.And(here, query.bad)))
