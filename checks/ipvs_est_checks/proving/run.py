"""Deciding many theorems, each in a process of its own.

A fresh process for each makes the counterexamples, too, a function of the seed: z3's choices
depend on all the terms that its process made before.
"""

import traceback
from collections.abc import Callable, Generator, Sequence
from dataclasses import replace
from time import process_time

from ipvs_est_checks.proving.counterexamples.registry import with_replay
from ipvs_est_checks.proving.second_solver import SecondSolver
from ipvs_est_checks.workers import Lost, Pool, ignore
from ipvs_est_spec.proof.framework.quick import is_quick
from ipvs_est_spec.proof.framework.solve import (
    Answer,
    Decision,
    Options,
    ProofVerdict,
    TheoremOutcome,
    decide,
)
from ipvs_est_spec.proof.framework.theorem import Theorem
from ipvs_est_spec.proof.registry import BY_ID

# z3 is loaded and the registry built once, not in each process.
_LOADED = ("ipvs_est_checks.proving.counterexamples.registry",)


def outcomes(
    theorems: Sequence[Theorem],
    options: Options,
    jobs: int,
    limit: float = 0.0,
    *,
    second: bool = False,
    replay: bool = True,
    waiting: Callable[[str], None] = ignore,
) -> Generator[TheoremOutcome]:
    """What z3 says of each theorem, as soon as it is known: the quick ones are begun last.

    jobs: processes at a time. limit: seconds for one theorem, 0 = none; a theorem that takes
    longer, and one whose process dies, is UNKNOWN. second: the other solvers are asked, not z3.
    replay: counterexamples that z3 gives are executed in the model.
    waiting: called every now and then with the theorem that is under way for the longest time.
    Close the generator to end the processes.
    """
    quick_last = sorted(theorems, key=lambda theorem: is_quick(theorem.id))
    with Pool(jobs, fresh=_LOADED, limit=limit, waiting=waiting) as pool:
        tasks = [
            pool.submit(theorem.id, _decide, theorem.id, options, second, replay)
            for theorem in quick_last
        ]
        for task in pool.as_completed(tasks):
            outcome = task.outcome()
            if isinstance(outcome, Lost):
                outcome = _undecided(
                    outcome.name, ProofVerdict.UNKNOWN, outcome.why, outcome.seconds
                )
            yield outcome


def in_order(found: Sequence[TheoremOutcome]) -> tuple[TheoremOutcome, ...]:
    """Outcomes in the registry's order."""
    place = {id_: number for number, id_ in enumerate(BY_ID)}
    return tuple(sorted(found, key=lambda theorem_outcome: place[theorem_outcome.id]))


def _decide(id_: str, options: Options, second: bool, replay: bool) -> TheoremOutcome:
    began = process_time()
    try:
        solver = SecondSolver(options) if second else None
        outcome = decide(BY_ID[id_], options, solver)
        if replay and not second:
            outcome = with_replay(BY_ID[id_], outcome)
            outcome = replace(outcome, seconds=process_time() - began)
    except Exception as error:
        # A theorem that cannot be stated has failed; the others go on.
        traceback.print_exc()
        outcome = _undecided(
            id_, ProofVerdict.FAIL, f"{type(error).__name__}: {error}", process_time() - began
        )
    return outcome


def _undecided(id_: str, verdict: ProofVerdict, why: str, seconds: float) -> TheoremOutcome:
    twin = Answer(Decision.UNKNOWN, reason=why)
    return TheoremOutcome(id_, verdict, (), twin, (why,), 0, seconds)
