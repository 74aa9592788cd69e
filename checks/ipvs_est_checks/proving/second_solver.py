"""Theorems decided by other solvers than z3, which get them as SMT-LIB text."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from importlib.util import find_spec
from typing import TYPE_CHECKING

from ipvs_est_spec.proof.framework.smtlib import script, smtlib_text
from ipvs_est_spec.proof.framework.solve import Answer, Decision, Options
from ipvs_est_spec.proof.framework.theorem import Goal

if TYPE_CHECKING:
    from ipvs_est_spec.algebra.z3_names import z3

MODULES = ("bitwuzla", "cvc5")
"""What has to be installed."""

# Sorts and binders that bitwuzla does not have; strings and comments do not occur.
_MORE_THAN_BITS = re.compile(r"[( ](Int|Real|forall|exists|declare-sort|declare-datatypes?)[ )]")
# Without bit vectors a numeral is an integer.
_NUMERAL = re.compile(r"[( ]\d+[ )]")


_STATUS = {"unsat": Decision.PROVED, "sat": Decision.REFUTED}


@dataclass(frozen=True, slots=True)
class SecondSolver:
    """bitwuzla for formulas over bit vectors, which it is quick at, and cvc5 for all others.

    They are asked whether formulas can hold; they tell no counterexample. Only the seed of the
    options is used.
    """

    options: Options

    def ask(self, obligation: Goal) -> Answer:
        """Whether an obligation holds."""
        found = answer(smtlib_text(obligation, "unknown"), self.options.seed)
        return Answer(
            _STATUS.get(found, Decision.UNKNOWN), reason="" if found in _STATUS else found
        )

    def contradiction(self, terms: "Sequence[z3.BoolRef]") -> Decision:
        """Whether the terms cannot hold at once."""
        return _STATUS.get(answer(script(terms), self.options.seed), Decision.UNKNOWN)


def missing() -> list[str]:
    """Which of the solvers are not installed."""
    return [name for name in MODULES if find_spec(name) is None]


def versions() -> str:
    """Who answers, for the record."""
    import bitwuzla
    import cvc5

    return f"bitwuzla {bitwuzla.version()} and cvc5 {cvc5.__version__}"


def answer(text: str, seed: int = 0) -> str:
    """`sat`, `unsat`, or why there is no answer, to a script's only question.

    Raises what the solver raises for a script that it cannot read.
    """
    integers = "BitVec" not in text and _NUMERAL.search(text)
    if integers or _MORE_THAN_BITS.search(text):
        return _cvc5(text, seed)
    return _bitwuzla(text, seed)


def _bitwuzla(text: str, seed: int) -> str:
    import bitwuzla

    options = bitwuzla.Options()
    options.set(bitwuzla.Option.SEED, seed)
    parser = bitwuzla.Parser(bitwuzla.TermManager(), options)
    # Only parsed, since the parser's own answers go to standard output.
    parser.parse(text, parse_only=True, parse_file=False)
    result = parser.bitwuzla().check_sat()
    names = {bitwuzla.Result.SAT: "sat", bitwuzla.Result.UNSAT: "unsat"}
    return names.get(result, "unknown")


def _cvc5(text: str, seed: int) -> str:
    import cvc5

    solver = cvc5.Solver(cvc5.TermManager())
    solver.setOption("seed", str(seed))
    parser = cvc5.InputParser(solver)
    parser.setStringInput(cvc5.InputLanguage.SMT_LIB_2_6, text, "script")
    symbols = parser.getSymbolManager()
    said = ""
    while not (command := parser.nextCommand()).isNull():
        said += command.invoke(solver, symbols)
    return said.strip()
