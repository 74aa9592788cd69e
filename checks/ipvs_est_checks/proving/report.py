"""The outcomes of `ipvs-est prove` for people and for programs."""

from collections.abc import Iterator
from dataclasses import dataclass

from ipvs_est_checks.report import verdict as whole
from ipvs_est_checks.report.json_text import json_text
from ipvs_est_checks.report.junit import INTERRUPTED, Case, Suite, junit_text
from ipvs_est_checks.terminal import exit_codes
from ipvs_est_spec.algebra.z3_names import z3
from ipvs_est_spec.proof.framework.solve import (
    Answer,
    Decided,
    Decision,
    Options,
    ProofVerdict,
    TheoremOutcome,
)
from ipvs_est_spec.proof.registry import BY_ID

Z3_VERSION = f"z3 {z3.get_version_string()}"

REPORT_VERSION = 1
_NAME = "ipvs-est prove"
_VERDICTS = {
    ProofVerdict.PROVED: whole.Verdict.PASS,
    ProofVerdict.FINDING: whole.Verdict.FINDING,
    ProofVerdict.FAIL: whole.Verdict.FAIL,
    ProofVerdict.UNKNOWN: whole.Verdict.INCOMPLETE,
}
HEADINGS = ("theorem", "verdict", "seconds", "queries", "revision", "sentence")

MOST_COMPLAINTS = 8
"""Of one theorem, for people: if it fails it often does so for every number of rows."""


@dataclass(frozen=True, slots=True)
class ProofReport:
    """A whole run."""

    options: Options
    solver: str
    """Who answered, with the version."""
    outcomes: tuple[TheoremOutcome, ...]
    seconds: float
    complete: bool = True
    """Not interrupted."""


def row(outcome: TheoremOutcome) -> tuple[str, ...]:
    """One line of the table."""
    theorem = BY_ID[outcome.id]
    return (
        theorem.id,
        outcome.verdict.value,
        f"{outcome.seconds:.2f}",
        str(outcome.queries),
        theorem.revision or "all",
        theorem.sentence,
    )


def exit_code(report: ProofReport) -> int:
    """0 if every theorem stands as recorded, 1, or 3 if z3 gave up on one; 130 if interrupted."""
    if not report.complete:
        return exit_codes.INTERRUPTED
    verdicts = {outcome.verdict for outcome in report.outcomes}
    if ProofVerdict.FAIL in verdicts:
        return exit_codes.FAIL
    return exit_codes.INCOMPLETE if ProofVerdict.UNKNOWN in verdicts else exit_codes.PASS


def details(outcome: TheoremOutcome) -> Iterator[str]:
    """What is below the table: complaints, counterexamples, assumptions, the twin."""
    theorem = BY_ID[outcome.id]
    yield f"{outcome.verdict.value} {theorem.id}: {theorem.sentence}"
    yield f"  for: {theorem.scope}{f'; up to {theorem.bound}' if theorem.bound else ''}"
    yield f"  source: {theorem.source}"
    if theorem.properties:
        yield f"  properties: {', '.join(theorem.properties)}"
    if theorem.refuted_by:
        yield f"  refuted by: {', '.join(theorem.refuted_by)}"
    for complaint in outcome.complaints[:MOST_COMPLAINTS]:
        yield f"  {complaint}"
    if (more := len(outcome.complaints) - MOST_COMPLAINTS) > 0:
        yield f"  and {more} more, all in --json"
    for id_, sentence in outcome.assumptions:
        yield f"  assumes {id_}: {sentence}"
    if outcome.obligations:
        yield f"  {_checked(outcome)}"
    shown = [
        obligation
        for obligation in outcome.obligations
        if obligation.answer.status is Decision.REFUTED
    ]
    # If it should hold, the complaints tell the others.
    for decided in shown if theorem.refuted_by else shown[:1]:
        yield f"  counterexample{f' ({decided.name})' if decided.name else ''}:"
        yield from _value_lines(decided.answer)
    yield f"  twin: {theorem.twin.sentence} It is {outcome.twin.status.value}:"
    yield from _value_lines(outcome.twin)
    yield from (f"  in the model, {line}" for line in outcome.replayed)


