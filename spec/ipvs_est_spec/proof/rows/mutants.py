"""Wrong ways to choose a row or a chain, for the twins of the theorems."""

from dataclasses import replace

from ipvs_est_spec.algebra.z3_names import z3
from ipvs_est_spec.proof.rows import terms as rows


def skipped_for_row_0(choice: rows.Choice) -> z3.BitVecRef:
    """The known defect D30."""
    at_row_0 = z3.And(rows.is_new(choice), rows.wanted_row(choice) == 0)
    return z3.If(
        at_row_0, rows.highest(rows.available(choice), choice.nticks), rows.chosen_row(choice)
    )


def found_beyond_the_end(choice: rows.Choice) -> z3.BitVecRef:
    """The searches look at the whole word."""
    return rows.chosen_row(replace(choice, nticks=rows.index(rows.WORD)))


def below_for_all(choice: rows.Choice) -> z3.BitVecRef:
    """A relinked estimator is treated as a new one."""
    return rows.latest_row(choice)


def from_add_row_always(choice: rows.Choice) -> z3.BitVecRef:
    """The base row of a new estimator is `add_row` in a full kthread too."""
    return rows.chosen_row(replace(choice, few=z3.BoolVal(True)))


def from_est_row_always(choice: rows.Choice) -> z3.BitVecRef:
    """The base row of a new estimator is never `add_row`."""
    return rows.chosen_row(replace(choice, few=z3.BoolVal(False)))


def after_the_wanted(choice: rows.Choice) -> z3.BitVecRef:
    """The search for a relinked estimator starts one row too far."""
    available, none = rows.available(choice), choice.nticks
    above = available & ~rows.mask_below(rows.wanted_row(choice) + 1)
    row = z3.If(above != 0, rows.lowest(above, none), rows.lowest(available, none))
    return z3.If(rows.is_new(choice), rows.latest_row(choice), row)


def highest_if_wrapped(choice: rows.Choice) -> z3.BitVecRef:
    """A relinked estimator without a row after the wanted one gets the highest row."""
    available, none = rows.available(choice), choice.nticks
    above = available & ~rows.mask_below(rows.wanted_row(choice))
    row = z3.If(above != 0, rows.lowest(above, none), rows.highest(available, none))
    return z3.If(rows.is_new(choice), rows.latest_row(choice), row)


def second_chain(full: z3.BitVecRef, chains: z3.BitVecRef) -> z3.BitVecRef:
    """Chain 0 is left out of the search."""
    return rows.lowest(~full & rows.mask_below(chains) & ~z3.BitVecVal(1, rows.WORD), chains)
