"""Wrong protocols, for the twins of the theorems."""

from collections.abc import Callable
from dataclasses import replace

from ipvs_est_spec.proof.protocol.expression import Condition
from ipvs_est_spec.proof.protocol.others import WALK
from ipvs_est_spec.proof.protocol.parts import KT0, KTN
from ipvs_est_spec.proof.protocol.step import EST, SERVICE, Step, lock, unlock

Steps = tuple[Step, ...]


def changed(label: str, change: Callable[[Step], Step]) -> Callable[[Steps], Steps]:
    """Change the steps of that label; raises ValueError if there is none."""

    def edit(steps: Steps) -> Steps:
        if not any(each.label == label for each in steps):
            raise ValueError(f"no step {label!r}")
        return tuple(change(each) if each.label == label else each for each in steps)

    return edit


def guarded(label: str, guard: Condition) -> Callable[[Steps], Steps]:
    """Another guard for the steps of that label."""
    return changed(label, lambda step: replace(step, guard=guard))


def kthread_n_locks(steps: Steps) -> Steps:
    """R3: a kthread above 0 walks its chains under est_mutex."""
    others = tuple(
        each for each in steps if not (each.actor == KTN and WALK in (each.source, each.target))
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
