"""Runs that end badly: of the revisions that a finding is about, and of wrong protocols.

Each is looked for over plain values, by way of conditions that keep the search small.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace

from ipvs_est.language.revision import MAINLINE, REPAIRED, STABLE, V7, Revision
from ipvs_est_spec.proof.framework.theorem import Goal
from ipvs_est_spec.proof.protocol import mutants as wrong
from ipvs_est_spec.proof.protocol import properties as bad
from ipvs_est_spec.proof.protocol import waits
from ipvs_est_spec.proof.protocol.expression import (
    FALSE,
    Condition,
    both,
    either,
    flag,
    negated,
    unset,
)
from ipvs_est_spec.proof.protocol.lemma import owners
from ipvs_est_spec.proof.protocol.programs.other_tasks import IDLE, NOT_BEGUN, WALK
from ipvs_est_spec.proof.protocol.programs.parts import CTL, EXIT, KT0, KTN, SYSCTL, WORK
from ipvs_est_spec.proof.protocol.programs.step import NEW, NONE, at
from ipvs_est_spec.proof.protocol.search import FoundRun, Where, find_run, run_goal
from ipvs_est_spec.proof.protocol.system import Edit, ProtocolSystem, system

Bad = Callable[[ProtocolSystem], Condition]
"""What must not happen in a system."""


@dataclass(frozen=True, slots=True)
class BadRun:
    """A run that ends badly, looked for on a revision, perhaps with changed steps."""

    revision: Revision
    edit: Edit | None
    wrong_state: Bad
    where: Where

    @property
    def system(self) -> ProtocolSystem:
        """The system that it is a run of."""
        return system(self.revision) if self.edit is None else system(self.revision, self.edit)

    def goal(self) -> Goal:
        """That there is no such run; to be refuted."""
        one = self.system
        return run_goal(self.revision.name, one, self.wrong_state(one), self.where)

    def find(self, *, few_turns: bool = False) -> FoundRun | None:
        """Such a run."""
        one = self.system
        return find_run(one, self.wrong_state(one), self.where, few_turns=few_turns)


_SYSCTL = {"sysctl": "1"}
_ENABLED = both(at(CTL, IDLE), at(WORK, "queued"))
"""The first service is there, and the reload work about to start kthread 0."""
_KTHREAD_N = (
    _ENABLED,
    at(KT0, "loop"),
    at(KT0, "no room"),
    both(at(KT0, "loop"), flag("kdn"), unset("temp")),
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


def via_failure(*conditions: Condition) -> Where:
    """The same, in which there may be no memory for a task."""
    return replace(via(*conditions), avoid=FALSE)


@dataclass(frozen=True, slots=True)
class DeadlockRun:
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
    defects: tuple[str, ...]
    """Rows of the known defects: more than one where kthread 0 may stand in several places."""

    def bad(self, one: ProtocolSystem) -> Condition:
        """The states in which it has happened."""
        circle = waits.circle(waits.edges(one), self.actors)
        return both(circle, at(KT0, *self.kthread0))


DEADLOCKS = (
    DeadlockRun(
        "a",
        "Kthread 0 wants est_mutex at the start of the calc phase, the reload work joins it under"
        " that.",
        "9, 11, 15; D03a",
        (KT0, WORK),
        ("limits", "measured, locked"),
        Where((CTL, SYSCTL, WORK, KT0), _SYSCTL),
        replace(MAINLINE, work_drops_est_mutex_for_kd0=False),
        "The reload work of mainline keeps est_mutex while it joins kthread 0.",
        ("D03a",),
    ),
    DeadlockRun(
        "b",
        "Kthread 0 wants est_mutex to clear est_calc_phase, the reload work joins it under that.",
        "9, 11, 15; D03b",
        (KT0, WORK),
        ("limits set",),
        Where((CTL, SYSCTL, WORK, KT0), _SYSCTL, via=(at(KT0, "relinked"),)),
        replace(MAINLINE, work_drops_est_mutex_for_kd0=False),
        "The reload work of mainline keeps est_mutex while it joins kthread 0.",
        ("D03b",),
    ),
    DeadlockRun(
        "c",
        "Kthread 0 wants est_mutex to add a context in the drain, the reload work joins it under"
        " that.",
        "6, 9, 10, 15; D03c",
        (KT0, WORK),
        ("no room",),
        Where((CTL, SYSCTL, WORK, KT0), _SYSCTL, via=(at(KT0, "draining"),)),
        replace(MAINLINE, work_drops_est_mutex_for_kd0=False),
        "The reload work of mainline keeps est_mutex while it joins kthread 0.",
        ("D03c",),
    ),
    DeadlockRun(
        "d",
        "A control process removes the last estimator and joins kthread 0, which wants the service"
        " mutex.",
        "7, 15; D03d",
        (KT0, CTL),
        ("limits", "measured", "draining", "giving way", "giving way in kd n"),
        Where((CTL, WORK, KT0), {"sysctl": "0"}),
        replace(MAINLINE, kd0_until_exit=False),
        "On mainline too kd 0 goes with the last estimator.",
        ("D03d",),
    ),
    DeadlockRun(
        "e",
        "Netns exit stops the total's estimator, the last one, and joins kthread 0 under est_mutex,"
        " which wants that in the calc phase.",
        "7, 11, 14, 15; D03e, D03f",
        (KT0, EXIT),
        ("measured", "measured, locked", "limits set"),
        Where(
            (CTL, WORK, KT0, EXIT),
            _SYSCTL,
            via=(
                both(
                    *(at(KT0, "new"), at(WORK, IDLE), unset("work_pending"), at(CTL, IDLE)),
                    at(EXIT, NOT_BEGUN),
                ),
                both(at(KT0, "measured"), at(CTL, IDLE), at(EXIT, NOT_BEGUN)),
            ),
        ),
        replace(MAINLINE, kd0_until_exit=False, total_stopped_under_service_mutex=False),
        "On mainline too the total's estimator is stopped without the service mutex, and kd 0 with"
        " it.",
        ("D03e", "D03f"),
    ),
)


def relinked_under(one: ProtocolSystem) -> Condition:
    """A kthread above 0 is alive or is started while estimators are relinked."""
    return either(bad.walk_while_relinking(), bad.start_while_relinking(one))


def _owners_wrong(one: ProtocolSystem) -> Condition:
    return negated(owners(system(REPAIRED)).condition)


def _alive_after_exit(one: ProtocolSystem) -> Condition:
    return bad.alive_after_exit()


def _request_unserved(one: ProtocolSystem) -> Condition:
    return bad.request_unserved()


_STARTING = Where((CTL, WORK, EXIT), _SYSCTL, (_ENABLED, at(WORK, "start 0")))
_AGAIN = (
    _ENABLED,
    both(at(KT0, "loop"), unset("temp")),
    both(at(SYSCTL, IDLE), flag("calc_phase"), flag("work_pending")),
    both(at(KT0, NEW), at(WORK, IDLE), unset("work_pending")),
)
"""On the way to a second calc phase."""

FOUND: Mapping[str, tuple[BadRun, ...]] = {
    **{
        f"protocol.deadlock-{deadlock.id}": tuple(
            BadRun(revision, None, deadlock.bad, deadlock.where) for revision in (V7, STABLE)
        )
        for deadlock in DEADLOCKS
    },
    "protocol.start-unlocked": tuple(
        BadRun(revision, None, bad.start_while_disabled, _STARTING)
        for revision in (V7, STABLE, MAINLINE)
    ),
    "protocol.memory-relinking": tuple(
        BadRun(revision, None, bad.freed_memory, via(*RELINKING_N)) for revision in (V7, STABLE)
    ),
}
"""Theorem that is refuted -> the runs that refute it."""

TWINS: Mapping[str, BadRun] = {
    "protocol.owners": BadRun(
        REPAIRED,
        wrong.service_mutex_ignored,
        _owners_wrong,
        via(*_AGAIN, at(KT0, "giving way"), at(CTL, "started")),
    ),
    "protocol.deadlock": BadRun(
        MAINLINE,
        wrong.kthread_n_locks,
        waits.deadlock,
        via(*_KTHREAD_N, at(KTN, WALK)),
    ),
    **{
        f"protocol.deadlock-{deadlock.id}": BadRun(
            deadlock.unrepaired, None, deadlock.bad, deadlock.where
        )
        for deadlock in DEADLOCKS
    },
    "protocol.relinking": BadRun(
        MAINLINE, wrong.started_in_calc_phase, relinked_under, via_failure(*_STARTED_AGAIN)
    ),
    "protocol.after-exit": BadRun(
        MAINLINE,
        wrong.kthread_0_not_stopped,
        _alive_after_exit,
        Where(
            (CTL, WORK, KT0, EXIT),
            _SYSCTL,
            (_ENABLED, both(at(KT0, "loop"), unset("temp")), at(EXIT, "disabled")),
        ),
    ),
    "protocol.start": BadRun(
        REPAIRED,
        wrong.not_tested_again,
        bad.start_while_disabled,
        Where(
            (CTL, WORK, KT0, EXIT),
            _SYSCTL,
            (_ENABLED, at(WORK, "stop 0, unlocked"), at(EXIT, "disabled")),
        ),
    ),
    "protocol.start-unlocked": BadRun(
        replace(REPAIRED, clears_enable_under_est_mutex=False),
        None,
        bad.start_while_disabled,
        _STARTING,
    ),
    "protocol.memory": BadRun(
        MAINLINE,
        wrong.not_rechecked,
        bad.freed_memory,
        via(
            *RELINKING_N,
            at(KT0, "giving way in kd n"),
            at(CTL, "stop, last of kd n, gone"),
            both(at(CTL, IDLE), unset("kdn")),
        ),
    ),
    "protocol.memory-relinking": BadRun(
        replace(MAINLINE, relinked_delay_from_loop=False),
        None,
        bad.freed_memory,
        via(*RELINKING_N),
    ),
    "protocol.request-remembered": BadRun(
        MAINLINE, wrong.genid_not_compared, bad.request_forgotten, via(*_WRITTEN_MEANWHILE)
    ),
    "protocol.request-served": BadRun(
        MAINLINE,
        wrong.written_without_restart,
        _request_unserved,
        Where((CTL, SYSCTL, WORK, KT0), _SYSCTL, via=(at(KT0, "loop"),)),
    ),
}
"""Theorem -> the run that refutes its twin."""
