"""Theorems on the choice of row and chain, bit for bit (semantics section 5, items 2 to 4)."""

from ipvs_est_spec.algebra.z3_names import z3
from ipvs_est_spec.proof.framework.theorem import Goal, Theorem, Twin
from ipvs_est_spec.proof.rows import mutants as wrong
from ipvs_est_spec.proof.rows import terms as rows
from ipvs_est_spec.proof.rows.catalogue_goals import new_row_goals, relinked_row_goals
from ipvs_est_spec.proof.rows.goals import REAL, SCOPE, RowInputs, row_goal, row_goals

_GROUP = "rows"


def _in_range(inputs: RowInputs) -> z3.BoolRef:
    choice = inputs.choice
    return z3.ULT(inputs.row, choice.nticks) == (rows.available(choice) != 0)


def _latest_not_after(inputs: RowInputs) -> z3.BoolRef:
    """No available row lies between the chosen and the wanted one, or none is below at all."""
    available, row = rows.available(inputs.choice), inputs.row
    up_to_wanted = available & rows.mask_below(inputs.wanted + 1)
    above_row = ~rows.mask_below(row + 1)
    return z3.And(
        rows.bit(available, row),
        z3.If(
            z3.ULE(row, inputs.wanted),
            (up_to_wanted & above_row) == 0,
            z3.And(up_to_wanted == 0, (available & above_row) == 0),
        ),
    )


def _earliest_not_before(inputs: RowInputs) -> z3.BoolRef:
    """No available row lies between the wanted and the chosen one, or none is above at all."""
    available, row = rows.available(inputs.choice), inputs.row
    from_wanted = available & ~rows.mask_below(inputs.wanted)
    below_row = rows.mask_below(row)
    return z3.And(
        rows.bit(available, row),
        z3.If(
            z3.UGE(row, inputs.wanted),
            (from_wanted & below_row) == 0,
            z3.And(from_wanted == 0, (available & below_row) == 0),
        ),
    )


def _last_turn(inputs: RowInputs) -> z3.BoolRef:
    return z3.Implies(inputs.other_available, z3.ULE(inputs.other_turn, inputs.turn))


def _nearest_before(inputs: RowInputs) -> z3.BoolRef:
    nticks = inputs.choice.nticks
    return z3.Implies(
        inputs.other_available,
        z3.ULE(
            rows.ticks_between(inputs.row, inputs.wanted, nticks),
            rows.ticks_between(inputs.other, inputs.wanted, nticks),
        ),
    )


def _next_turn(inputs: RowInputs) -> z3.BoolRef:
    """Of two rows on the same side of the wanted one the sooner; on or after goes first."""
    delay = inputs.choice.delay
    late, other_late = z3.UGE(inputs.turn, delay), z3.UGE(inputs.other_turn, delay)
    return z3.Implies(
        inputs.other_available,
        z3.And(
            z3.Implies(other_late, late),
            z3.Implies(late == other_late, z3.ULE(inputs.turn, inputs.other_turn)),
        ),
    )


def chain_goal(chains: int | None, chooser: rows.ChainChooser = rows.chosen_chain) -> Goal:
    """The first chain that is not full, `chains` exactly if all are."""
    count = z3.BitVec("chains", rows.INDEX)
    full = z3.BitVec("full", rows.WORD)
    cid = chooser(full, count)
    mask = rows.mask_below(count)
    definitions = rows.size_between(count, chains or 1, chains or rows.WORD)
    lower_full = (~full & rows.mask_below(cid) & mask) == 0
    conclusion = z3.And(
        z3.ULT(cid, count) == ((full & mask) != mask),
        z3.ULE(cid, count),
        z3.Implies(z3.ULT(cid, count), z3.Not(rows.bit(full, cid))),
        lower_full,
    )
    name = "1..64 chains" if chains is None else f"{chains} chains"
    shown = (("chains", count), ("full", full & mask), ("cid", cid))
    return Goal(name, (), conclusion, definitions, shown)


