"""What is asked about a theorem finds each way in which it can be wrong or say nothing."""

from dataclasses import replace

import pytest

from ipvs_est_checks.proving.smtlib import scripts
from ipvs_est_spec.algebra.z3_names import z3
from ipvs_est_spec.proof.framework.solve import Options, ProofVerdict, TheoremOutcome, decide
from ipvs_est_spec.proof.framework.theorem import Assumption, Goal, Theorem, Twin

X, Y = z3.Int("x"), z3.Int("y")
SMALL = Assumption("small", "x is small.", X < 9)
POSITIVE = Assumption("positive", "x is positive.", X > 0)
GOAL = Goal("", (SMALL, POSITIVE), z3.And(X < 10, X > -1), (), (("x", X),))
TWIN = replace(GOAL, conclusion=X < 8)


def theorem(*goals: Goal, twin: Goal = TWIN) -> Theorem:
    return Theorem("made.up", "made", "So.", "all x", "none", lambda: goals, Twin("", lambda: twin))


def decided_on(made: Theorem, options: Options | None = None) -> tuple[ProofVerdict, list[str]]:
    outcome = decide(made, options or Options())
    return outcome.verdict, list(outcome.complaints)


def test_a_theorem_that_holds_and_needs_all_of_its_assumptions_is_proved() -> None:
    outcome: TheoremOutcome = decide(theorem(GOAL), Options())
    assert (outcome.verdict, outcome.complaints) == (ProofVerdict.PROVED, ())
    assert outcome.twin.values == (("x", "8"),)
    assert outcome.assumptions == (("small", "x is small."), ("positive", "x is positive."))
    # The goal, its premises, without each of two assumptions, the twin.
    assert outcome.queries == 5


@pytest.mark.parametrize(
    ("made", "complaint"),
    [
        (theorem(), "there is nothing to prove"),
        (theorem(replace(GOAL, name="n", conclusion=X < 8)), "n: refuted: x = 8"),
        (theorem(GOAL, twin=GOAL), "the twin is not refuted"),
        (theorem(replace(GOAL, conclusion=X < 10)), "the assumption positive is not needed"),
        (
            theorem(replace(GOAL, assumptions=(SMALL, Assumption("big", "", X > 8)))),
            "the premises contradict each other",
        ),
        (
            theorem(replace(GOAL, definitions=(X == 20,))),
            "the premises contradict each other",
        ),
        # Each goal needs each of its own, whatever another needs.
        (
            theorem(GOAL, replace(GOAL, name="n", conclusion=X < 10)),
            "n: the assumption positive is not needed",
        ),
    ],
)
def test_each_fault_of_a_theorem_makes_it_fail(made: Theorem, complaint: str) -> None:
    verdict, complaints = decided_on(made)
    assert verdict is ProofVerdict.FAIL
    assert complaint in complaints


def test_a_goal_has_no_more_assumptions_than_it_needs() -> None:
    less = replace(GOAL, name="less", assumptions=(SMALL,), conclusion=X < 10)
    assert decided_on(theorem(GOAL, less)) == (ProofVerdict.PROVED, [])


def test_a_finding_stands_only_while_every_obligation_is_refuted() -> None:
    wrong = replace(GOAL, conclusion=X < 8)
    refuted = replace(theorem(wrong), refuted_by=("F99",))
    assert decided_on(refuted) == (ProofVerdict.FINDING, [])
    assert {text.splitlines()[1] for _, text in scripts(refuted)} == {"(set-info :status sat)"}
    mended = replace(theorem(wrong, replace(GOAL, name="n")), refuted_by=("F99",))
    assert decided_on(mended) == (ProofVerdict.FAIL, ["n: no longer refuted, though F99 says so"])


def test_giving_up_is_no_proof_and_no_finding() -> None:
    x, y = z3.BitVec("x", 64), z3.BitVec("y", 64)
    hard = Goal("", (), z3.Or(x * y != 0x7FFFFFFFFFFFFFE7 * 3, z3.ULT(x, 4), z3.ULT(y, 4)))
    for refuted_by in ((), ("F99",)):
        made = replace(theorem(hard), refuted_by=refuted_by)
        verdict, complaints = decided_on(made, Options(rlimit=10_000))
        assert verdict is ProofVerdict.UNKNOWN
        assert "the solver does not know" in complaints[0]
