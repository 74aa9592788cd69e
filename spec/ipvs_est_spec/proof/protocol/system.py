"""The whole system: variables, initial states and steps of a revision."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from ipvs_est.language.revision import Revision
from ipvs_est_spec.proof.protocol.expression import FLAG, NO, YES
from ipvs_est_spec.proof.protocol.programs import kthread0
from ipvs_est_spec.proof.protocol.programs import other_tasks as others
from ipvs_est_spec.proof.protocol.programs.parts import ACTORS, CTL, EXIT, KT0, KTN, SYSCTL, WORK
from ipvs_est_spec.proof.protocol.programs.step import (
    EST,
    NOBODY,
    NONE,
    SERVICE,
    ProtocolStep,
    places,
)

FLAGS: Mapping[str, str] = {
    "sysctl": "The kernel has sysctl support; never changes.",
    "enable": "`enable`.",
    "est_stopped": "`est_stopped`.",
    "calc_phase": "`est_calc_phase`.",
    "chain_max": "`est_chain_max` is not 0.",
    "genid_new": "`est_genid` differs from `est_genid_done`.",
    "work_genid_old": "`est_genid` differs from what the reload work has read.",
    "work_restarts": "What the reload work has read differed from `est_genid_done`.",
    "work_failed": "The reload work could not start a task.",
    "work_pending": "The reload work is queued.",
    "work_ref": "The kd 0 that the reload work has in hand is not freed.",
    "kt0_genid_old": "`est_genid` differs from what kthread 0 remembers.",
    "kt0_ref": "The kd n that kthread 0 has in hand is in its slot and not freed.",
    "requested": "A recalculation was requested since the calc phase began.",
    "kd0": "Slot 0 has a kd.",
    "needed": "kd 0 is `needed`.",
    "kdn": "Slot n has a kd.",
    "stop_KT0": "Kthread 0's task is asked to stop.",
    "stop_KTn": "Kthread n's task is asked to stop.",
    "temp": "`est_temp_list` is not empty.",
    "total": "The total's estimator is linked.",
    "total_high": "The total may be in a kthread above 0.",
}

Edit = Callable[[tuple[ProtocolStep, ...]], tuple[ProtocolStep, ...]]
"""A change of the steps, for mutants."""


@dataclass(frozen=True, slots=True)
class ProtocolSystem:
    """A transition system over variables with finitely many values."""

    variables: Mapping[str, tuple[str, ...]]
    """Name -> values."""
    initial: tuple[Mapping[str, str], ...]
    steps: tuple[ProtocolStep, ...]


def system(revision: Revision, edit: Edit = lambda steps: steps) -> ProtocolSystem:
    """The protocol of a revision."""
    programs = (
        *kthread0.program(revision),
        *others.kthread_n(revision),
        *others.reload_work(revision),
        *others.control(revision),
        *others.sysctl(revision),
        *others.netns_exit(revision),
    )
    steps = edit(tuple(dict.fromkeys(programs)))
    variables: dict[str, tuple[str, ...]] = dict.fromkeys(FLAGS, FLAG)
    beginnings = initial_places()
    for actor in ACTORS:
        variables[actor] = tuple(dict.fromkeys((beginnings[actor], *places(steps, actor))))
    for mutex in (SERVICE, EST):
        owners = [step.actor for step in steps if step.acquires == mutex]
        variables[mutex] = (NOBODY, *dict.fromkeys(owners))
    return ProtocolSystem(variables, tuple(_initial(revision, variables)), steps)


def initial_places() -> dict[str, str]:
    """Where each actor begins."""
    return {
        KT0: NONE,
        KTN: NONE,
        WORK: others.IDLE,
        CTL: others.IDLE,
        SYSCTL: others.IDLE,
        EXIT: others.NOT_BEGUN,
    }


def _initial(
    revision: Revision, variables: Mapping[str, tuple[str, ...]]
) -> list[Mapping[str, str]]:
    """After netns init (section 14): with sysctl support the total waits on the temp list."""
    base = dict.fromkeys(variables, NO) | initial_places() | {SERVICE: NOBODY, EST: NOBODY}
    total = dict.fromkeys(("sysctl", "kd0", "temp", "total"), YES)
    if revision.work_starts_tasks:
        total["needed"] = YES
    return [base, base | total]
