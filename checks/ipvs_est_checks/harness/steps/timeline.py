"""Where the model and the code part, as a timeline of both sides."""

from collections.abc import Sequence
from pathlib import Path

from ipvs_est_checks.harness.schedules.conflicts import source_places
from ipvs_est_checks.harness.steps.code_side import CodePoint, follow
from ipvs_est_checks.harness.steps.compare import Parting
from ipvs_est_checks.harness.steps.model_side import ModelTurn
from ipvs_est_checks.subjects.schedules import Ask

_BEFORE = 12
"""Common points that are told before the one at which they part."""


def parting_lines(parting: Parting, ask: Ask, executable: Path) -> list[str]:
    """The difference, and the way there: who went on, to which point of the model and of the code,
    with the function of the model and the place in the tree's source."""
    code = follow(ask, parting.model.steps, snapshots=False, frames=True)
    first = max(1, parting.step - _BEFORE)
    shown = code.points[first : parting.step + 1]
    places = source_places(executable, {frame for point in shown for frame in point.frames})
    lines = [f"at common point {parting.step}: {parting.what}"]
    if first > 1:
        lines.append(f"  ({first - 1} steps before)")
    for at in range(first, min(parting.step, len(parting.model.steps)) + 1):
        step = parting.model.steps[at - 1]
        point = code.points[at] if at < len(code.points) else None
        lines += _step_lines(at, step, point, places)
    lines += [_violation_line(violation) for violation in code.violations]
    return lines


def _step_lines(
    at: int, step: ModelTurn, point: CodePoint | None, places: dict[int, str]
) -> Sequence[str]:
    if step.name == "time":
        return [f"  {at:>4} time             {step.number} jiffies pass"]
    if step.name == "RCU":
        return [f"  {at:>4} RCU              a grace period ends, and its oldest callback runs"]
    model = f"{step.place or 'fails'}{f' in {step.function}' if step.function else ''}"
    lines = [f"  {at:>4} {step.name:<16} model: {model}"]
    if point is not None:
        where = next((places[frame] for frame in point.frames if places[frame]), "")
        lines.append(f"{'':23}code:  {point.place}{f' in {where}' if where else ''}")
    return lines


def _violation_line(violation: dict[str, object]) -> str:
    where = violation.get("where")
    return f"  the code: {violation['kind']}: {violation['thing']}{f' in {where}' if where else ''}"
