"""The known defects and the negative controls, each with how the explorer meets it.

Source: known defects, sections 1 to 3. Nothing here steers a search: the scenarios are those of
the library, searched to one bound, and their failures are told apart by their signs afterwards.
"""

from dataclasses import dataclass
from enum import Enum

from ipvs_est_checks.explore.failures.cause import Sign, Waits
from ipvs_est_checks.mutants.registry import BY_ID
from ipvs_est_checks.revision_names import ALL, BEFORE_MAINLINE, BEFORE_STABLE, ONLY_V7
from ipvs_est_checks.text_edits import Edit

_WORK_JOINS = Waits("est_reload_work", "stop_kthread", innermost=True)


class DefectKind(Enum):
    """What a row of the table is."""

    DEFECT = "defect"
    """In merged revisions: found on those, silent on the others."""
    MUTANT = "mutant"
    """In none: found with the edits on its base, silent without."""
    INJECTED = "injected"
    """In merged revisions, where something fails that cannot fail in the model by itself."""
    CONTROL = "control"
    """Must not be found."""
    BOUND = "bound"
    """Accepted upstream: shown, and no failure."""


@dataclass(frozen=True, slots=True)
class DefectRow:
    """A row of the known defects."""

    id: str
    kind: DefectKind
    title: str
    """One line in kernel terms."""
    scenarios: tuple[str, ...]
    """Of the library; any one shows it."""
    signs: tuple[Sign, ...]
    """Any one of them. A control without signs: whatever the base does not show."""
    revisions: tuple[str, ...]
    """Where it has to show, for a mutant or a control: its base."""
    sentence_switches: int | None = None
    """Switches between tasks, as we count them in the catalogue's sentence: it gives no number.
    None = it tells no history. Where what is found has more, the note says why."""
    edits: tuple[Edit, ...] = ()
    note: str = ""
    """How it was tried, where that is not plain."""
    preemptions: int | None = None
    """Bound of its own, in place of the default one."""


def _deadlock(*waits: Waits) -> tuple[Sign, ...]:
    return (Sign("locks.deadlock", waits=waits),)


def _mutant(
    id_: str,
    scenario: str = "",
    sentence_switches: int | None = None,
    *,
    signs: tuple[Sign, ...] = (),
    note: str = "",
) -> DefectRow:
    """A mutant with a scenario and signs of its own, or those that it has by itself."""
    mutant = BY_ID[id_]
    return DefectRow(
        id_,
        DefectKind.MUTANT,
        mutant.sentence,
        (scenario or mutant.scenario,),
        signs or tuple(Sign(prop) for prop in mutant.properties),
        (mutant.base.name,),
        sentence_switches,
        mutant.edits,
        note,
    )


