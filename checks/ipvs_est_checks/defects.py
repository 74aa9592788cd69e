"""The known defects and the negative controls, each with how the explorer meets it.

Source: known defects, sections 1 and 3. Nothing here steers the search: every scenario of the
library is searched to the same bound, and its failures are then told apart by their signs.
"""

from dataclasses import dataclass

from ipvs_est.revision import MAINLINE, STABLE, V7, Revision
from ipvs_est_checks.explore.cause import Sign, Waits
from ipvs_est_checks.mutants import BY_ID
from ipvs_est_checks.mutation import Edit

_OLD = ("v7", "stable")
_WORK_JOINS = Waits("est_reload_work", "stop_kthread", innermost=True)


@dataclass(frozen=True, slots=True)
class Defect:
    """A row of section 1."""

    id: str
    title: str
    """One line in kernel terms."""
    signs: tuple[Sign, ...]
    """Any one of them."""
    revisions: tuple[str, ...]
    """Where it is listed."""
    scenario: str
    """Of the library; one that must find it."""
    switches: int
    """Context switches of the history that the catalogue tells."""
    mutant: str = ""
    """It is in no merged revision: the mutant that has it."""


DEFECTS: tuple[Defect, ...] = (
    Defect(
        "D01",
        "out-of-bounds row after an aborted first calc phase",
        (Sign("bitmaps.in-range", "where=ip_vs_enqueue_estimator"),),
        ("v7",),
        "exit-in-calc-phase",
        3,
    ),
    Defect(
        "D02",
        "a task that exited by itself is joined through a dangling pointer",
        (
            Sign("memory.use-after-free", "thing=task ipvs-e:0"),
            Sign("memory.double-free", "thing=task ipvs-e:0"),
            Sign("tasks.referenced"),
        ),
        (),
        "exit-in-calc-phase",
        4,
        mutant="D02",
    ),
    Defect(
        "D03a",
        "deadlock: the reload work joins kthread 0, which begins the calc phase",
        (
            Sign(
                "locks.deadlock",
                waits=(_WORK_JOINS, Waits("ipvs-e:0", "calc_phase", innermost=True)),
            ),
        ),
        _OLD,
        "restart-in-calc-phase",
        6,
    ),
    Defect(
        "D03b",
        "deadlock: the reload work joins kthread 0, which ends the calc phase",
        (
            Sign(
                "locks.deadlock", waits=(_WORK_JOINS, Waits("ipvs-e:0", "_finish", innermost=True))
            ),
        ),
        _OLD,
        "restart-in-calc-phase",
        6,
    ),
    Defect(
        "D03c",
        "deadlock: the reload work joins kthread 0, which adds a context in the drain",
        (
            Sign(
                "locks.deadlock",
                waits=(_WORK_JOINS, Waits("ipvs-e:0", "add_kthread_context", innermost=True)),
            ),
        ),
        _OLD,
        "restart-in-drain",
        5,
    ),
    Defect(
        "D03d",
        "deadlock: the last estimator's deletion joins kthread 0, which wants the service mutex",
        (
            Sign(
                "locks.deadlock",
                waits=(
                    Waits("CTL", "_release_kd0"),
                    Waits("ipvs-e:0", of="__ip_vs_mutex, held by CTL"),
                ),
            ),
        ),
        _OLD,
        "last-estimator-goes",
        3,
    ),
    Defect(
        "D03e",
        "deadlock: netns exit joins kthread 0, which ends the calc phase",
        (
            Sign(
                "locks.deadlock",
                waits=(
                    Waits("EXIT", "_stop_total"),
                    Waits("ipvs-e:0", "_finish", innermost=True),
                ),
            ),
        ),
        _OLD,
        "exit-in-a-break",
        5,
    ),
    Defect(
        "D07",
        "relinking reads est_row of the context that it has just freed",
        (Sign("memory.use-after-free", "field=est_row, where=ip_vs_est_calc_phase"),),
        _OLD,
        "delete-in-recalculation",
        2,
    ),
)


@dataclass(frozen=True, slots=True)
class Control:
    """A row of section 3: what a checker must not report."""

    id: str
    title: str
    base: Revision
    edits: tuple[Edit, ...]
    """The variant; none: the revision itself is what the row speaks of."""
    scenarios: tuple[str, ...]
    forbidden: tuple[Sign, ...]
    """What must not be found; none: nothing that the unedited revision does not show."""


CONTROLS: tuple[Control, ...] = ()

CATALOGUE = tuple(each.id for each in DEFECTS)

__all__ = ["BY_ID", "CONTROLS", "DEFECTS", "MAINLINE", "STABLE", "V7", "Control", "Defect"]
