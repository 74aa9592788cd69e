"""Wrong protocols, for the twins of the theorems."""

from collections.abc import Callable
from dataclasses import replace

from ipvs_est_spec.proof.protocol.expression import TRUE, Condition, unset
from ipvs_est_spec.proof.protocol.programs.other_tasks import WALK
from ipvs_est_spec.proof.protocol.programs.parts import EXIT, KT0, KTN
from ipvs_est_spec.proof.protocol.programs.step import (
    EST,
    FREED,
    SERVICE,
    ProtocolStep,
    lock,
    unlock,
)

Steps = tuple[ProtocolStep, ...]


def changed(label: str, change: Callable[[ProtocolStep], ProtocolStep]) -> Callable[[Steps], Steps]:
    """Change the steps of that label; raises ValueError if there is none."""

    def edit(steps: Steps) -> Steps:
        if not any(step.label == label for step in steps):
            raise ValueError(f"no step {label!r}")
        return tuple(change(step) if step.label == label else step for step in steps)

    return edit


def guarded(label: str, guard: Condition) -> Callable[[Steps], Steps]:
    """Another guard for the steps of that label."""
    return changed(label, lambda step: replace(step, guard=guard))


def kthread_n_locks(steps: Steps) -> Steps:
    """R3: a kthread above 0 walks its chains under est_mutex."""
    others = tuple(
        step for step in steps if not (step.actor == KTN and WALK in (step.source, step.target))
    )
    return (
        *others,
        lock(KTN, "loop", WALK, EST),
        unlock(KTN, WALK, "loop", EST),
    )


def service_mutex_ignored(steps: Steps) -> Steps:
    """After a break in the calc phase kthread 0 takes the service mutex whoever owns it."""
    return changed("relock", lambda step: replace(step, acquires="", updates=((SERVICE, KT0),)))(
        steps
    )


def others_not_stopped(steps: Steps) -> Steps:
    """R1: kthread 0 relinks without stopping the kthreads above 0."""
    return tuple(
        replace(step, target="stopped") if step.target == "stopping n" else step for step in steps
    )


def genid_not_compared(steps: Steps) -> Steps:
    """R4: est_calc_phase is cleared although genid has changed."""
    return guarded("clear", TRUE)(steps)


def started_in_calc_phase(steps: Steps) -> Steps:
    """R5: the reload work starts kthreads above 0 during the calc phase."""
    return guarded("start n unless calc_phase", unset("est_stopped"))(steps)


def work_not_awaited(steps: Steps) -> Steps:
    """R6: netns exit frees the array while the reload work may still run."""
    return changed("wait for work", lambda step: replace(step, guard=TRUE, joins=""))(steps)


def not_rechecked(steps: Steps) -> Steps:
    """R7: after a break in the calc phase kthread 0 goes on with the kd n it had."""
    return tuple(
        replace(step, guard=TRUE) if step.source == "recheck kd n" else step
        for step in steps
        if step.label != "recheck"
    )


def exits_unreferenced(steps: Steps) -> Steps:
    """D02: kthread 0 returns by itself, and nobody holds a reference to its task."""
    return tuple(
        replace(step, target=FREED) if step.label == "by itself" else step for step in steps
    )


def written_without_restart(steps: Steps) -> Steps:
    """D34 the other way round: est_cpulist marks the calc phase and does not request a restart."""
    return changed("cpulist", lambda step: replace(step, target="write done"))(steps)


def not_tested_again(steps: Steps) -> Steps:
    """The reload work of mainline does not test enable again after it has stopped kthread 0."""
    return tuple(
        replace(step, guard=TRUE)
        if (step.source, step.target) == ("stopped 0, locked", "start 0")
        else step
        for step in steps
    )


def kthread_0_not_stopped(steps: Steps) -> Steps:
    """Netns exit frees kd 0 and does not stop its task."""
    return tuple(
        replace(step, guard=TRUE, target="free 0, freeing", updates=())
        if step.actor == EXIT and step.source == "free 0"
        else step
        for step in steps
    )
