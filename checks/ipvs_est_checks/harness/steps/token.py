"""A token of the explorer, found on the model, on the code of a tree."""

from collections.abc import Sequence
from dataclasses import dataclass

from ipvs_est.machine.points import FieldAccess
from ipvs_est_checks.explore.engine.world import RCU, TIME, repeat, start
from ipvs_est_checks.explore.failures.token import Token
from ipvs_est_checks.explore.scenarios.scenario import Scenario
from ipvs_est_checks.harness.building.build import build
from ipvs_est_checks.harness.building.options import Variant, options_for
from ipvs_est_checks.harness.building.tree import Tree
from ipvs_est_checks.harness.process import asking, running
from ipvs_est_checks.harness.steps.code_side import in_order_of_table, why_not
from ipvs_est_checks.harness.steps.compare import Compared, Pair, compare_one
from ipvs_est_checks.harness.steps.model_side import ModelTurn
from ipvs_est_checks.harness.steps.points import FIELDS
from ipvs_est_checks.harness.steps.timeline import parting_lines
from ipvs_est_checks.subjects.schedules import prepare
from ipvs_est_checks.terminal.bad_input import BadInputError


@dataclass(frozen=True, slots=True)
class OnCode:
    """What came of a token on the code."""

    lines: tuple[str, ...]
    """In words."""
    fails: bool
    """The two part, or the code fails as the model does."""


@dataclass(slots=True)
class _Choices:
    """The choices of a token; the model may go on by itself where the code does not stop."""

    wanted: Sequence[int]
    left_at: int | None = None
    """Where the token switches and the model cannot, because the code does not."""

    def __call__(
        self, made: Sequence[int], able: Sequence[int], steps: Sequence[ModelTurn]
    ) -> int | None:
        del steps
        for at, (one, other) in enumerate(zip(made, self.wanted, strict=False)):
            if one != other:
                self.left_at = at
                return None
        if len(made) >= len(self.wanted):
            return None
        choice = self.wanted[len(made)]
        return choice if choice in able else None


def token_on_code(tree: Tree, scenario: Scenario, token: Token) -> OnCode:
    """Follow a token on the code. Raises BadInputError if the code cannot be compared there."""
    why = why_not(scenario)
    if not why and scenario.params.steps_per_break:
        why = "the code breaks its walks after 64 steps only"
    if why:
        raise BadInputError(f"{scenario.name}: {why}")
    executable = build(tree, options_for(scenario.params, Variant.POINTS))
    with running(executable) as program:
        ask = asking(program)
        ready = in_order_of_table(ask, scenario)
        prepare(ask, ready)
        choices, done = _Choices(token.choices), Compared()
        parting = compare_one(Pair(ready, token.revision, ask), choices, done)
        if parting is not None:
            return OnCode(("they part", *parting_lines(parting, ask, executable)), fails=True)
    if choices.left_at is not None:
        return OnCode((_left_line(scenario, token, choices.left_at),), fails=True)
    failed = [f"both fail: {kind}" for kind in done.failures]
    compared = f"the code goes the token's way: {done.points} common points, equal"
    if token.watched:
        failed.append(f"{token.watched} is broken in states that both come to")
    return OnCode((compared, *failed), fails=bool(failed))


def _left_line(scenario: Scenario, token: Token, at: int) -> str:
    """At which step a token cannot be followed on the code, and why."""
    world = start(scenario, token.revision)
    for choice in token.choices[:at]:
        repeat(world, choice)
    thread = world.by_index[token.choices[at - 1]]
    point = thread.point
    why = "the code does not stop there"
    what = type(point).__name__
    if isinstance(point, FieldAccess):
        what = f"{'write' if point.write else 'read'} {point.field}"
        rows = [
            field for field in FIELDS if (field.field, field.write) == (point.field, point.write)
        ]
        why = rows[0].why or why
    then = {TIME: "time", RCU: "RCU"}.get(token.choices[at], "")
    then = then or world.by_index[token.choices[at]].task.name
    return (
        f"the two part at step {at + 1} of the token: {thread.task.name} is before {what} as"
        f" {then} goes on; {why}"
    )
