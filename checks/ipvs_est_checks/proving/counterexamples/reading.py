"""Counterexamples of twins and values of terms, as Python's integers."""

from collections.abc import Mapping, Sequence

from ipvs_est_spec.algebra.z3_names import z3
from ipvs_est_spec.proof.framework.solve import Decision, Options, ask, seed_z3
from ipvs_est_spec.proof.framework.theorem import Theorem

_TRUTHS = {"true": 1, "false": 0}


def twin_values(theorem: Theorem, seed: int = 0) -> dict[str, int]:
    """What z3 says against a theorem's twin; words are unsigned."""
    # z3's seed is one for the whole process; other tests set it too.
    seed_z3(seed)
    answer = ask(theorem.twin.obligation(), Options())
    assert answer.status is Decision.REFUTED, theorem.id
    return read(answer.values)


def read(values: Sequence[tuple[str, str]]) -> dict[str, int]:
    """The texts of a counterexample as numbers; z3 writes a negative one in brackets."""
    return {name: _number(text) for name, text in values}


def _number(text: str) -> int:
    if text in _TRUTHS:
        return _TRUTHS[text]
    if text.startswith("(- "):
        return -int(text[3:-1])
    return int(text, 0)


def word_at(term: z3.BitVecRef, inputs: Mapping[str, int], sizes: Mapping[str, int]) -> int:
    """The unsigned value of a term whose variables have those values and bits."""
    pairs: list[tuple[z3.ExprRef, z3.ExprRef]] = [
        (z3.BitVec(name, sizes[name]), z3.BitVecVal(value, sizes[name]))
        for name, value in inputs.items()
    ]
    value = z3.simplify(z3.substitute(term, *pairs))
    assert isinstance(value, z3.BitVecNumRef)
    return value.as_long()
