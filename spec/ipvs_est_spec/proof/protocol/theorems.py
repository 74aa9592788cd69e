"""Theorems on locks, tasks and the calc phase (semantics sections 4 to 12, 14, 15)."""

from collections.abc import Callable
from dataclasses import dataclass, replace

from ipvs_est.revision import MAINLINE, REPAIRED, REVISIONS, STABLE, V7, Revision
from ipvs_est_spec.proof.protocol import mutants as wrong
from ipvs_est_spec.proof.protocol import waits
from ipvs_est_spec.proof.protocol.expression import FALSE, Condition, both, negated
from ipvs_est_spec.proof.protocol.lemma import Lemma, induction, owners
from ipvs_est_spec.proof.protocol.others import WALK
from ipvs_est_spec.proof.protocol.parts import CTL, EXIT, KT0, KTN, SYSCTL, WORK
from ipvs_est_spec.proof.protocol.search import Where, run_goal
from ipvs_est_spec.proof.protocol.step import at
from ipvs_est_spec.proof.protocol.system import Edit, System, system
from ipvs_est_spec.proof.theorem import Goal, Obligation, Theorem, Twin

GROUP = "protocol"
SCOPE = (
    "all interleavings of kthread 0, any kthread above 0, the reload work, control processes,"
    " sysctl writers and netns exit, with and without sysctl support; without bound"
)

Bad = Callable[[System], Condition]
"""What must not happen in a system."""


def proved(
    revisions: tuple[Revision, ...],
    lemmas: Callable[[System, Revision], tuple[Lemma, ...]],
    bad: Bad,
) -> Callable[[], tuple[Obligation, ...]]:
    """The goals of an inductive proof on each of the revisions."""

    def goals() -> tuple[Obligation, ...]:
        found: list[Obligation] = []
        for revision in revisions:
            one = system(revision)
            found += induction(revision.name, one, lemmas(one, revision), bad(one))
        return tuple(found)

    return goals


def run_of(revision: Revision, edit: Edit | None, bad: Bad, where: Where, name: str = "") -> Goal:
    """The goal that no run of a revision, changed by `edit`, ends badly; to be refuted."""
    one = system(revision) if edit is None else system(revision, edit)
    return run_goal(name or revision.name, one, bad(one), where)


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


_SYSCTL = {"sysctl": "1"}

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
        " which wants that at the end of the calc phase.",
        "7, 11, 14, 15; D03e",
        (KT0, EXIT),
        ("limits set",),
        Where((CTL, WORK, KT0, EXIT), _SYSCTL, via=(at(KT0, "relinked"),)),
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


def _owners(one: System, revision: Revision) -> tuple[Lemma, ...]:
    del revision
    return (owners(one),)


THEOREMS = (
    Theorem(
        "protocol.owners",
        GROUP,
        "A mutex is owned by the actor that stands where its program holds it, else by nobody.",
        SCOPE,
        "15",
        proved(tuple(REVISIONS.values()), _owners, lambda one: FALSE),
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
        proved((MAINLINE, REPAIRED), _owners, waits.deadlock),
        Twin(
            "A kthread above 0 takes est_mutex (R3).",
            lambda: run_of(
                MAINLINE,
                wrong.kthread_n_locks,
                waits.deadlock,
                Where((CTL, SYSCTL, WORK, KT0, KTN), via=(at(KTN, WALK),)),
            ),
        ),
        properties=("locks.deadlock",),
    ),
    *(_found(each) for each in DEADLOCKS),
)