THEOREMS = (
    Theorem(
        "rows.in-range",
        _GROUP,
        "The row found is inside the bitmap exactly if a row is available.",
        SCOPE,
        "5.2, 5.3; D01",
        lambda: row_goals((), _in_range),
        Twin(
            "The searches do not stop at the end of the bitmap.",
            lambda: row_goal(50, REAL, _in_range, wrong.found_beyond_the_end),
        ),
        second_solver=True,
    ),
    Theorem(
        "rows.chain",
        _GROUP,
        "The chain found is the first one that is not full, and inside the tick exactly if one is"
        " not.",
        "all bitmaps; 48 chains, 1 chain, and every number from 1 to 64",
        "5.4; D01",
        lambda: tuple(chain_goal(number) for number in (48, 1, None)),
        Twin("Chain 0 is left out.", lambda: chain_goal(48, wrong.second_chain)),
        second_solver=True,
    ),
    Theorem(
        "rows.new",
        _GROUP,
        "Where a row is available, a new estimator gets the latest one not after the wanted row,"
        " else the last.",
        SCOPE,
        "5.3; D30",
        lambda: row_goals(("available", "new"), _latest_not_after),
        Twin(
            "The search at or below the wanted row is skipped for row 0 (D30).",
            lambda: row_goal(
                50, ("available", "new", *REAL), _latest_not_after, wrong.skipped_for_row_0
            ),
        ),
        second_solver=True,
    ),
    Theorem(
        "rows.new-property",
        _GROUP,
        "Where a row is available, the choice for a new estimator fulfils the catalogue's"
        " predicate.",
        "all bitmaps, est_row, add_row and counts; each number of rows from 1 to 64",
        "5.3; D30",
        lambda: new_row_goals(range(1, rows.WORD + 1)),
        Twin(
            "The search at or below the wanted row is skipped for row 0 (D30).",
            lambda: new_row_goals((50,), wrong.skipped_for_row_0, REAL)[0],
        ),
        properties=("delay.new-row",),
        second_solver=True,
    ),
    Theorem(
        "rows.new-nearest",
        _GROUP,
        "Seen from the wanted row backwards round the revolution, a new estimator gets the first"
        " available row.",
        SCOPE,
        "5.3; D30",
        lambda: row_goals(("new",), _nearest_before),
        Twin(
            "The search at or below the wanted row is skipped for row 0 (D30).",
            lambda: row_goal(50, ("new", *REAL), _nearest_before, wrong.skipped_for_row_0),
        ),
    ),
    Theorem(
        "rows.new-last-turn",
        _GROUP,
        "With est_row as the base, a new estimator gets the available row whose turn, counted from"
        " est_row, comes last.",
        SCOPE,
        "5.2, 5.3",
        lambda: row_goals(("new", "many", "est_row"), _last_turn),
        Twin(
            "The base row is add_row in a full kthread too.",
            lambda: row_goal(50, ("new", "many", *REAL), _last_turn, wrong.from_add_row_always),
        ),
    ),
    Theorem(
        "rows.relinked",
        _GROUP,
        "Where a row is available, a relinked estimator gets the earliest one not before the wanted"
        " row, else the first.",
        SCOPE,
        "5.3; D50",
        lambda: row_goals(("available", "relinked"), _earliest_not_before),
        Twin(
            "It gets the row of a new estimator (D50).",
            lambda: row_goal(
                50, ("available", "relinked", *REAL), _earliest_not_before, wrong.below_for_all
            ),
        ),
        second_solver=True,
    ),
    Theorem(
        "rows.relinked-property",
        _GROUP,
        "Where a row is available, the choice for a relinked estimator fulfils the catalogue's"
        " predicate.",
        "all bitmaps, est_row and delays; each number of rows from 2 to 64",
        "5.3; D50",
        lambda: relinked_row_goals(range(2, rows.WORD + 1)),
        Twin(
            "It gets the row of a new estimator (D50).",
            lambda: relinked_row_goals((50,), wrong.below_for_all, REAL)[0],
        ),
        properties=("delay.relinked-row",),
        second_solver=True,
    ),
    Theorem(
        "rows.relinked-next-turn",
        _GROUP,
        "A relinked estimator gets the available row whose turn comes first of those not before"
        " its wanted one; without any such row, the one whose turn comes first of all, not the"
        " one nearest to its turn.",
        SCOPE,
        "5.2, 5.3; D18",
        lambda: row_goals(("relinked", "est_row", "delay"), _next_turn),
        Twin(
            "Without a row after the wanted one it gets the highest row.",
            lambda: row_goal(50, ("relinked", *REAL), _next_turn, wrong.highest_if_wrapped),
        ),
    ),
)
