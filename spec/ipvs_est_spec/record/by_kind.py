"""The events of a record by what they are, so that each property goes through its own alone."""

from collections.abc import Sequence
from operator import itemgetter
from typing import TypeVar, cast

from ipvs_est.language.events import Event

E = TypeVar("E")

_Index = dict[type, list[tuple[int, Event]]]
"""By type: place in the record, and event."""


def of_kind(events: Sequence[Event], kind: type[E]) -> Sequence[E]:
    """Those of one kind, in their order."""
    found = [event for _, event in _index(events).get(kind, ())]
    # The index has under each type what is of it.
    return cast(Sequence[E], found)


def of_kinds(events: Sequence[Event], *kinds: type) -> Sequence[Event]:
    """Those of these kinds, in their order."""
    index = _index(events)
    found = [pair for kind in kinds for pair in index.get(kind, ())]
    found.sort(key=_PLACE)
    return [event for _, event in found]


_PLACE = itemgetter(0)
# Several properties ask about the same record, one after the other.
_last: list[tuple[Sequence[Event], int, _Index] | None] = [None]


def _index(events: Sequence[Event]) -> _Index:
    last = _last[0]
    if last is None or last[0] is not events or last[1] != len(events):
        index: _Index = {}
        for place, event in enumerate(events):
            index.setdefault(type(event), []).append((place, event))
        _last[0] = last = events, len(events), index
    return last[2]
