"""What was found where a property fails, in more words than its sentence has."""

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import fields

from ipvs_est import Params
from ipvs_est.language.events import Event, Guarded, LockReleased, LockTaken, Paused, Resumed
from ipvs_est_checks.broken_properties import broken_cases
from ipvs_est_checks.history.monitor import WatchedHistory
from ipvs_est_spec.case_words import named_numbers
from ipvs_est_spec.catalogue import RECORD_PROPERTIES, STATE_PROPERTIES
from ipvs_est_spec.property import Case, RecordProperty
from ipvs_est_spec.witness import witness

_STATE = {prop.id: prop for prop in STATE_PROPERTIES}
_RECORD = {prop.id: prop for prop in RECORD_PROPERTIES}


def explain(seen: WatchedHistory, property_id: str) -> str:
    """The numbers with which the property fails there; '' if its failure says all."""
    failure = seen.failures.get(property_id)
    params = seen.oracle.machine.params
    if failure is None:
        return ""
    if property_id in _STATE:
        return witness(_STATE[property_id], params, failure.after)
    if property_id in _RECORD:
        return _first_case(_RECORD[property_id], params, seen.oracle.machine.events or [])
    return ""


def _first_case(failed: RecordProperty, params: Params, events: Sequence[Event]) -> str:
    case = _failing(failed, params, events)
    if case is None:
        return ""
    # The shortest beginning of the record that has it ends with the event that makes it.
    low, high = 0, len(events)
    while low + 1 < high:
        middle = (low + high) // 2
        if _failing(failed, params, events[:middle]) is None:
            low = middle
        else:
            high = middle
    return f"{named_numbers(failed.id, case)}; {_doing(events[:high])}"


def _failing(failed: RecordProperty, params: Params, events: Sequence[Event]) -> Case | None:
    return next(broken_cases(failed, params, events, Counter()), None)


_EST_FIELDS = (
    "est_genid",
    "est_max_threads",
    "est_cpulist_valid",
    "est_cpulist",
    "est_nice",
    "est_stopped",
    "run_estimation",
)
"""As `Guarded.est` has them."""


def _doing(events: Sequence[Event]) -> str:
    """The last event, in words."""
    event = events[-1]
    if isinstance(event, Paused | LockTaken | LockReleased | Resumed):
        before = next(
            one_event.guarded
            for one_event in reversed([event, *events[:-1]])
            if isinstance(one_event, Paused | LockTaken | LockReleased | Resumed)
        )
        changed = ", ".join(_changed(before, event.guarded))
        return f"at jiffies {event.jiffies} {event.task}" + (
            f" changed {changed}" if changed else f": {event.kind}"
        )
    numbers = [
        f"{field.name} {getattr(event, field.name)}"
        for field in fields(event)
        if field.name != "jiffies"
    ]
    return f"at jiffies {event.jiffies}: {event.kind}, " + ", ".join(numbers)


def _changed(before: Guarded, after: Guarded) -> Iterator[str]:
    for name, old, new in zip(_EST_FIELDS, before.est, after.est, strict=True):
        if old != new:
            yield f"{name} {old} -> {new}"
    if before.service[0] != after.service[0]:
        yield f"est_add_ktid {before.service[0]} -> {after.service[0]}"
    if before.service[1:] != after.service[1:]:
        yield f"est_kt_arr, {_kds(before)} -> {_kds(after)} contexts"


def _kds(guarded: Guarded) -> int:
    return sum(number >= 0 for number in guarded.service[1:])