def summary(report: ProofReport) -> str:
    """The closing line."""
    counts = {
        proof_verdict: sum(o.verdict is proof_verdict for o in report.outcomes)
        for proof_verdict in ProofVerdict
    }
    named = "".join(
        f", {count} {proof_verdict.value}" for proof_verdict, count in counts.items() if count
    )
    obligations = sum(len(outcome.obligations) for outcome in report.outcomes)
    queries = sum(outcome.queries for outcome in report.outcomes)
    without = [
        one for o in report.outcomes for obligation in o.obligations for one in obligation.dropped
    ]
    refuted = sum(dropped.status is Decision.REFUTED for dropped in without)
    number = len(report.outcomes)
    return (
        f"{'' if report.complete else 'interrupted: '}"
        f"{number} theorem{'' if number == 1 else 's'}{named}; {obligations} obligations,"
        f" {refuted} of {len(without)} refuted without an assumption, {queries} queries;"
        f" {report.solver}, seed {report.options.seed};"
        f" {report.seconds:.1f} s"
    )


def json_report(report: ProofReport) -> str:
    """The record; the same for the same seed but for the values of `seconds`."""
    body = {
        "solver": report.solver,
        "seed": report.options.seed,
        "rlimit": report.options.rlimit,
        "assumptions_dropped": report.options.drop_assumptions,
        "complete": report.complete,
        "seconds": round(report.seconds, 3),
        "exit_code": exit_code(report),
        "theorems": [_theorem_json(outcome) for outcome in report.outcomes],
    }
    return json_text(_NAME, REPORT_VERSION, body)


def junit_report(report: ProofReport) -> str:
    """A test case for each theorem."""
    cases = tuple(
        Case(
            "ipvs_est.prove",
            outcome.id,
            _VERDICTS[outcome.verdict],
            outcome.seconds,
            "; ".join(outcome.complaints),
            "\n".join(details(outcome)) if outcome.verdict is ProofVerdict.FAIL else "",
            BY_ID[outcome.id].refuted_by if outcome.verdict is ProofVerdict.FINDING else (),
        )
        for outcome in report.outcomes
    )
    return junit_text([Suite(_NAME, cases, "" if report.complete else INTERRUPTED)])


def _checked(outcome: TheoremOutcome) -> str:
    premises = sum(obligation.premises is Decision.REFUTED for obligation in outcome.obligations)
    dropped = [one.status for obligation in outcome.obligations for one in obligation.dropped]
    refuted = sum(decision is Decision.REFUTED for decision in dropped)
    number = len(outcome.obligations)
    return (
        f"premises satisfiable: {premises} of {number} obligations;"
        f" refuted without an assumption: {refuted} of {len(dropped)}"
    )


def _value_lines(answer: Answer) -> Iterator[str]:
    yield from (f"    {name} = {value}" for name, value in answer.values)


def _theorem_json(outcome: TheoremOutcome) -> dict[str, object]:
    theorem = BY_ID[outcome.id]
    return {
        "id": theorem.id,
        "group": theorem.group,
        "sentence": theorem.sentence,
        "scope": theorem.scope,
        "bound": theorem.bound or None,
        "source": theorem.source,
        "revision": theorem.revision or None,
        "properties": list(theorem.properties),
        "refuted_by": list(theorem.refuted_by),
        "second_solver": theorem.second_solver,
        "verdict": outcome.verdict.value,
        "complaints": list(outcome.complaints),
        "assumptions": dict(outcome.assumptions),
        "obligations": [_obligation_json(obligation) for obligation in outcome.obligations],
        "twin": {"sentence": theorem.twin.sentence, **_answer_json(outcome.twin)},
        "replayed": list(outcome.replayed),
        "queries": outcome.queries,
        "seconds": round(outcome.seconds, 3),
    }


def _obligation_json(decided: Decided) -> dict[str, object]:
    # The query says that the premises contradict each other, so that refuted is good.
    premises = {
        Decision.REFUTED: "satisfiable",
        Decision.PROVED: "contradictory",
        Decision.UNKNOWN: "unknown",
    }
    return {
        "name": decided.name,
        **_answer_json(decided.answer),
        "premises": premises[decided.premises],
        "without": {dropped.assumption: dropped.status.value for dropped in decided.dropped},
        "seconds": round(decided.seconds, 3),
    }


def _answer_json(answer: Answer) -> dict[str, object]:
    return {
        "status": answer.status.value,
        "counterexample": dict(answer.values),
        "reason": answer.reason,
    }
