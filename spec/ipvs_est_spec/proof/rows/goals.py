"""The inputs of an enqueue, the assumptions on them, and goals on the row that comes out."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass

from ipvs_est_spec.algebra.z3_names import z3
from ipvs_est_spec.proof.framework.theorem import Assumption, Goal
from ipvs_est_spec.proof.rows import terms as rows

SCOPE = "all bitmaps, est_row, add_row, delays and counts; 50 rows, and every number from 1 to 64"


@dataclass(frozen=True, slots=True)
class RowInputs:
    """All that a goal can speak of."""

    choice: rows.Choice
    definitions: tuple[z3.BoolRef, ...]
    row: z3.BitVecRef
    """The chosen one."""
    wanted: z3.BitVecRef
    turn: z3.BitVecRef
    """Ticks from est_row to the chosen row, 0 .. nticks-1."""
    other: z3.BitVecRef
    """Any row at all: what holds of it holds of every row."""
    other_available: z3.BoolRef
    other_turn: z3.BitVecRef
    begun: z3.BoolRef
    """The kthread is already in the tick of est_row, past the chain."""
    first_delay: z3.BitVecRef
    """Ticks until the estimator is estimated for the first time."""


Conclusion = Callable[[RowInputs], z3.BoolRef]

REAL = ("est_row", "add_row", "delay")
"""Assumptions under which a counterexample can be tried in the model."""


def row_goals(
    assumptions: Iterable[str],
    conclusion: Conclusion,
    chooser: rows.Chooser = rows.chosen_row,
) -> tuple[Goal, ...]:
    """A goal for the kernel's 50 rows and one for all numbers of rows."""
    names = tuple(assumptions)
    return (row_goal(50, names, conclusion, chooser), row_goal(None, names, conclusion, chooser))


def row_goal(
    nticks: int | None,
    assumptions: Iterable[str],
    conclusion: Conclusion,
    chooser: rows.Chooser = rows.chosen_row,
) -> Goal:
    """A goal for that number of rows; None: any from 1 to 64."""
    inputs = inputs_of(nticks, chooser)
    choice = inputs.choice
    return Goal(
        "1..64 rows" if nticks is None else f"{nticks} rows",
        tuple(_assumption(assumption, choice) for assumption in assumptions),
        conclusion(inputs),
        inputs.definitions,
        (
            ("nticks", choice.nticks),
            ("avail", rows.available(choice)),
            ("est_row", choice.est_row),
            ("add_row", choice.add_row),
            ("delay", choice.delay),
            ("few", choice.few),
            ("wanted", inputs.wanted),
            ("row", inputs.row),
            ("turn", inputs.turn),
            ("begun", inputs.begun),
            ("other", inputs.other),
        ),
    )


def inputs_of(nticks: int | None, chooser: rows.Chooser) -> RowInputs:
    """Fresh inputs, and what is derived from them."""
    n = z3.BitVec("nticks", rows.INDEX)
    definitions = rows.size_between(n, nticks or 1, nticks or rows.WORD)
    choice = rows.Choice(
        n,
        z3.BitVec("avail", rows.WORD),
        _byte("est_row"),
        _byte("add_row"),
        _byte("delay"),
        z3.Bool("few"),
    )
    row, other, begun = chooser(choice), _byte("other"), z3.Bool("begun")
    turn = rows.ticks_between(choice.est_row, row, n)
    other_turn = rows.ticks_between(choice.est_row, other, n)
    other_available = z3.And(z3.ULT(other, n), rows.bit(choice.avail, other))
    wanted = rows.wanted_row(choice)
    return RowInputs(
        choice,
        definitions,
        row,
        wanted,
        turn,
        other,
        other_available,
        other_turn,
        begun,
        z3.If(z3.And(begun, turn == 0), n, turn),
    )


_ASSUMPTIONS: Mapping[str, tuple[str, Callable[[rows.Choice], z3.BoolRef]]] = {
    "available": ("A row is available.", lambda choice: rows.available(choice) != 0),
    "new": ("The delay is that of a new estimator.", rows.is_new),
    "relinked": (
        "The delay is not that of a new estimator.",
        lambda choice: z3.Not(rows.is_new(choice)),
    ),
    "est_row": ("est_row is a row.", lambda choice: z3.ULT(choice.est_row, choice.nticks)),
    "add_row": ("add_row is a row.", lambda choice: z3.ULT(choice.add_row, choice.nticks)),
    "delay": (
        "The delay is at most that of a new estimator.",
        lambda choice: z3.ULT(choice.delay, choice.nticks),
    ),
    "few": ("The kthread has few estimators: the base is add_row.", lambda choice: choice.few),
    "many": (
        "The kthread has many estimators: the base is est_row.",
        lambda choice: z3.Not(choice.few),
    ),
    "room": (
        "The wanted row has room.",
        lambda choice: rows.bit(choice.avail, rows.wanted_row(choice)),
    ),
    "only-est_row": ("est_row alone has room.", lambda choice: _only(choice, choice.est_row)),
    "only-last": (
        "The row before est_row alone has room.",
        lambda choice: _only(choice, z3.URem(choice.est_row + choice.nticks - 1, choice.nticks)),
    ),
    "est_row-room": ("est_row has room.", lambda choice: rows.bit(choice.avail, choice.est_row)),
    "none-later": (
        "No row from the wanted one to the one before est_row has room.",
        lambda choice: z3.And(*(_too_early(choice, row) for row in range(rows.WORD))),
    ),
}
"""Id -> sentence and what makes the term, which is only made where it is assumed."""


def _assumption(id_: str, choice: rows.Choice) -> Assumption:
    sentence, term = _ASSUMPTIONS[id_]
    return Assumption(id_, sentence, term(choice))


def _only(choice: rows.Choice, row: z3.BitVecRef) -> z3.BoolRef:
    one = z3.BitVecVal(1, rows.WORD) << z3.ZeroExt(rows.WORD - rows.INDEX, row)
    return rows.available(choice) == one


def _too_early(choice: rows.Choice, number: int) -> z3.BoolRef:
    """That row, if it is available, has its turn before the wanted delay."""
    row = rows.index(number)
    turn = rows.ticks_between(choice.est_row, row, choice.nticks)
    is_available = rows.bit(rows.available(choice), row)
    return z3.Implies(is_available, z3.ULT(turn, choice.delay))


def _byte(name: str) -> z3.BitVecRef:
    return z3.ZeroExt(rows.INDEX - 8, z3.BitVec(name, 8))
