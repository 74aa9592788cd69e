"""What a verdict rests on: a history with its states, a schedule with its timeline."""

import json
from collections.abc import Iterable, Iterator, Sequence
from html import escape

from ipvs_est import OperationError, Oracle, Params, Revision, ViolationError
from ipvs_est.answers.results import Deadlocked, result_to_json
from ipvs_est.answers.state import State
from ipvs_est.language.operations import Operation
from ipvs_est.language.violations import describe
from ipvs_est_checks.explore.scenarios.scenario import load
from ipvs_est_checks.explore.timeline.picture import timeline_svg
from ipvs_est_checks.explore.timeline.steps import Timeline, timeline
from ipvs_est_checks.history.operation_words import in_words
from ipvs_est_checks.html.state import drawn
from ipvs_est_checks.known.finding import Finding
from ipvs_est_checks.known.schedule_story import search_finding

_MOST_STEPS = 40
"""Drawn of a history, its last ones; those before it are told by their number."""
_MOVES = ("first", "back", "on", "last")


def history(params: Params, revision: Revision, operations: Sequence[Operation]) -> str:
    """Step by step: the operation, its answer, and the state that it leaves on the revision."""
    oracle = Oracle(params, revision)
    before: State | None = None
    steps: list[str] = []
    for number, operation in enumerate(operations, 1):
        answer, ended = _answer(oracle, operation)
        state = oracle.state()
        head = (
            f"<p><b>{number}.</b> {escape(in_words(operation))} → <code>{escape(answer)}</code></p>"
        )
        steps.append(head + drawn(state, before, params.tick_chains))
        before = state
        if ended:
            break
    left = len(steps) - _MOST_STEPS
    note = f"<p>{left} steps before these are not drawn.</p>" if left > 0 else ""
    return note + walk(steps[-_MOST_STEPS:])


def schedule(finding: Finding, revision: Revision) -> str:
    """The schedule that shows a finding, as a picture and step by step; '' if none does."""
    if finding.schedule is None:
        return ""
    found = search_finding(finding, revision, lambda _: None)
    for failure in found.result.failures:
        scenario = load(finding.schedule.scenario)
        watched = finding.properties[0] if finding.properties[0] in found.job.watched else ""
        shown = timeline(scenario, revision, failure.found.choices, watched)
        title = f"{scenario.name} on {revision.name}"
        picture = timeline_svg(shown, title, scenario.about).partition("?>")[2]
        return f'<div class="scroll">{picture}</div>{walk(_steps(shown))}'
    return ""


def walk(steps: Iterable[str]) -> str:
    """Steps of which one is shown at a time, by buttons and arrow keys; all in print."""
    buttons = "".join(
        f'<button type="button" data-move="{move}">{move}</button> ' for move in _MOVES
    )
    body = "".join(f'<div class="step">{step}</div>' for step in steps)
    keys = f'<p class="keys">{buttons} <output></output></p>'
    return f'<div class="walk" tabindex="0">{keys}{body}</div>'


def _steps(shown: Timeline) -> Iterator[str]:
    for number, step in enumerate(shown.steps, 1):
        where = f" in {step.function}" if step.function else ""
        preempts = ", preempting" if step.preempts else ""
        held = ", ".join(f"{name} by {shown.columns[column]}" for name, column in step.holds)
        lines = "".join(f"<li>{escape(change)}</li>" for change in step.changes)
        changes = f"<ul>{lines}</ul>" if lines else ""
        head = f"<b>{number}.</b> {shown.columns[step.column]}{where}: {step.action}{preempts}"
        name, _, rest = head.partition("</b>")
        yield f"<p>{name}</b>{escape(rest)}</p><p>held: {escape(held or 'nothing')}</p>{changes}"


def _answer(oracle: Oracle, operation: Operation) -> tuple[str, bool]:
    """In a line, and whether the history ends there."""
    try:
        result = oracle.apply(operation)
    except OperationError as error:
        return f"refused: {error}", False
    except ViolationError as error:
        return describe(error.violation), True
    return _short(json.dumps(result_to_json(result))), isinstance(result, Deadlocked)


def _short(text: str) -> str:
    return text if len(text) <= 160 else f"{text[:160]}..."