DEFECTS: tuple[DefectRow, ...] = (
    DefectRow(
        "D01",
        DefectKind.DEFECT,
        "out-of-bounds row after an aborted first calc phase",
        ("exit-in-calc-phase",),
        (Sign("bitmaps.in-range", "thing=ticks of kd 0, "),),
        BEFORE_STABLE,
        1,
    ),
    _mutant("D02", "exit-in-calc-phase", 2),
    DefectRow(
        "D03a",
        DefectKind.DEFECT,
        "deadlock: the reload work joins kthread 0, which begins the calc phase",
        ("restart-in-calc-phase",),
        _deadlock(_WORK_JOINS, Waits("ipvs-e:0", "calc_phase", innermost=True)),
        BEFORE_MAINLINE,
        4,
    ),
    DefectRow(
        "D03b",
        DefectKind.DEFECT,
        "deadlock: the reload work joins kthread 0, which ends the calc phase",
        ("restart-in-calc-phase",),
        _deadlock(_WORK_JOINS, Waits("ipvs-e:0", "_finish", innermost=True)),
        BEFORE_MAINLINE,
        3,
    ),
    DefectRow(
        "D03c",
        DefectKind.DEFECT,
        "deadlock: the reload work joins kthread 0, which adds a context in the drain",
        ("restart-in-drain",),
        _deadlock(_WORK_JOINS, Waits("ipvs-e:0", "add_kthread_context", innermost=True)),
        BEFORE_MAINLINE,
        3,
    ),
    DefectRow(
        "D03d",
        DefectKind.DEFECT,
        "deadlock: the last estimator's deletion joins kthread 0, which wants the service mutex",
        ("last-estimator-goes", "services-come-and-go"),
        _deadlock(Waits("CTL", "_release_kd0"), Waits("ipvs-e:0", of="__ip_vs_mutex, held by CTL")),
        BEFORE_MAINLINE,
        1,
    ),
    DefectRow(
        "D03e",
        DefectKind.DEFECT,
        "deadlock: netns exit joins kthread 0, which ends the calc phase",
        ("exit-in-recalculation",),
        _deadlock(Waits("EXIT", of="exit of"), Waits("ipvs-e:0", "_finish", innermost=True)),
        BEFORE_MAINLINE,
        3,
        note="the sentence begins where netns exit has already cleared enable and flushed under the"
        " service mutex. Kthread 0 holds that mutex while it relinks, and gives up when it sees"
        " enable 0: exit has to pass while it gives way, kthread 0 to get past its last test, and"
        " exit to stop the total: kthread 0, exit, kthread 0, exit. Reduction finds no schedule"
        " with fewer switches. It takes a third preemption: nothing makes exit wait its turn",
        preemptions=3,
    ),
    DefectRow(
        "D03f",
        DefectKind.DEFECT,
        "deadlock: netns exit joins kthread 0, which begins the calc phase",
        ("exit-in-recalculation",),
        _deadlock(Waits("EXIT", of="exit of"), Waits("ipvs-e:0", "calc_phase", innermost=True)),
        BEFORE_MAINLINE,
        2,
        note="kthread 0 ends the limits test, exit, kthread 0",
    ),
    DefectRow(
        "D04a",
        DefectKind.DEFECT,
        "thread limit stuck at 1: it is computed from a cpulist that is not copied yet",
        ("first-services-and-cpulist",),
        (Sign("limits.max-threads"),),
        BEFORE_MAINLINE,
        3,
    ),
    DefectRow(
        "D04b",
        DefectKind.DEFECT,
        "stop flag stuck: est_stopped is computed from a cpulist that is not copied yet",
        ("first-services-and-cpulist",),
        (Sign("limits.stopped"),),
        BEFORE_MAINLINE,
        3,
    ),
    DefectRow(
        "D04d",
        DefectKind.DEFECT,
        "the thread limit shrinks between its test and the publication of a context",
        ("limit-shrinks-in-drain",),
        (Sign("limits.published"),),
        BEFORE_MAINLINE,
        3,
    ),
    DefectRow(
        "D07",
        DefectKind.DEFECT,
        "relinking reads est_row of the context that it has just freed",
        ("delete-in-recalculation", "break-in-recalculation"),
        (Sign("memory.use-after-free", "field=est_row, where=ip_vs_est_calc_phase"),),
        BEFORE_MAINLINE,
        0,
    ),
    DefectRow(
        "D08",
        DefectKind.DEFECT,
        "netns exit takes the total off its list without the service mutex",
        ("exit-in-calc-phase",),
        (
            Sign("locks.lists"),
            Sign("memory.pointer", "thing=pprev, "),
            Sign("memory.leak", "thing=tick of row "),
        ),
        BEFORE_MAINLINE,
        1,
    ),
    DefectRow(
        "D09",
        DefectKind.DEFECT,
        "a service whose estimator does not start is undone through a cleared scheduler",
        ("first-service-without-memory",),
        (Sign("memory.pointer", "thing=scheduler"),),
        ONLY_V7,
        0,
    ),
    DefectRow(
        "D10",
        DefectKind.INJECTED,
        "a destination from the trash whose estimator does not start is leaked",
        ("dest-from-the-trash",),
        (Sign("memory.dest"),),
        BEFORE_MAINLINE,
        0,
        (
            Edit(
                "control.services:_add_trashed_dest",
                "    error = yield from start_estimator(machine, stats.est)\n",
                "    from ipvs_est.language.errno import ENOMEM\n"
                "    error = -ENOMEM\n"
                "    if not error:\n"
                "        yield from start_estimator(machine, stats.est)\n",
            ),
        ),
        "the start is made to fail: by itself it fails only when kd 0 has to be added, and the"
        " service that the destination comes back to has an estimator, so kd 0 is there",
    ),
    DefectRow(
        "D18",
        DefectKind.BOUND,
        "relinking does not keep every delay; at the thread limit the drain stops",
        ("limits-shrink",),
        (),
        ALL,
    ),
)
"""Section 1."""

