"""Theorems on locks, tasks and the calc phase (semantics sections 4 to 12, 14, 15)."""

from collections.abc import Callable
from dataclasses import dataclass, replace

from ipvs_est.revision import MAINLINE, REPAIRED, REVISIONS, STABLE, V7, Revision
from ipvs_est_spec.proof.protocol import lemmas, waits
from ipvs_est_spec.proof.protocol import mutants as wrong
from ipvs_est_spec.proof.protocol import properties as bad
from ipvs_est_spec.proof.protocol.expression import (
    FALSE,
    Condition,
    both,
    either,
    flag,
    negated,
    unset,
)
from ipvs_est_spec.proof.protocol.lemma import Lemma, induction, owners
from ipvs_est_spec.proof.protocol.others import IDLE, NOT_BEGUN, WALK
from ipvs_est_spec.proof.protocol.parts import CTL, EXIT, KT0, KTN, SYSCTL, WORK
from ipvs_est_spec.proof.protocol.search import Where, run_goal
from ipvs_est_spec.proof.protocol.step import NONE, at
from ipvs_est_spec.proof.protocol.system import Edit, System, system
from ipvs_est_spec.proof.theorem import Goal, Theorem, Twin

GROUP = "protocol"
SCOPE = (
    "all interleavings of kthread 0, any kthread above 0, reload work, control processes, sysctl"
    " writers and netns exit; without bound"
)

Bad = Callable[[System], Condition]
"""What must not happen in a system."""


Lemmas = Callable[[System], tuple[Lemma, ...]]


def proved(
    revisions: tuple[Revision, ...],
    needed: Lemmas,
    wrong_state: Bad,
    assumed: tuple[Lemma, ...] = (),
) -> Callable[[], tuple[Goal, ...]]:
    """The goals of an inductive proof on each of the revisions."""

    def goals() -> tuple[Goal, ...]:
        found: list[Goal] = []
        for revision in revisions:
            one = system(revision)
            found += induction(revision.name, one, needed(one), wrong_state(one), assumed)
        return tuple(found)

    return goals


def run_of(revision: Revision, edit: Edit | None, wrong_state: Bad, where: Where) -> Goal:
    """The goal that no run of a revision, changed by `edit`, ends badly; to be refuted."""
    one = system(revision) if edit is None else system(revision, edit)
    return run_goal(revision.name, one, wrong_state(one), where)


_SYSCTL = {"sysctl": "1"}
_KTHREAD_N = (
    at(KT0, "loop"),
    at(KT0, "no room"),
    both(at(KT0, "loop"), flag("kdn")),
    both(at(KTN, "loop"), at(WORK, IDLE), unset("work_pending")),
)
"""On the way to a kthread above 0."""
RECALCULATION = (
    *_KTHREAD_N,
    both(at(SYSCTL, IDLE), flag("calc_phase"), flag("work_pending")),
    both(at(KT0, "new"), at(WORK, "other slots")),
)
"""On the way to a second calc phase, with a kthread above 0."""
RELINKING_N = (
    *RECALCULATION,
    at(WORK, IDLE),
    at(KT0, "stopping n"),
    at(KT0, "relinking kd n"),
)
"""On the way to the relinking of kd n."""


_STARTED_AGAIN = (
    *RECALCULATION,
    at(WORK, "starting n"),
    both(at(WORK, IDLE), flag("work_pending"), unset("genid_new"), at(KTN, NONE)),
    at(KT0, "relinking"),
)
_WRITTEN_MEANWHILE = (
    both(at(KT0, "limits"), at(WORK, IDLE)),
    both(at(SYSCTL, IDLE), flag("requested"), at(KT0, "limits")),
    at(KT0, "relinking"),
)


def via(*conditions: Condition) -> Where:
    """Look for a run without netns exit that passes by the conditions."""
    return Where((CTL, SYSCTL, WORK, KT0, KTN), _SYSCTL, conditions)


