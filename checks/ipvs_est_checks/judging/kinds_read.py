"""By property of records: the kinds of events without which a record does not tell of it."""

from collections.abc import Mapping

_RUNS = ("resumed", "paused", "lock-taken", "lock-released")
_MOVES = ("enqueued", "relinked", "started", "stopped")
_PERIODS = ("estimated", *_MOVES, "task-started", "task-exited", "limits-computed")

KINDS_READ: Mapping[str, tuple[str, ...]] = {
    "delay.new-row": ("enqueued",),
    "delay.relinked-row": ("enqueued",),
    "delay.remaining": ("relinked",),
    "delay.first": _PERIODS,
    "delay.period": _PERIODS,
    "delay.closest": ("estimated", *_MOVES),
    "delay.longest": _PERIODS,
    "limits.published": ("context-added",),
    "limits.cpulist": ("cpulist-written",),
    "limits.requested": ("cpulist-set",),
    "limits.sysctl-kept": ("sysctl-written",),
    "place.start": ("start-returned",),
    "progress.not-lost": ("calc-phase-requested", "calc-phase-begun", *_RUNS),
    "tasks.enabled": ("task-started", "exit-begun", "exit-ended"),
    "tasks.relinking": ("task-started", "relinking-begun", "relinking-ended"),
    "load.chain": ("limits-measured",),
    "load.tick": ("limits-measured",),
    "load.cpus": ("limits-measured",),
    "rates.average": ("averaged",),
    "rates.range": ("averaged",),
    "rates.converges": ("averaged",),
    "rates.error": ("averaged",),
    "rates.nothing-lost": ("start-returned", "averaged"),
    "readers.group": ("start-returned", "counted", "reading-begun", "averaged"),
    "readers.counter": ("start-returned", "counted", "reading-begun", "averaged"),
    "readers.moved": ("task-started", "task-exited", "relinked"),
    "locks.order": _RUNS,
    "locks.kthreads": ("lock-taken", "paused"),
    "locks.lists": (*_RUNS, *_MOVES),
    "locks.est-fields": _RUNS,
    "locks.service-fields": _RUNS,
    "locks.deletion": ("paused",),
    "memory.dest": ("dest-taken",),
}
