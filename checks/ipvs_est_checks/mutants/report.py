"""The kill matrix for people and for programs."""

import json
from collections.abc import Iterator
from typing import assert_never

from ipvs_est.language.header import params_to_json
from ipvs_est.language.operation_json import operation_to_json
from ipvs_est_checks.mutants.histories import TrialHistory
from ipvs_est_checks.mutants.kill_matrix import (
    Control,
    Kill,
    Matrix,
    MutantOutcome,
    MutantVerdict,
    breakers,
    unbroken,
)
from ipvs_est_checks.mutants.registry import BY_ID
from ipvs_est_checks.mutants.run import KillingSchedule
from ipvs_est_checks.report.json_text import json_text
from ipvs_est_checks.terminal import exit_codes
from ipvs_est_checks.text_edits import patch

REPORT_VERSION = 2
HEADINGS = ("mutant", "verdict", "property", "by", "tried", "steps", "seconds")

_WORDS = {
    MutantVerdict.KILLED: "KILLED",
    MutantVerdict.OTHER: "FAIL",
    MutantVerdict.SURVIVED: "FAIL",
    MutantVerdict.EQUIVALENT: "EQUIVALENT",
    MutantVerdict.UNFIT: "FAIL",
    MutantVerdict.LOST: "INCOMPLETE",
}


def row(outcome: MutantOutcome) -> tuple[str, ...]:
    """One line of the table: `tried` = histories or schedules, `steps` = operations of the shrunk
    history, or of the schedule."""
    kill = outcome.kill
    if kill is None:
        found = ("-", "-", "-", "-")
    else:
        shown = kill.shown
        steps = len(shown.operations if isinstance(shown, TrialHistory) else shown.choices)
        found = (kill.property, kill.engine.value, str(kill.tried), str(steps))
    return (outcome.mutant, _WORDS[outcome.verdict], *found, f"{outcome.seconds:.2f}")


def is_complete(matrix: Matrix) -> bool:
    """All mutants were run, so that a property that none breaks means something."""
    run = {
        outcome.mutant for outcome in matrix.outcomes if outcome.verdict is not MutantVerdict.LOST
    }
    return matrix.complete and run == BY_ID.keys()


def is_expected(outcome: MutantOutcome) -> bool:
    """Killed, or shown to change nothing."""
    return outcome.verdict in (MutantVerdict.KILLED, MutantVerdict.EQUIVALENT)


def exit_code(matrix: Matrix) -> int:
    """0 if everything is killed that can be and every property broken, 1 if not, 3 if one was
    lost, 130 if interrupted.

    A mutant that is shown to be equivalent is as recorded.
    """
    if not matrix.complete:
        return exit_codes.INTERRUPTED
    tried = [outcome for outcome in matrix.outcomes if outcome.verdict is not MutantVerdict.LOST]
    wrong = not all(is_expected(mutant_outcome) for mutant_outcome in tried)
    if wrong or matrix.control.unexplained or (is_complete(matrix) and unbroken(matrix.outcomes)):
        return exit_codes.FAIL
    if len(tried) < len(matrix.outcomes):
        return exit_codes.INCOMPLETE
    return exit_codes.PASS


def notes(matrix: Matrix) -> Iterator[str]:
    """The lines below the table: what is wrong, what is incomplete, totals."""
    for outcome in matrix.outcomes:
        yield from _about(outcome)
    if is_complete(matrix):
        for id_ in unbroken(matrix.outcomes):
            yield f"FAIL no mutant breaks {id_}"
    for odd in matrix.control.unexplained:
        yield f"FAIL unmutated {odd.revision} breaks {odd.property}, which no finding explains:"
        yield from (f"  {line}" for line in history_lines(odd.history))
    yield _totals(matrix)


