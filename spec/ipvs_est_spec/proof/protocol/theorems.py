"""Theorems on locks, tasks and the calc phase (semantics sections 4 to 12, 14, 15)."""

from collections.abc import Callable
from dataclasses import replace

from ipvs_est.language.revision import MAINLINE, REPAIRED, REVISIONS, V7_UNWIND, Revision
from ipvs_est_spec.proof.framework.theorem import Goal, Theorem, Twin
from ipvs_est_spec.proof.protocol import lemmas, waits
from ipvs_est_spec.proof.protocol import properties as bad
from ipvs_est_spec.proof.protocol.bad_runs import (
    DEADLOCKS,
    FOUND,
    TWINS,
    Bad,
    DeadlockRun,
    relinked_under,
)
from ipvs_est_spec.proof.protocol.expression import FALSE
from ipvs_est_spec.proof.protocol.lemma import Lemma, induction, owners
from ipvs_est_spec.proof.protocol.system import ProtocolSystem, system

GROUP = "protocol"
SCOPE = (
    "all interleavings of kthread 0, any kthread above 0, reload work, control processes, sysctl"
    " writers and netns exit; without bound"
)

Lemmas = Callable[[ProtocolSystem], tuple[Lemma, ...]]


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


def _twin(theorem: str, sentence: str) -> Twin:
    return Twin(sentence, TWINS[theorem].goal)


def _refuted(theorem: str) -> Callable[[], tuple[Goal, ...]]:
    return lambda: tuple(bad_run.goal() for bad_run in FOUND[theorem])


def _found(deadlock: DeadlockRun) -> Theorem:
    id_ = f"protocol.deadlock-{deadlock.id}"
    return Theorem(
        id_,
        GROUP,
        deadlock.sentence,
        "one run of each revision, found by search over plain values and confirmed by z3",
        deadlock.source,
        _refuted(id_),
        _twin(id_, deadlock.without),
        revision="v7, v7-unwind, stable",
        properties=("locks.deadlock",),
        refuted_by=deadlock.defects,
    )


def _owners(one: ProtocolSystem) -> tuple[Lemma, ...]:
    return (owners(one),)


_EXIT_ALONE = (lemmas.no_control(),)
_ALL = tuple(revision for revision in REVISIONS.values() if revision is not V7_UNWIND)
# v7-unwind is the same system as v7: they differ in how a service is undone whose estimator does
# not start, which is no step here. A test compares the two.
_LATER = (MAINLINE, REPAIRED)


_THEOREMS = (
    Theorem(
        "protocol.owners",
        GROUP,
        "A mutex is owned by the actor that stands where its program holds it, else by nobody.",
        SCOPE,
        "15",
        proved(_ALL, _owners, lambda one: FALSE),
        _twin(
            "protocol.owners",
            "After a break in the calc phase kthread 0 takes the service mutex whoever owns it.",
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
        _twin(
            "protocol.deadlock",
            "A kthread above 0 takes est_mutex (R3).",
        ),
        revision="mainline, repaired",
        properties=("locks.deadlock",),
    ),
    *(_found(deadlock) for deadlock in DEADLOCKS),
    Theorem(
        "protocol.relinking",
        GROUP,
        "While estimators are relinked no kthread above 0 is alive, and none is started.",
        SCOPE,
        "8, 9, 11; R1, R5",
        proved(_ALL, lemmas.relinking, relinked_under, _EXIT_ALONE),
        _twin(
            "protocol.relinking",
            "The reload work starts kthreads above 0 during the calc phase (R5).",
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
        _twin(
            "protocol.after-exit",
            "Exit frees kd 0 and does not stop its task.",
        ),
    ),
    Theorem(
        "protocol.start",
        GROUP,
        "No task is started while enable is 0 or after netns exit has begun.",
        SCOPE,
        "9, 14; R6, F16",
        proved((REPAIRED,), lemmas.starts, bad.start_while_disabled, _EXIT_ALONE),
        _twin(
            "protocol.start",
            "The reload work does not test enable again after it has stopped kthread 0.",
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
        _refuted("protocol.start-unlocked"),
        _twin(
            "protocol.start-unlocked",
            "On repaired too.",
        ),
        revision="v7, v7-unwind, stable, mainline",
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
        _twin(
            "protocol.memory",
            "After a break in the calc phase kthread 0 goes on with the kd n it had (R7).",
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
        _refuted("protocol.memory-relinking"),
        _twin(
            "protocol.memory-relinking",
            "On mainline too the remaining delay is computed from the kd.",
        ),
        revision="v7, v7-unwind, stable",
        refuted_by=("D07", "F04"),
    ),
    Theorem(
        "protocol.request-remembered",
        GROUP,
        "While enable is 1, kthread 0 does not clear est_calc_phase when a recalculation was"
        " requested since its calc phase began.",
        SCOPE,
        "9, 11, 12, 13; R4, N8",
        proved(_ALL, lemmas.remembered, bad.request_forgotten, _EXIT_ALONE),
        _twin(
            "protocol.request-remembered",
            "est_calc_phase is cleared although genid has changed (R4).",
        ),
        properties=("progress.not-lost",),
    ),
    Theorem(
        "protocol.request-served",
        GROUP,
        "A recalculation that is requested while tasks may run is under way, or kthread 0 is about"
        " to be restarted for it, or a writer or the reload work is at work.",
        SCOPE,
        "8, 9, 11, 12; R4",
        proved(_LATER, lemmas.served, lambda one: bad.request_unserved(), _EXIT_ALONE),
        _twin(
            "protocol.request-served",
            "A write to est_cpulist does not request a restart.",
        ),
        revision="mainline, repaired",
    ),
)

THEOREMS = tuple(replace(theorem, second_solver=True) for theorem in _THEOREMS)