@dataclass(frozen=True, slots=True)
class Deadlock:
    """A known deadlock: who waits for whom in a circle, and where kthread 0 stands."""

    id: str
    sentence: str
    source: str
    actors: tuple[str, ...]
    kthread0: tuple[str, ...]
    where: Where
    unrepaired: Revision
    """Mainline without what removes this deadlock."""
    without: str
    """One sentence about that."""

    def bad(self, one: System) -> Condition:
        """The states in which it has happened."""
        circle = waits.circle(waits.edges(one), self.actors)
        return both(circle, at(KT0, *self.kthread0))


DEADLOCKS = (
    Deadlock(
        "a",
        "Kthread 0 wants est_mutex at the start of the calc phase, the reload work joins it under"
        " that.",
        "9, 11, 15; D03a",
        (KT0, WORK),
        ("limits", "measured, locked"),
        Where((CTL, SYSCTL, WORK, KT0), _SYSCTL),
        replace(MAINLINE, work_drops_est_mutex_for_kd0=False),
        "The reload work of mainline keeps est_mutex while it joins kthread 0.",
    ),
    Deadlock(
        "b",
        "Kthread 0 wants est_mutex to clear est_calc_phase, the reload work joins it under that.",
        "9, 11, 15; D03b",
        (KT0, WORK),
        ("limits set",),
        Where((CTL, SYSCTL, WORK, KT0), _SYSCTL, via=(at(KT0, "relinked"),)),
        replace(MAINLINE, work_drops_est_mutex_for_kd0=False),
        "The reload work of mainline keeps est_mutex while it joins kthread 0.",
    ),
    Deadlock(
        "c",
        "Kthread 0 wants est_mutex to add a context in the drain, the reload work joins it under"
        " that.",
        "6, 9, 10, 15; D03c",
        (KT0, WORK),
        ("no room",),
        Where((CTL, SYSCTL, WORK, KT0), _SYSCTL, via=(at(KT0, "draining"),)),
        replace(MAINLINE, work_drops_est_mutex_for_kd0=False),
        "The reload work of mainline keeps est_mutex while it joins kthread 0.",
    ),
    Deadlock(
        "d",
        "A control process removes the last estimator and joins kthread 0, which wants the service"
        " mutex.",
        "7, 15; D03d",
        (KT0, CTL),
        ("limits", "measured", "draining", "giving way", "giving way in kd n"),
        Where((CTL, WORK, KT0), {"sysctl": "0"}),
        replace(MAINLINE, kd0_until_exit=False),
        "On mainline too kd 0 goes with the last estimator.",
    ),
    Deadlock(
        "e",
        "Netns exit stops the total's estimator, the last one, and joins kthread 0 under est_mutex,"
        " which wants that in the calc phase.",
        "7, 11, 14, 15; D03e",
        (KT0, EXIT),
        ("measured, locked", "limits set"),
        Where(
            (CTL, WORK, KT0, EXIT),
            _SYSCTL,
            via=(
                both(at(KT0, "new"), at(WORK, IDLE), unset("work_pending"), at(CTL, IDLE)),
                both(at(KT0, "measured"), at(CTL, IDLE), at(EXIT, NOT_BEGUN)),
            ),
        ),
        replace(MAINLINE, kd0_until_exit=False, total_stopped_under_service_mutex=False),
        "On mainline too the total's estimator is stopped without the service mutex, and kd 0 with"
        " it.",
    ),
)


def _found(deadlock: Deadlock) -> Theorem:
    return Theorem(
        f"protocol.deadlock-{deadlock.id}",
        GROUP,
        deadlock.sentence,
        "one run of each revision, found by search over plain values and confirmed by z3",
        deadlock.source,
        lambda: tuple(run_of(each, None, deadlock.bad, deadlock.where) for each in (V7, STABLE)),
        Twin(
            deadlock.without,
            lambda: run_of(deadlock.unrepaired, None, deadlock.bad, deadlock.where),
        ),
        revision="v7, stable",
        properties=("locks.deadlock",),
        refuted_by=(f"D03{deadlock.id}",),
    )