def _about(outcome: MutantOutcome) -> Iterator[str]:
    mutant = BY_ID[outcome.mutant]
    match outcome.verdict:
        case MutantVerdict.KILLED:
            return
        case MutantVerdict.EQUIVALENT:
            yield f"EQUIVALENT {mutant.id}: {mutant.sentence}"
            yield f"  {mutant.reason}"
            yield f"  {outcome.evidence}"
        case MutantVerdict.UNFIT:
            yield f"FAIL {mutant.id}: {mutant.sentence}"
            yield f"  {unfit_text(outcome)}"
        case MutantVerdict.LOST:
            yield f"INCOMPLETE {mutant.id}: {mutant.sentence}"
            yield f"  {outcome.untried}"
        case MutantVerdict.OTHER | MutantVerdict.SURVIVED:
            yield f"FAIL {mutant.id}: {mutant.sentence}"
            broken = ", ".join(outcome.broken) or "nothing"
            yield f"  was to break {' or '.join(mutant.properties)}, breaks {broken}"
            yield from (f"  {line}" for line in patch(mutant.edits))
        case _:
            assert_never(outcome.verdict)


def unfit_text(outcome: MutantOutcome) -> str:
    """What is to be done about a mutant that does not fit the model."""
    return f"does not fit the model any more, so its edit has to follow: {outcome.untried}"


def _totals(matrix: Matrix) -> str:
    found = matrix.outcomes
    killed = sum(mutant_outcome.verdict is MutantVerdict.KILLED for mutant_outcome in found)
    waiting = sum(mutant_outcome.verdict is MutantVerdict.EQUIVALENT for mutant_outcome in found)
    broken = sum(bool(mutants) for mutants in breakers(found).values())
    control = matrix.control
    seconds = control.seconds + sum(mutant_outcome.seconds for mutant_outcome in found)
    equivalent = f"{waiting} proved equivalent"
    return (
        f"{killed} of {len(found)} mutants killed, {equivalent};"
        f" {broken} of {len(breakers(found))} properties broken;"
        f" control: {control.histories} histories, {control.operations} operations;"
        f" seed {matrix.seed}; {seconds:.1f} s"
    )


def history_lines(history: TrialHistory) -> Iterator[str]:
    """Params and operations, each as one line of JSON."""
    yield json.dumps(params_to_json(history.params))
    for operation in history.operations:
        yield json.dumps(operation_to_json(operation))


def json_report(matrix: Matrix) -> str:
    """The whole matrix; the same for the same seed but for the values of `seconds`."""
    body = {
        "complete": matrix.complete,
        "seed": matrix.seed,
        "mutants": [_outcome_json(outcome) for outcome in matrix.outcomes],
        "properties": {id_: list(ids) for id_, ids in breakers(matrix.outcomes).items()},
        "unbroken": list(unbroken(matrix.outcomes)) if is_complete(matrix) else None,
        "control": _control_json(matrix.control),
        "exit_code": exit_code(matrix),
    }
    return json_text("ipvs-est mutants", REPORT_VERSION, body)


def _outcome_json(outcome: MutantOutcome) -> dict[str, object]:
    mutant = BY_ID[outcome.mutant]
    return {
        "id": mutant.id,
        "sentence": mutant.sentence,
        "base": mutant.base.name,
        "properties": list(mutant.properties),
        "patch": patch(mutant.edits),
        "verdict": outcome.verdict.value,
        "reason": mutant.reason,
        "untried": outcome.untried,
        "broken": list(outcome.broken),
        "kill": None if outcome.kill is None else _kill_json(outcome.kill),
        "seconds": round(outcome.seconds, 3),
    }


def _kill_json(kill: Kill) -> dict[str, object]:
    return {
        "property": kill.property,
        "engine": kill.engine.value,
        "tried": kill.tried,
        "operations": kill.operations,
        "detail": kill.detail,
        **_shown_json(kill.shown),
    }


def _control_json(control: Control) -> dict[str, object]:
    return {
        "histories": control.histories,
        "operations": control.operations,
        "broken": list(control.broken),
        "unexplained": [
            {
                "revision": odd.revision,
                "property": odd.property,
                **_shown_json(odd.history),
            }
            for odd in control.unexplained
        ],
        "seconds": round(control.seconds, 3),
    }


def _shown_json(shown: TrialHistory | KillingSchedule) -> dict[str, object]:
    if isinstance(shown, KillingSchedule):
        return {
            "schedule": {
                "scenario": shown.scenario,
                "choices": list(shown.choices),
                "preemptions": shown.preemptions,
            }
        }
    operations = [operation_to_json(operation) for operation in shown.operations]
    return {"history": {"params": params_to_json(shown.params), "operations": operations}}
