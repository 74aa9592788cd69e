"""Goals that the chosen row fulfils the predicates of the catalogue."""

from collections.abc import Callable, Iterable, Sequence

from ipvs_est_spec.algebra.z3_names import z3
from ipvs_est_spec.proof.framework.theorem import Goal
from ipvs_est_spec.proof.rows import terms as rows
from ipvs_est_spec.proof.rows.bit_algebra import BitVectorAlgebra
from ipvs_est_spec.proof.rows.goals import RowInputs, row_goal
from ipvs_est_spec.properties import delay

_Predicate = Callable[[BitVectorAlgebra, Sequence[z3.BitVecRef]], z3.BoolRef]


def new_row_goals(
    geometries: Iterable[int],
    chooser: rows.Chooser = rows.chosen_row,
    besides: tuple[str, ...] = (),
) -> tuple[Goal, ...]:
    """`delay.new-row` for each number of rows."""
    return _goals(geometries, ("available", "new", *besides), delay.new_row, chooser)


def relinked_row_goals(
    geometries: Iterable[int],
    chooser: rows.Chooser = rows.chosen_row,
    besides: tuple[str, ...] = (),
) -> tuple[Goal, ...]:
    """`delay.relinked-row` for each number of rows."""
    return _goals(geometries, ("available", "relinked", *besides), delay.relinked_row, chooser)


def _goals(
    geometries: Iterable[int],
    assumptions: tuple[str, ...],
    predicate: _Predicate,
    chooser: rows.Chooser,
) -> tuple[Goal, ...]:
    def goal(nticks: int) -> Goal:
        def conclusion(inputs: RowInputs) -> z3.BoolRef:
            avail = inputs.choice.avail
            bits = [
                z3.ZeroExt(rows.INDEX - 1, z3.Extract(row, row, avail)) for row in range(nticks)
            ]
            case = [inputs.row, inputs.wanted, *bits]
            return predicate(BitVectorAlgebra(rows.INDEX), case)

        # With one or two rows a new estimator and a relinked one get the same.
        same = ("new", "relinked") if nticks <= 2 else ()
        needed = tuple(assumption for assumption in assumptions if assumption not in same)
        return row_goal(nticks, needed, conclusion, chooser)

    return tuple(goal(geometry) for geometry in geometries)
