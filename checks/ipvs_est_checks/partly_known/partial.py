"""A snapshot of which not all is known: what is absent is not zero."""

from collections.abc import Mapping
from dataclasses import dataclass, fields, is_dataclass
from types import NoneType, UnionType
from typing import Annotated, Any, Union, get_args, get_origin, get_type_hints

from ipvs_est import MAINLINE, Params, Snapshot
from ipvs_est.answers.snapshot import SNAPSHOT_VERSION, snapshot_from_json
from ipvs_est.answers.state import State
from ipvs_est.language.codec import OneOf, Range
from ipvs_est.language.header import params_to_json

# Any in this file: annotations and parsed JSON, both data from outside.

_STATE: Mapping[str, object] = {
    "jiffies": 0,
    "enable": 0,
    "stopped": 0,
    "kt_count": 0,
    "add_ktid": 0,
    "max_threads": 0,
    "chain_max": 0,
    "calc_phase": 0,
    "genid": 0,
    "genid_done": 0,
    "temp": [],
    "kthreads": [],
}
_KTHREAD: Mapping[str, object] = {
    "id": 0,
    "running": False,
    "est_count": 0,
    "est_max_count": 0,
    "chain_max": 0,
    "tick_max": 0,
    "add_row": 0,
    "est_row": 0,
    "est_timer": 0,
    "avail": "0",
    "ticks": {},
}
_TICK: Mapping[str, object] = {"len": 0, "present": "0", "full": "0", "chains": {}}
"""What stands where a member is absent; nothing that reads it counts."""


@dataclass(frozen=True, slots=True)
class Partial:
    """What is known of a state."""

    snapshot: Snapshot
    """Complete, but for what is absent it holds anything."""
    absent: frozenset[str]
    """Paths of what is not known, such as `contexts.tick_len`; what is below is absent too."""


def is_absent(partial: Partial, path: str) -> bool:
    """Whether that member is not known, or what it is a part of."""
    parts = path.split(".")
    return any(".".join(parts[:end]) in partial.absent for end in range(1, len(parts) + 1))


def partial_from_json(value: Mapping[str, Any], params: Params | None) -> Partial:
    """A snapshot of which any member may be absent; `params` are known from elsewhere.

    Raises InputError for what is there and no snapshot's, or if nothing tells the parameters.
    """
    absent: set[str] = set()
    known = dict(value)
    if params is not None and "params" not in known:
        known["params"] = params_to_json(params)
    # What it was made by says nothing of what holds.
    known.setdefault("version", SNAPSHOT_VERSION)
    known.setdefault("revision", MAINLINE.name)
    whole = _filled(Snapshot, known, "", absent)
    return Partial(snapshot_from_json(whole), frozenset(absent))


def _filled(wanted: Any, value: object, path: str, absent: set[str]) -> object:
    """The value, with what is absent in its objects; what is wrong in it is left as it is."""
    if get_origin(wanted) is Annotated:
        return value
    if get_origin(wanted) in (Union, UnionType):
        (inner,) = [argument for argument in get_args(wanted) if argument is not NoneType]
        return None if value is None else _filled(inner, value, path, absent)
    if get_origin(wanted) is tuple:
        item = get_args(wanted)[0]
        if not isinstance(value, list):
            return value
        return [_filled(item, entry, path, absent) for entry in value]
    if not isinstance(value, dict) or wanted is Params:
        return value
    if wanted is State:
        return _filled_state(value, path, absent)
    if not is_dataclass(wanted):
        return value
    hints = get_type_hints(wanted, include_extras=True)
    whole = dict(value)
    for field in fields(wanted):
        below = f"{path}.{field.name}" if path else field.name
        if field.name in value:
            whole[field.name] = _filled(hints[field.name], value[field.name], below, absent)
        elif field.name != "params":
            absent.add(below)
            whole[field.name] = _anything(hints[field.name])
    return whole


def _filled_state(value: dict[str, Any], path: str, absent: set[str]) -> object:
    state = _with(value, _STATE, path, absent)
    if isinstance(kthreads := state["kthreads"], list):
        state["kthreads"] = [
            _filled_kthread(kthread, f"{path}.kthreads", absent) for kthread in kthreads
        ]
    return state


def _filled_kthread(value: object, path: str, absent: set[str]) -> object:
    if not isinstance(value, dict):
        return value
    kthread = _with(value, _KTHREAD, path, absent)
    if isinstance(ticks := kthread["ticks"], dict):
        kthread["ticks"] = {
            row: _with(tick, _TICK, f"{path}.ticks", absent) if isinstance(tick, dict) else tick
            for row, tick in ticks.items()
        }
    return kthread


def _with(
    value: dict[str, Any], members: Mapping[str, object], path: str, absent: set[str]
) -> dict[str, Any]:
    absent |= {f"{path}.{name}" for name in members.keys() - value.keys()}
    return {**members, **value}


def _anything(wanted: Any) -> object:
    """Some value of the type, in JSON."""
    if get_origin(wanted) is Annotated:
        _, restriction = get_args(wanted)
        match restriction:
            case Range(low, _):
                return max(low, 0)
            case OneOf(values):
                return values[0]
            case _:
                pass
    if get_origin(wanted) in (Union, UnionType):
        return None
    if get_origin(wanted) is tuple:
        items = get_args(wanted)
        return [] if items[-1] is ... else [_anything(item) for item in items]
    if wanted is State:
        return dict(_STATE)
    if is_dataclass(wanted):
        assert isinstance(wanted, type)
        hints = get_type_hints(wanted, include_extras=True)
        return {field.name: _anything(hints[field.name]) for field in fields(wanted)}
    return {bool: False, str: "", int: 0}[wanted]
