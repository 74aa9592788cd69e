"""Memory orders to choose from, and what each makes of a scheduling point."""

from enum import Enum

from ipvs_est.machine.points import (
    Barrier,
    CancelWork,
    FieldAccess,
    Join,
    Lock,
    Point,
    QueueWork,
    Sleep,
    Start,
    Stop,
    Unlock,
)


class MemoryOrder(Enum):
    """When a store reaches the other tasks."""

    SC = "sc"
    """At once: sequential consistency."""
    TSO = "tso"
    """Later, but each task's stores in their order, as on x86."""
    RELAXED = "relaxed"
    """Later, stores to different places in any order but for barriers and releases."""


_ALWAYS = (Unlock, Sleep, Stop, Join, Start, QueueWork, CancelWork)
"""Unlocking is a release; the others are full barriers: they schedule, wake up, or are atomic
operations that Linux orders on every machine."""


def drains(order: MemoryOrder, point: Point) -> bool:
    """Whether all that a task has stored reaches the others before it does what the point says."""
    if isinstance(point, _ALWAYS):
        return True
    if isinstance(point, Barrier):
        return point.full
    if isinstance(point, Lock):
        # An atomic operation; where it is no more than an acquire, stores from before may sink
        # into the section.
        return order is MemoryOrder.TSO
    if isinstance(point, FieldAccess):
        if point.field == "kstats":
            # The stats lock is taken, and released in the same step.
            return True
        if point.field == "est_genid" and point.write:
            # atomic_inc: it orders nothing but on a machine whose atomic operations all do.
            return order is MemoryOrder.TSO
    return False
