"""Theorems on how long a chosen row makes an estimator wait (semantics section 5).

A row's turn is the number of ticks from est_row to it. est_row is the row that the kthread
estimates next, or is just estimating.
"""

from ipvs_est_spec.algebra.z3_names import z3
from ipvs_est_spec.proof.framework.theorem import Goal, Theorem, Twin
from ipvs_est_spec.proof.rows import mutants as wrong
from ipvs_est_spec.proof.rows import terms as rows
from ipvs_est_spec.proof.rows.goals import REAL, SCOPE, RowInputs, row_goal, row_goals

_GROUP = "rows"
_NEW_ROOM = ("new", "many", "room", "est_row")
_ADD_ROW = ("new", "few", "room", "est_row", "add_row")
_RELINKED = ("available", "relinked", "est_row", "delay")
_RELINKED_ROOM = ("relinked", "room", "est_row", "delay")
_WRAPPED = ("relinked", "none-later", "est_row-room", "est_row", "delay")


def _within_a_revolution(inputs: RowInputs) -> z3.BoolRef:
    return z3.ULE(inputs.first_delay, inputs.choice.nticks)


def _within_less(inputs: RowInputs) -> z3.BoolRef:
    return z3.ULT(inputs.first_delay, inputs.choice.nticks)


def _last_turn_of_all(inputs: RowInputs) -> z3.BoolRef:
    return inputs.turn == inputs.choice.nticks - 1


def _from_add_row(inputs: RowInputs) -> z3.BoolRef:
    """One tick less than from est_row to add_row, and no less than that if they are one row."""
    choice = inputs.choice
    distance = rows.ticks_between(choice.est_row, choice.add_row, choice.nticks)
    after = z3.URem(choice.est_row + 1, choice.nticks)
    return z3.And(
        inputs.turn == z3.If(distance == 0, choice.nticks - 1, distance - 1),
        (inputs.turn == choice.nticks - 1) == (choice.add_row == choice.est_row),
        (inputs.turn == 0) == (choice.add_row == after),
    )


def _now_or_after_a_revolution(inputs: RowInputs) -> z3.BoolRef:
    """At once, or after a whole revolution if the kthread has passed the chain in this tick."""
    return inputs.first_delay == z3.If(inputs.begun, inputs.choice.nticks, rows.index(0))


def _as_wanted(inputs: RowInputs) -> z3.BoolRef:
    return inputs.turn == inputs.choice.delay


def _shift_bounds(inputs: RowInputs) -> z3.BoolRef:
    choice, turn = inputs.choice, inputs.turn
    early = z3.And(
        z3.ULE(choice.delay - turn, choice.nticks - 2),
        z3.Implies(inputs.other_available, z3.ULT(inputs.other_turn, choice.delay)),
    )
    late = z3.ULE(turn - choice.delay, choice.nticks - 1 - choice.delay)
    return z3.If(z3.ULT(turn, choice.delay), early, late)


def _at_once(inputs: RowInputs) -> z3.BoolRef:
    return inputs.turn == 0


def _nearest(inputs: RowInputs) -> z3.BoolRef:
    return z3.Implies(inputs.other_available, z3.ULE(inputs.other_turn, inputs.turn))


def _interval(inputs: RowInputs) -> z3.BoolRef:
    """From the estimation before the relinking, nticks - delay ticks ago, to the next one."""
    nticks = inputs.choice.nticks
    interval = nticks - inputs.choice.delay + inputs.turn
    return z3.And(z3.ULE(rows.index(2), interval), z3.ULE(interval, 2 * nticks - 1))


def _interval_of_a_revolution(inputs: RowInputs) -> z3.BoolRef:
    nticks = inputs.choice.nticks
    return z3.ULE(nticks - inputs.choice.delay + inputs.turn, nticks)


def _only_one_row() -> tuple[Goal, ...]:
    return (
        *row_goals(("only-est_row", "est_row"), _now_or_after_a_revolution),
        *row_goals(("only-last", "est_row"), _last_turn_of_all),
    )


