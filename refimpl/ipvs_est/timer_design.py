"""The design that the kthreads replaced: one timer that estimates everything in one softirq.

Every 2 s the timer walks the one list of all estimators, on the CPU whose timer it is. The
arithmetic of one estimation is that of `ipvs_est.stats`, which the kthreads kept.
"""

from dataclasses import dataclass, field

from ipvs_est.language.counters import sum_cpustats
from ipvs_est.machine.hlist import ListHead, add_head, linked, nodes, unlink
from ipvs_est.state.stats import Estimator, estimate

PERIOD_SECONDS = 2


@dataclass(slots=True, eq=False)
class TimerDesign:
    """The list and the timer. Mutable, as the kernel's are; build it with `start_timer`."""

    hz: int
    """Jiffies per second."""
    est_cost_ns: int
    """Nanoseconds that estimating one estimator takes, over all possible CPUs."""
    due: int
    """When the timer expires next: jiffies since boot, not wrapped."""
    est_list: ListHead[Estimator] = field(default_factory=ListHead)
    """All estimators, the newest first."""


@dataclass(frozen=True, slots=True)
class Expiry:
    """One expiry of the timer: one uninterrupted walk in softirq context."""

    jiffies: int
    """When it ran: since boot, not wrapped."""
    estimations: int
    """Estimators that the walk estimated."""
    softirq_ns: int
    """How long it kept its CPU, in which no task of that CPU could run."""


def start_timer(hz: int, est_cost_ns: int, now: int) -> TimerDesign:
    """An empty list, and the timer armed for 2*HZ jiffies after `now` (jiffies since boot).

    Raises `ValueError` unless `hz` is positive and `est_cost_ns` is not negative.
    """
    if hz < 1:
        raise ValueError(f"hz: {hz} is not positive")
    if est_cost_ns < 0:
        raise ValueError(f"est_cost_ns: {est_cost_ns} is negative")
    return TimerDesign(hz=hz, est_cost_ns=est_cost_ns, due=now + PERIOD_SECONDS * hz)


def start(design: TimerDesign, est: Estimator) -> None:
    """Put `est` at the head of the list: the next expiry estimates it (`ip_vs_start_estimator`).

    Raises `ValueError` if it is on a list already.
    """
    if linked(est):
        raise ValueError(f"the estimator of {est.stats.describe()} is started already")
    add_head(design.est_list, est)


def stop(est: Estimator) -> None:
    """Take `est` off the list; nothing to do if it is on none (`ip_vs_stop_estimator`)."""
    if linked(est):
        unlink(est)


def expire(design: TimerDesign, now: int) -> Expiry:
    """The timer runs at `now` (jiffies since boot): estimate all, re-arm 2*HZ later.

    Raises `ValueError` before it is due. A timer that runs late shifts all later ones.
    Source: `estimation_timer`; semantics section 3 for one estimation.
    """
    if now < design.due:
        raise ValueError(f"the timer is due at {design.due}, not at {now}")
    estimations = 0
    for est in nodes(design.est_list):
        estimate(est.stats, sum_cpustats(est.stats.cpustats))
        estimations += 1
    design.due = now + PERIOD_SECONDS * design.hz
    return Expiry(now, estimations, estimations * design.est_cost_ns)


def run_until(design: TimerDesign, now: int) -> tuple[Expiry, ...]:
    """Virtual time reaches `now`: each expiry due until then, on time."""
    expiries: list[Expiry] = []
    while design.due <= now:
        expiries.append(expire(design, design.due))
    return tuple(expiries)
