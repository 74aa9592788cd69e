"""Properties that are known to fail on a merged revision: collected, so that the search goes on.

Each with its reason. A property of the catalogue or of the model that is not named here for
a revision ends the search when it fails.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from ipvs_est import Snapshot


@dataclass(frozen=True, slots=True)
class Known:
    """Why a property fails."""

    reason: str
    seen_in: Callable[[Snapshot], bool] | None = None
    """Tells the state in which it fails for that reason; None = whatever the state."""


def _hole_at_thread_limit(state: Snapshot) -> bool:
    slots = state.state.kthreads
    return None in slots and len(slots) >= state.state.max_threads


def _add_ktid_is_hole(state: Snapshot) -> bool:
    slots = state.state.kthreads
    return state.state.add_ktid < len(slots) and slots[state.state.add_ktid] is None


STALE_FLAGS = (
    "New limits leave the flags of the tick in which kd 0 keeps its last estimator as the old"
    " limits made them."
)
_HOLES_COUNT = Known(
    "The thread limit is compared with est_kt_count, which counts holes: at the limit a hole is"
    " not used again, and estimators wait though fewer kthreads run than are allowed.",
    _hole_at_thread_limit,
)
_HOLE_STAYS_CHOSEN = Known(
    "With all kthreads full est_add_ktid names the lowest hole. A later deletion above the hole"
    " takes the minimum of the two slots, so the hole stays chosen though a kthread has space.",
    _add_ktid_is_hole,
)
_MASK_AT_EXIT = Known(
    "Netns exit frees the cpulist's mask without est_mutex, before it cancels the reload work."
)
_D01 = Known("D01: kthread 0 drains with all limits 0 after an aborted first calc phase.")
_D03 = Known("D03: kthread 0 and whoever stops it wait for each other.")
_TOTAL_OVERTAKEN = Known(
    "Without memory for its tick the total goes back to the temp list. What is added before the"
    " next attempt goes to the list's head, and may fill kd 0 before the total's turn comes."
)
_D04 = Known(
    "D04: the first service sets `enable` and what follows from it without est_mutex; and netns"
    " exit frees the cpulist's mask without it."
)
_D08 = Known("D08: netns exit stops the total's estimator without the service mutex.")
_D07 = Known("D07: a recalculation reads est_row of a kd that it has just freed.")
_D09 = Known("D09: the error path of adding a service calls through a cleared scheduler.")

_NO_LIMIT_AT_EXIT = Known(
    "The thread limit is tested only while `enable` is set, and the drain goes on without.",
    lambda state: not state.state.enable,
)

_MAINLINE = {
    "bitmaps.full": Known(STALE_FLAGS),
    "bitmaps.avail": Known(STALE_FLAGS),
    "bitmaps.in-range": Known(STALE_FLAGS + " An available row may then have no chain left."),
    "limits.chain": Known(STALE_FLAGS + " A chain not marked as full takes one too many."),
    "progress.room": _HOLES_COUNT,
    "array.add-ktid-usable": _HOLE_STAYS_CHOSEN,
    "locks.est-fields": _MASK_AT_EXIT,
    "place.total": _TOTAL_OVERTAKEN,
    "limits.published": _NO_LIMIT_AT_EXIT,
}
_STABLE = {
    **_MAINLINE,
    "memory.use-after-free": _D07,
    "locks.deadlock": _D03,
    "locks.est-fields": _D04,
    "locks.lists": _D08,
    "locks.service-fields": _D08,
}
_V7 = {
    **_STABLE,
    "memory.pointer": _D09,
    "limits.known": _D01,
    "limits.tick": _D01,
    "limits.kthread": _D01,
}

EXPECTED: Mapping[str, Mapping[str, Known]] = {
    "v7": _V7,
    "stable": _STABLE,
    "mainline": _MAINLINE,
}
"""By revision and property. `repaired` has none: whatever fails there is news."""


def reason_for(revision: str, property_id: str, state: Snapshot) -> str:
    """Why the property fails on that revision in that state; '' if it must not."""
    known = EXPECTED.get(revision, {}).get(property_id)
    if known is None or (known.seen_in is not None and not known.seen_in(state)):
        return ""
    return known.reason
