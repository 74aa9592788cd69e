"""z3's terms, made by its C interface.

They mean what z3's own Python functions make of the same arguments; those ask for the sort of each
argument again and again, which takes longer than deciding with the terms. Here types ensure it.
"""

from collections.abc import Sequence
from ctypes import Array

from ipvs_est_spec.algebra.z3_names import z3


def conjunction(terms: Sequence[z3.BoolRef]) -> z3.BoolRef:
    """All of the terms hold; z3 writes one of none in a way that others cannot read."""
    if not terms:
        return z3.BoolVal(True)
    if len(terms) == 1:
        return terms[0]
    context = terms[0].ctx
    return z3.BoolRef(z3.Z3_mk_and(context.ref(), len(terms), _array(terms)), context)


def disjunction(terms: Sequence[z3.BoolRef]) -> z3.BoolRef:
    """At least one of the terms holds."""
    if not terms:
        return z3.BoolVal(False)
    if len(terms) == 1:
        return terms[0]
    context = terms[0].ctx
    return z3.BoolRef(z3.Z3_mk_or(context.ref(), len(terms), _array(terms)), context)


def negation(term: z3.BoolRef) -> z3.BoolRef:
    """The term does not hold."""
    return z3.BoolRef(z3.Z3_mk_not(term.ctx.ref(), term.ast), term.ctx)


def implication(premise: z3.BoolRef, conclusion: z3.BoolRef) -> z3.BoolRef:
    """If the premise holds, so does the conclusion."""
    context = premise.ctx
    return z3.BoolRef(z3.Z3_mk_implies(context.ref(), premise.ast, conclusion.ast), context)


def equality(left: z3.ExprRef, right: z3.ExprRef) -> z3.BoolRef:
    """left = right; of one sort."""
    return z3.BoolRef(z3.Z3_mk_eq(left.ctx.ref(), left.ast, right.ast), left.ctx)


def less(left: z3.ArithRef, right: z3.ArithRef) -> z3.BoolRef:
    """left < right."""
    return z3.BoolRef(z3.Z3_mk_lt(left.ctx.ref(), left.ast, right.ast), left.ctx)


def at_most(left: z3.ArithRef, right: z3.ArithRef) -> z3.BoolRef:
    """left <= right."""
    return z3.BoolRef(z3.Z3_mk_le(left.ctx.ref(), left.ast, right.ast), left.ctx)


def choice(condition: z3.BoolRef, then: z3.ArithRef, otherwise: z3.ArithRef) -> z3.ArithRef:
    """One of two integers."""
    return z3.ArithRef(_choice(condition, then, otherwise), condition.ctx)


def word_choice(condition: z3.BoolRef, then: z3.BitVecRef, otherwise: z3.BitVecRef) -> z3.BitVecRef:
    """One of two bit vectors; of one size."""
    return z3.BitVecRef(_choice(condition, then, otherwise), condition.ctx)


def _choice(condition: z3.BoolRef, then: z3.ExprRef, otherwise: z3.ExprRef) -> z3.Ast:
    return z3.Z3_mk_ite(condition.ctx.ref(), condition.ast, then.ast, otherwise.ast)


def number_of(function: z3.FuncDeclRef, *of: z3.ArithRef) -> z3.ArithRef:
    """A function of integers whose values are integers, at these."""
    return z3.ArithRef(_applied(function, of), function.ctx)


def truth_of(function: z3.FuncDeclRef, *of: z3.ArithRef) -> z3.BoolRef:
    """A function of integers whose values are truth values, at these."""
    return z3.BoolRef(_applied(function, of), function.ctx)


def _applied(function: z3.FuncDeclRef, of: Sequence[z3.ArithRef]) -> z3.Ast:
    return z3.Z3_mk_app(function.ctx.ref(), function.ast, len(of), _array(of))


def _array(terms: Sequence[z3.ExprRef]) -> "Array[z3.Ast]":
    return (z3.Ast * len(terms))(*(term.ast for term in terms))