def _owners(one: System) -> tuple[Lemma, ...]:
    return (owners(one),)


def relinked_under(one: System) -> Condition:
    """A kthread above 0 is alive or is started while estimators are relinked."""
    return either(bad.walk_while_relinking(), bad.start_while_relinking(one))


_EXIT_ALONE = (lemmas.no_control(),)
_ALL = tuple(REVISIONS.values())
_LATER = (MAINLINE, REPAIRED)


THEOREMS = (
    Theorem(
        "protocol.owners",
        GROUP,
        "A mutex is owned by the actor that stands where its program holds it, else by nobody.",
        SCOPE,
        "15",
        proved(_ALL, _owners, lambda one: FALSE),
        Twin(
            "After a break in the calc phase kthread 0 takes the service mutex whoever owns it.",
            lambda: run_of(
                REPAIRED,
                wrong.service_mutex_ignored,
                lambda one: negated(owners(system(REPAIRED)).condition),
                Where((CTL, WORK, KT0)),
            ),
        ),
    ),
    Theorem(
        "protocol.deadlock",
        GROUP,
        "No circle of actors of which each waits for a mutex or an exit that the next one keeps"
        " from coming.",
        SCOPE,
        "15; D03",
        proved(_LATER, _owners, waits.deadlock),
        Twin(
            "A kthread above 0 takes est_mutex (R3).",
            lambda: run_of(
                MAINLINE,
                wrong.kthread_n_locks,
                waits.deadlock,
                Where((CTL, SYSCTL, WORK, KT0, KTN), via=(*_KTHREAD_N, at(KTN, WALK))),
            ),
        ),
        revision="mainline, repaired",
        properties=("locks.deadlock",),
    ),
    *(_found(each) for each in DEADLOCKS),
    Theorem(
        "protocol.relinking",
        GROUP,
        "While estimators are relinked no kthread above 0 is alive, and none is started.",
        SCOPE,
        "8, 9, 11; R1, R5",
        proved(_ALL, lemmas.relinking, relinked_under, _EXIT_ALONE),
        Twin(
            "The reload work starts kthreads above 0 during the calc phase (R5).",
            lambda: run_of(
                MAINLINE, wrong.started_in_calc_phase, relinked_under, via(*_STARTED_AGAIN)
            ),
        ),
        properties=("tasks.relinking",),
    ),
    Theorem(
        "protocol.after-exit",
        GROUP,
        "After netns exit there is no task and no context, and none comes.",
        SCOPE,
        "9, 14; R6",
        proved(_ALL, lemmas.exit_order, lambda one: bad.alive_after_exit(), _EXIT_ALONE),
        Twin(
            "Exit frees the array while the reload work may still run (R6).",
            lambda: run_of(
                MAINLINE,
                wrong.work_not_awaited,
                lambda one: bad.alive_after_exit(),
                Where((CTL, WORK, EXIT), _SYSCTL, via=(at(WORK, "start 0"),)),
            ),
        ),
    ),
    Theorem(
        "protocol.start",
        GROUP,
        "No task is started while enable is 0 or after netns exit has begun.",
        SCOPE,
        "9, 14; R6, F16",
        proved((REPAIRED,), lemmas.starts, bad.start_while_disabled, _EXIT_ALONE),
        Twin(
            "The reload work does not test enable again after it has stopped kthread 0.",
            lambda: run_of(
                REPAIRED,
                wrong.not_tested_again,
                bad.start_while_disabled,
                Where((CTL, WORK, KT0, EXIT), _SYSCTL, (at(EXIT, "disabled"),)),
            ),
        ),
        revision="repaired",
        properties=("tasks.enabled",),
    ),
    Theorem(
        "protocol.start-unlocked",
        GROUP,
        "Netns exit clears enable without est_mutex, between the reload work's test of it and the"
        " start of a task.",
        "one run of each revision, found by search over plain values and confirmed by z3",
        "9, 14; R6",
        lambda: tuple(
            run_of(
                each,
                None,
                bad.start_while_disabled,
                Where((CTL, WORK, EXIT), _SYSCTL, (both(at(WORK, "queued"), at(CTL, IDLE)),)),
            )
            for each in (V7, STABLE, MAINLINE)
        ),
        Twin(
            "On repaired too.",
            lambda: run_of(
                replace(REPAIRED, clears_enable_under_est_mutex=False),
                None,
                bad.start_while_disabled,
                Where((CTL, WORK, EXIT), _SYSCTL, (both(at(WORK, "queued"), at(CTL, IDLE)),)),
            ),
        ),
        revision="v7, stable, mainline",
        properties=("tasks.enabled",),
        refuted_by=("F16",),
    ),
    Theorem(
        "protocol.memory",
        GROUP,
        "No freed context and no freed task is touched.",
        SCOPE,
        "7, 9, 11, 14; D02, D07, R6, R7",
        proved(_LATER, lemmas.memory, bad.freed_memory, _EXIT_ALONE),
        Twin(
            "After a break in the calc phase kthread 0 goes on with the kd n it had (R7).",
            lambda: run_of(
                MAINLINE,
                wrong.not_rechecked,
                bad.freed_memory,
                via(
                    *RELINKING_N,
                    at(KT0, "giving way in kd n"),
                    at(CTL, "stop, last of kd n, gone"),
                ),
            ),
        ),
        revision="mainline, repaired",
    ),
    Theorem(
        "protocol.memory-relinking",
        GROUP,
        "Kthread 0 relinks the last estimator of kd n, which is freed by that, and reads its"
        " est_row.",
        "one run of each revision, found by search over plain values and confirmed by z3",
        "7, 11; D07",
        lambda: tuple(
            run_of(each, None, bad.freed_memory, via(*RELINKING_N)) for each in (V7, STABLE)
        ),
        Twin(
            "On mainline too the remaining delay is computed from the kd.",
            lambda: run_of(
                replace(MAINLINE, relinked_delay_from_loop=False),
                None,
                bad.freed_memory,
                via(*RELINKING_N),
            ),
        ),
        revision="v7, stable",
        refuted_by=("D07", "F04"),
    ),
    Theorem(
        "protocol.request-remembered",
        GROUP,
        "While enable is 1, kthread 0 does not clear est_calc_phase when a recalculation was"
        " requested since its calc phase began.",
        SCOPE,
        "9, 11, 12; R4",
        proved(_LATER, lemmas.remembered, bad.request_forgotten, _EXIT_ALONE),
        Twin(
            "est_calc_phase is cleared although genid has changed (R4).",
            lambda: run_of(
                MAINLINE,
                wrong.genid_not_compared,
                bad.request_forgotten,
                via(*_WRITTEN_MEANWHILE),
            ),
        ),
        revision="mainline, repaired",
    ),
    Theorem(
        "protocol.request-served",
        GROUP,
        "A recalculation that is requested while tasks may run is under way, or kthread 0 is about"
        " to be restarted for it, or a writer or the reload work is at work.",
        SCOPE,
        "8, 9, 11, 12; R4",
        proved(_LATER, lemmas.served, lambda one: bad.request_unserved(), _EXIT_ALONE),
        Twin(
            "A write to est_cpulist does not request a restart.",
            lambda: run_of(
                MAINLINE,
                wrong.written_without_restart,
                lambda one: bad.request_unserved(),
                Where((CTL, SYSCTL, WORK, KT0), _SYSCTL, via=(at(KT0, "loop"),)),
            ),
        ),
        revision="mainline, repaired",
    ),
)
