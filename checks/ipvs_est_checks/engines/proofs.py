"""Engine: every theorem is proved, or refuted where a finding says so."""

from collections.abc import Iterator

from ipvs_est_checks.proving.report import details
from ipvs_est_checks.proving.run import in_order, outcomes
from ipvs_est_checks.report.rows import Problem, Request, Row
from ipvs_est_checks.report.verdict import Verdict
from ipvs_est_spec.proof.framework.quick import is_quick
from ipvs_est_spec.proof.framework.solve import Options, TheoremOutcome
from ipvs_est_spec.proof.framework.solve import ProofVerdict as Proof
from ipvs_est_spec.proof.framework.theorem import Theorem
from ipvs_est_spec.proof.registry import BY_ID, THEOREMS

_VERDICTS = {
    Proof.PROVED: Verdict.PASS,
    Proof.FINDING: Verdict.FINDING,
    Proof.FAIL: Verdict.FAIL,
    Proof.UNKNOWN: Verdict.INCOMPLETE,
}


def engine_proofs(request: Request) -> Iterator[Row]:
    """A row for each theorem that is about the revisions and properties asked for.

    The quick profile decides those that are declared to take little time. z3's seed is that of
    `ipvs-est prove` without options, whatever the seed of the random histories. An interrupted
    run yields what it found until then.
    """
    asked = [theorem for theorem in THEOREMS if _is_asked_for(theorem, request)]
    chosen = [theorem for theorem in asked if request.profile != "quick" or is_quick(theorem.id)]
    found: list[TheoremOutcome] = []

    def waiting(theorem: str) -> None:
        request.progress(f"proofs: {theorem}", len(found), len(chosen))

    running = outcomes(chosen, Options(), request.jobs, waiting=waiting)
    try:
        for outcome in running:
            found.append(outcome)
    except KeyboardInterrupt:
        yield from map(_row, in_order(found))
        raise
    finally:
        running.close()
    by_id = {theorem_outcome.id: theorem_outcome for theorem_outcome in found}
    for theorem in asked:
        yield _row(by_id[theorem.id]) if theorem.id in by_id else _not_run(theorem)


def _is_asked_for(theorem: Theorem, request: Request) -> bool:
    about = {word for word in theorem.revision.split(", ") if word}
    if about.isdisjoint(revision.name for revision in request.revisions) and about:
        return False
    return request.properties is None or bool(request.properties & set(theorem.properties))


def _how(theorem: Theorem) -> str:
    return "bounded proof" if theorem.bound else "proved for all"


def _row(outcome: TheoremOutcome) -> Row:
    theorem = BY_ID[outcome.id]
    command = f"ipvs-est prove {theorem.id}"
    problems = tuple(
        Problem(theorem.id, theorem.revision, complaint, (), None, command)
        for complaint in outcome.complaints
    )
    return Row(
        theorem.id,
        theorem.sentence,
        theorem.revision,
        _VERDICTS[outcome.verdict],
        _how(theorem),
        outcome.queries,
        outcome.seconds,
        problems=problems,
        properties=theorem.properties or (theorem.id,),
        findings=theorem.refuted_by if outcome.verdict is Proof.FINDING else (),
        notes=tuple(details(outcome)) if outcome.verdict is Proof.FINDING else (),
    )


def _not_run(theorem: Theorem) -> Row:
    return Row(
        theorem.id,
        theorem.sentence,
        theorem.revision,
        Verdict.NOT_RUN,
        _how(theorem),
        0,
        0.0,
        f"ipvs-est prove {theorem.id}",
        properties=theorem.properties or (theorem.id,),
    )