THEOREMS = (
    Theorem(
        "rows.first-delay",
        _GROUP,
        "The first estimation comes at most a revolution after enqueueing, whichever the base row,"
        " with and without room in the wanted row, and even if the kthread has passed the chain.",
        SCOPE,
        "5.2, 5.3, 8",
        lambda: row_goals(("est_row",), _within_a_revolution),
        Twin(
            "It comes in less than a revolution.",
            # Without an available row there is no first estimation to speak of.
            lambda: row_goal(50, ("available", *REAL), _within_less),
        ),
        second_solver=True,
    ),
    Theorem(
        "rows.new-room",
        _GROUP,
        "With est_row as the base, a new estimator whose wanted row has room gets the last turn of"
        " all, nticks-1 ticks from est_row.",
        SCOPE,
        "5.2, 5.3",
        lambda: row_goals(_NEW_ROOM, _last_turn_of_all),
        Twin(
            "The base row is add_row in a full kthread too.",
            lambda: row_goal(
                50, (*_NEW_ROOM, "add_row"), _last_turn_of_all, wrong.from_add_row_always
            ),
        ),
        second_solver=True,
    ),
    Theorem(
        "rows.new-add-row",
        _GROUP,
        "With add_row as the base, a new estimator whose wanted row has room, or one relinked with"
        " a delay of nticks-1, gets the turn before add_row's: the last exactly if add_row is"
        " est_row, and the first, an estimation at once, exactly if add_row is the row after"
        " est_row.",
        SCOPE,
        "5.2, 5.3",
        lambda: row_goals(_ADD_ROW, _from_add_row),
        Twin(
            "The base row is never add_row.",
            lambda: row_goal(50, _ADD_ROW, _from_add_row, wrong.from_est_row_always),
        ),
        second_solver=True,
    ),
    Theorem(
        "rows.only-row",
        _GROUP,
        "The bounds are reached, for every delay: with room in est_row alone the estimation comes"
        " at once, or after a revolution if the kthread has passed the chain; with room in the row"
        " before est_row alone its turn is the last of all.",
        SCOPE,
        "5.3, 8",
        _only_one_row,
        Twin(
            "The searches do not stop at the end of the bitmap.",
            lambda: row_goal(
                50,
                ("only-est_row", "est_row"),
                _now_or_after_a_revolution,
                wrong.found_beyond_the_end,
            ),
        ),
    ),
    Theorem(
        "rows.relinked-room",
        _GROUP,
        "A relinked estimator whose wanted row has room keeps its remaining delay.",
        SCOPE,
        "5.2, 5.3; D50",
        lambda: row_goals(_RELINKED_ROOM, _as_wanted),
        Twin(
            "The search starts one row too far.",
            lambda: row_goal(50, _RELINKED_ROOM, _as_wanted, wrong.after_the_wanted),
        ),
        second_solver=True,
    ),
    Theorem(
        "rows.relinked-shift",
        _GROUP,
        "Where a row is available, relinking makes an estimator late by at most nticks-1 ticks less"
        " its delay, or early by at most nticks-2 ticks, and early only if no row from the wanted"
        " one to the end of the revolution has room.",
        SCOPE,
        "5.2, 5.3; D18",
        lambda: row_goals(_RELINKED, _shift_bounds),
        Twin(
            "It gets the row of a new estimator (D50).",
            lambda: row_goal(50, (*_RELINKED, "add_row"), _shift_bounds, wrong.below_for_all),
        ),
    ),
    Theorem(
        "rows.relinked-wraps",
        _GROUP,
        "If none of those rows has room and est_row has, a relinked estimator gets est_row: it is"
        " early by its whole delay, even if the row before the wanted one has room too.",
        SCOPE,
        "5.3; D18",
        lambda: row_goals(_WRAPPED, _at_once),
        Twin(
            "It gets the available row nearest to its turn.",
            lambda: row_goal(50, (*_WRAPPED, "add_row"), _nearest),
        ),
    ),
    Theorem(
        "rows.relinked-interval",
        _GROUP,
        "Where a row is available, there are 2 to 2*nticks-1 ticks from the last estimation before"
        " relinking to the first one after it.",
        SCOPE,
        "3, 5.3, 11; D18",
        lambda: row_goals(_RELINKED, _interval),
        Twin(
            "There is at most a revolution between them.",
            lambda: row_goal(50, (*_RELINKED, "add_row"), _interval_of_a_revolution),
        ),
    ),
)
