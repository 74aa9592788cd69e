"""What must not happen, as conditions on states."""

from collections.abc import Iterator

from ipvs_est_spec.proof.protocol.expression import (
    NO,
    TRUE,
    Condition,
    Holds,
    Is,
    both,
    either,
    flag,
    negated,
    unset,
)
from ipvs_est_spec.proof.protocol.programs import kthread0
from ipvs_est_spec.proof.protocol.programs.other_tasks import ENDED, IDLE, NOT_BEGUN, WALK
from ipvs_est_spec.proof.protocol.programs.parts import CTL, EXIT, KT0, KTN, SYSCTL, WORK
from ipvs_est_spec.proof.protocol.programs.step import (
    EXITED,
    FREED,
    NEW,
    NOBODY,
    NONE,
    ProtocolStep,
    at,
    has_task,
)
from ipvs_est_spec.proof.protocol.system import ProtocolSystem
from ipvs_est_spec.properties import requests, tasks

RELINKING = (
    kthread0.RELINK,
    kthread0.RELINK_N,
    "giving way",
    "giving way in kd n",
    "recheck kd n",
    "unlinked",
    "relinked",
)
"""Where kthread 0 moves estimators, or is about to, or may have to go on with it."""


def can_step(step: ProtocolStep) -> Condition:
    """The step can be taken."""
    free = Is(step.acquires, (NOBODY,)) if step.acquires else TRUE
    return both(at(step.actor, step.source), free, step.guard)


def walk_while_relinking() -> Condition:
    """Kthread n, which walks its chains as it likes, is alive while estimators are relinked."""
    return both(at(KT0, *RELINKING), at(KTN, NEW, "loop", WALK))


def _starts(system: ProtocolSystem) -> Iterator[tuple[ProtocolStep, Condition]]:
    """The steps that start a task, each with the case that the catalogue makes of them."""
    exiting = negated(at(EXIT, NOT_BEGUN, ENDED))
    for step in system.steps:
        if step.starts:
            yield step, exiting


def start_while_disabled(system: ProtocolSystem) -> Condition:
    """A task is started, but not as the catalogue's `tasks.enabled` demands."""
    return either(
        *(
            both(
                can_step(step),
                negated(
                    Holds(
                        tasks.started_while_enabled,
                        (flag("enable"), int(step.starts == KTN), at(KT0, *RELINKING), exiting),
                    )
                ),
            )
            for step, exiting in _starts(system)
        )
    )


def start_while_relinking(system: ProtocolSystem) -> Condition:
    """A task is started, but not as the catalogue's `tasks.relinking` demands."""
    return either(
        *(
            both(
                can_step(step),
                negated(
                    Holds(
                        tasks.started_outside_relinking,
                        (flag("enable"), int(step.starts == KTN), at(KT0, *RELINKING), exiting),
                    )
                ),
            )
            for step, exiting in _starts(system)
        )
    )


def alive_after_exit() -> Condition:
    """Netns exit has ended, and there is a task or a context."""
    return both(at(EXIT, ENDED), either(has_task(KT0), has_task(KTN), flag("kd0"), flag("kdn")))


def request_forgotten(system: ProtocolSystem) -> Condition:
    """Kthread 0 clears `est_calc_phase`, but not as the catalogue's `progress.not-lost` demands."""
    clears = either(
        *(
            can_step(step)
            for step in system.steps
            if step.actor == KT0 and ("calc_phase", NO) in step.updates
        )
    )
    none_lost = Holds(requests.none_came_meanwhile, (0, flag("requested")))
    return both(clears, flag("enable"), negated(none_lost))


def request_unserved(*, needed: bool = True) -> Condition:
    """Nothing is under way that would recalculate, though it is requested and tasks may run; with
    `needed` if kd 0 is marked so, which not all revisions do."""
    return both(
        flag("calc_phase"),
        flag("enable"),
        unset("est_stopped"),
        flag("kd0"),
        *([flag("needed")] if needed else []),
        at(WORK, IDLE),
        unset("work_pending"),
        at(CTL, IDLE),
        at(SYSCTL, IDLE),
        at(EXIT, NOT_BEGUN),
        at(KT0, NONE, EXITED, FREED, "loop", "loop, stop?", "draining"),
    )


def freed_memory(system: ProtocolSystem) -> Condition:
    """A step touches a context or a task that is freed."""
    return either(
        *(both(can_step(step), negated(step.needs)) for step in system.steps if step.needs != TRUE)
    )