REVIEWED: tuple[DefectRow, ...] = (
    _mutant("D20"),
    _mutant("D36", "two-kthreads-without-total"),
    _mutant("D53-reader"),
    _mutant("D53-writer"),
    _mutant(
        "D53-init",
        "packets-while-kthreads-read",
        signs=(Sign("", "livelock: "),),
        note="nobody waits for anybody: kthread 0 goes round and round, which is a livelock",
    ),
    _mutant("R1", "delete-in-recalculation"),
    _mutant("R2"),
    _mutant("R3", "two-control-processes"),
    _mutant("R4-genid"),
    _mutant("R4-count"),
    _mutant("R5"),
    _mutant("R6-enable", note="mainline breaks the same property by itself (F16)"),
    _mutant("R6-order"),
    _mutant("R7-slot"),
    _mutant("R7-kd"),
    _mutant("R7-tick"),
)
"""Section 2, the mistakes that are about concurrency; R4-barrier changes nothing: `ipvs-est mutants
R4-barrier`."""

CONTROLS: tuple[DefectRow, ...] = (
    DefectRow(
        "N1",
        DefectKind.CONTROL,
        "kthreads above 0 are not restarted when the calc phase ends",
        ("recalculation-to-the-end",),
        (Sign("progress.tasks"), Sign("progress.room"), Sign("tasks.relinking")),
        ("mainline",),
        note="explored as it is, over two quiet revolutions after the calc phase",
        preemptions=1,
    ),
    DefectRow(
        "N3",
        DefectKind.CONTROL,
        "the emptiness test of a valid cpulist without RCU",
        ("cpulist-empty-and-back", "first-services-and-cpulist"),
        (Sign("memory.use-after-free"), Sign("limits.stopped"), Sign("progress.stopped")),
        ("mainline",),
        note="explored as it is",
    ),
    DefectRow(
        "N4",
        DefectKind.CONTROL,
        "present is changed without atomic bit operations: a kthread works on a stale copy",
        ("delete-while-kthreads-read", "two-control-processes"),
        (),
        ("mainline",),
        edits=(
            Edit(
                "estimator.estimate_tick:estimate_tick",
                "    cid = 0\n",
                "    cid = 0\n    stale = 0 if td is None else td.present\n",
            ),
            Edit(
                "estimator.estimate_tick:estimate_tick",
                "find_next_bit(td.present, chains, cid)",
                "find_next_bit(stale, chains, cid)",
            ),
        ),
        note="variant: the bitmap is read once for each tick",
    ),
    DefectRow(
        "N5",
        DefectKind.CONTROL,
        "the stats lock is taken with BH enabled: packets do not take it",
        ("packets-and-second-kthread",),
        (Sign("locks.deadlock"), Sign("readers.group"), Sign("rates.nothing-lost")),
        ("mainline",),
        note="explored as it is: packets come at every point of a reader, of zeroing, of a kthread",
    ),
    DefectRow(
        "N6",
        DefectKind.CONTROL,
        "packets that see enable 0 around hook registration",
        ("packets-around-enable",),
        (Sign("readers.group"), Sign("memory.use-after-free"), Sign("memory.pointer")),
        ("mainline",),
        note="explored as it is: packets are counted before and after enable is set",
    ),
    DefectRow(
        "N7",
        DefectKind.CONTROL,
        "D01 through a stop request: the drain tests the stop flag, which stays set",
        ("restart-in-calc-phase", "two-sysctl-writers"),
        (Sign("bitmaps.in-range"), Sign("limits.known"), Sign("limits.tick")),
        BEFORE_STABLE,
        note="explored as it is on the revisions that have D01",
    ),
    DefectRow(
        "N8",
        DefectKind.CONTROL,
        "est_genid is counted by the first service, without est_mutex, and by two sysctl writers",
        ("first-service-and-two-writers",),
        (Sign("progress.not-lost"),),
        BEFORE_MAINLINE,
        note="explored as it is: an atomic counter loses no count (R4-count is without that)",
    ),
)
"""Section 3."""

ROWS = DEFECTS + REVIEWED + CONTROLS
