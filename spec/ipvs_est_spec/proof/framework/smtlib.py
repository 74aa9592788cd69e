"""Goals as SMT-LIB text, to be checked with another solver."""

from collections.abc import Sequence

from ipvs_est_spec.algebra.z3_names import z3
from ipvs_est_spec.proof.framework.theorem import Goal


def smtlib_text(goal: Goal, expected: str) -> str:
    """A script that says what its answer has to be: `unsat` proves the goal."""
    assumed = [assumption.term for assumption in goal.assumptions]
    return script([*goal.definitions, *assumed, z3.Not(goal.conclusion)], expected)


def script(terms: Sequence[z3.BoolRef], expected: str = "unknown") -> str:
    """Whether all the terms can hold at once."""
    solver = z3.Solver()
    solver.add(*terms)
    lines = [
        line
        for line in solver.to_smt2().splitlines()
        if not line.startswith((";", "(set-info", "(set-logic"))
    ]
    return "\n".join(["(set-logic ALL)", f"(set-info :status {expected})", *lines, ""])
