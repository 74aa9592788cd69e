"""Frozen dataclasses to JSON and back, strictly, driven by their annotations.

Covers what the snapshots use: int, bool, str, None in unions, tuples of any or of fixed
length, nested dataclasses, and Annotated with a `Range` or `OneOf`. Types with a form of
their own are given by the caller.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, fields, is_dataclass
from functools import cache
from types import NoneType, UnionType
from typing import Annotated, Any, TypeVar, Union, get_args, get_origin, get_type_hints

from ipvs_est.language.input_error import InputError, join
from ipvs_est.language.json_input import shorten, type_name

T = TypeVar("T")

Encoders = Mapping[type, Callable[[object], dict[str, object]]]
Decoders = Mapping[type, Callable[[object, str], object]]

_NAMES = {int: "an integer", bool: "a boolean", str: "a string"}

# Any in this file: annotations and parsed JSON, both data from outside.


@dataclass(frozen=True, slots=True)
class Range:
    """Annotates an integer with its smallest and largest value."""

    low: int
    high: int | None
    """None: no bound."""


@dataclass(frozen=True, slots=True)
class OneOf:
    """Annotates a string with all its values."""

    values: tuple[str, ...]


def encode(value: object, special: Encoders) -> dict[str, object]:
    """A dataclass as a JSON object."""
    encoded = _encode(value, special)
    assert isinstance(encoded, dict)
    return encoded


def decode(wanted: type[T], value: object, special: Decoders, path: str = "") -> T:
    """The dataclass `wanted` from a JSON object; raises InputError naming the field."""
    decoded = _decode(wanted, value, special, path)
    assert isinstance(decoded, wanted)
    return decoded


def _encode(value: object, special: Encoders) -> object:
    own = special.get(type(value))
    if own is not None:
        return own(value)
    if is_dataclass(value):
        return {each.name: _encode(getattr(value, each.name), special) for each in fields(value)}
    if isinstance(value, tuple):
        return [_encode(each, special) for each in value]
    return value


@cache
def _annotations(wanted: type) -> dict[str, Any]:
    # Any: what typing makes of annotations.
    return get_type_hints(wanted, include_extras=True)


def _decode(wanted: Any, value: object, special: Decoders, path: str) -> object:
    # Any: a class, or what typing makes of an annotation.
    if get_origin(wanted) in (UnionType, Union):
        if value is None:
            return None
        (wanted,) = [each for each in get_args(wanted) if each is not NoneType]
    if get_origin(wanted) is tuple:
        return _decode_tuple(get_args(wanted), value, special, path)
    own = special.get(wanted)
    if own is not None:
        return own(value, path)
    if is_dataclass(wanted):
        assert isinstance(wanted, type)
        return _decode_dataclass(wanted, value, special, path)
    restriction = None
    if get_origin(wanted) is Annotated:
        wanted, restriction = get_args(wanted)
    if type(value) is not wanted:
        raise InputError(path, f"expected {_NAMES[wanted]}, found {type_name(value)}")
    _check(restriction, value, path)
    return value


def _check(restriction: Range | OneOf | None, value: Any, path: str) -> None:
    # Any: parsed data from outside, whose type was checked.
    if isinstance(restriction, Range):
        if value < restriction.low or (restriction.high is not None and value > restriction.high):
            high = "" if restriction.high is None else restriction.high
            raise InputError(path, f"{shorten(value)} is not in {restriction.low}..{high}")
    elif isinstance(restriction, OneOf) and value not in restriction.values:
        raise InputError(path, f"{value[:40]!r} is not one of {', '.join(restriction.values)}")


def _decode_tuple(
    arguments: tuple[Any, ...], value: object, special: Decoders, path: str
) -> tuple[object, ...]:
    if not isinstance(value, list):
        raise InputError(path, f"expected a list, found {type_name(value)}")
    if len(arguments) == 2 and arguments[1] is ...:
        arguments = (arguments[0],) * len(value)
    if len(value) != len(arguments):
        raise InputError(path, f"expected {len(arguments)} items, found {len(value)}")
    return tuple(
        _decode(each, item, special, f"{path}[{index}]")
        for index, (each, item) in enumerate(zip(arguments, value, strict=True))
    )


def _decode_dataclass(wanted: type, value: object, special: Decoders, path: str) -> object:
    if not isinstance(value, dict):
        raise InputError(path, f"expected an object, found {type_name(value)}")
    annotations = _annotations(wanted)
    for name in value:
        if name not in annotations:
            raise InputError(join(path, name), "unknown field")
    for name in annotations:
        if name not in value:
            raise InputError(join(path, name), "missing")
    return wanted(
        **{
            name: _decode(each, value[name], special, join(path, name))
            for name, each in annotations.items()
        }
    )
