"""Events as JSON objects and back (docs: SCHEMA.md)."""

from typing import get_args

from ipvs_est.language.codec import PLAIN, decode, encode
from ipvs_est.language.events import Event
from ipvs_est.language.input_error import InputError, join
from ipvs_est.language.json_input import type_name

EVENTS_VERSION = 1

KINDS: dict[str, type[Event]] = {argument.kind: argument for argument in get_args(Event)}
"""Every event's class by its name."""


def event_to_json(event: Event) -> dict[str, object]:
    """The event as a JSON object, its name first, under `event`."""
    return {"event": event.kind, **encode(event, {})}


def event_from_json(value: object, path: str = "") -> Event:
    """The inverse of `event_to_json`; raises InputError naming the field below `path`."""
    if not isinstance(value, dict):
        raise InputError(path, f"expected an object, found {type_name(value)}")
    kind = value.get("event")
    if not isinstance(kind, str) or kind not in KINDS:
        raise InputError(join(path, "event"), "is not the name of an event")
    members = {name: member for name, member in value.items() if name != "event"}
    return decode(KINDS[kind], members, PLAIN, path)
