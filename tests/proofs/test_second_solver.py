"""The most important theorems, decided by other solvers through their SMT-LIB text."""

from dataclasses import replace

import pytest

from ipvs_est_checks.cli.group import run
from ipvs_est_checks.proving.second_solver import SecondSolver, answer
from ipvs_est_checks.proving.smtlib import scripts
from ipvs_est_spec.algebra.z3_names import z3
from ipvs_est_spec.proof.framework.solve import Decision, Options, ProofVerdict, decide
from ipvs_est_spec.proof.framework.theorem import Assumption, Goal, Theorem, Twin
from ipvs_est_spec.proof.registry import BY_ID, THEOREMS

# All obligations, and that each assumption is needed, are left to `ipvs-est prove --second-solver`.
_MOST = 4
_OPTIONS = Options(drop_assumptions=False)
_MARKED = [theorem.id for theorem in THEOREMS if theorem.second_solver]
# One of each group of the induction, whose theorems take seconds each, and nothing that takes a
# quarter of a minute.
_INDUCTIONS = {
    "induction.place.one-list",
    "induction.counts.chain-len",
    "induction.bitmaps.full",
    "induction.limits.threads",
}
# Of the protocol one that is proved and one that is refuted.
_PROTOCOL = {"protocol.start", "protocol.start-unlocked"}
_LONG = {"averaging.wrap", "timer.start"} | {
    name
    for name in _MARKED
    if name.startswith(("induction.", "protocol.")) and name not in _INDUCTIONS | _PROTOCOL
}

_BYTE = z3.BitVec("x", 8)
_INT = z3.Int("x")


def theorem(conclusion: z3.BoolRef, twin: z3.BoolRef, *premises: z3.BoolRef) -> Theorem:
    """Made up for a test."""
    assumptions = tuple(
        Assumption(f"a{n}", "It is so.", premise) for n, premise in enumerate(premises)
    )
    return Theorem(
        "made.up",
        "made",
        "It is so.",
        "all x",
        "none",
        lambda: (Goal("", assumptions, conclusion),),
        Twin("It is not so.", lambda: Goal("", assumptions, twin)),
    )


def test_number_of_theorems_with_a_second_solver() -> None:
    assert len(_MARKED) == 85
    assert set(_MARKED) >= _LONG | _INDUCTIONS | _PROTOCOL


@pytest.mark.parametrize("id_", [name for name in _MARKED if name not in _LONG])
def test_second_solver_agrees_on_the_theorem_its_premises_and_its_twin(id_: str) -> None:
    every = BY_ID[id_].obligations()
    some = every[:: -(-len(every) // _MOST)]
    assert 0 < len(some) <= _MOST
    thinned = replace(BY_ID[id_], obligations=lambda: some)
    outcome = decide(thinned, _OPTIONS, SecondSolver(_OPTIONS))
    assert outcome.verdict in (ProofVerdict.PROVED, ProofVerdict.FINDING), outcome.complaints
    assert outcome.twin.status is Decision.REFUTED


@pytest.mark.parametrize("small", [z3.ULT(_BYTE, z3.BitVecVal(9, 8)), _INT < 9])
def test_second_solver_finds_each_fault_of_a_theorem(small: z3.BoolRef) -> None:
    solver = SecondSolver(Options())

    def verdict(*made: z3.BoolRef) -> tuple[ProofVerdict, str]:
        outcome = decide(theorem(*made), Options(), solver)
        return outcome.verdict, " ".join(outcome.complaints)

    unequal = z3.Not(small)
    assert verdict(small, unequal, small) == (ProofVerdict.PROVED, "")
    assert verdict(unequal, unequal, small)[1].startswith("refuted")
    assert verdict(small, small, small)[1] == "the twin is not refuted"
    assert "contradict each other" in verdict(small, unequal, small, unequal)[1]
    always = z3.Or(small, unequal)
    assert verdict(always, unequal, small)[1] == "the assumption a0 is not needed"


def test_a_statement_without_arithmetic_on_integers_and_one_with_it_get_answers() -> None:
    """The first goes to bitwuzla, which would not read the second."""
    head = "(set-logic ALL)"
    bits = "(declare-fun x () (_ BitVec 8))(assert (bvult x #x00))(check-sat)"
    integers = "(declare-fun x () Int)(assert (> x 0))(check-sat)"
    every = "(assert (forall ((y Int)) (> y 0)))(check-sat)"
    assert [answer(head + name) for name in (bits, integers, every)] == ["unsat", "sat", "unsat"]


def test_each_script_says_what_its_answer_has_to_be() -> None:
    texts = dict(scripts(BY_ID["rows.chain"]))
    assert len(texts) == 4
    for name, text in texts.items():
        expected = "sat" if ".twin." in name else "unsat"
        assert f"(set-info :status {expected})" in text
        assert answer(text) == expected


def test_another_solver_contradicts_a_wrong_status() -> None:
    text = "(set-logic ALL)\n(set-info :status unsat)\n(declare-fun x () Int)\n(check-sat)\n"
    assert answer(text) == '(error "Expected result unsat but got sat")'


def test_a_solver_that_is_not_installed_is_named(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    modules = ("bitwuzla", "no_such_solver")
    monkeypatch.setattr("ipvs_est_checks.proving.second_solver.MODULES", modules)
    assert run(["prove", "--second-solver"]) == 2
    shown = capsys.readouterr().err.splitlines()
    assert len(shown) == 1
    assert "not installed: no_such_solver; pip install bitwuzla cvc5" in shown[0]
