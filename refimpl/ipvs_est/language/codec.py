"""Frozen dataclasses to JSON and back, strictly, driven by their annotations.

Covers what snapshots, events and violations use: int, bool, str, None in unions, tuples of
any or of fixed length, nested dataclasses, and Annotated with a `Range` or `OneOf`. Types with
a form of their own are given by the caller.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, fields, is_dataclass
from types import NoneType, UnionType
from typing import Annotated, Any, TypeVar, Union, get_args, get_origin, get_type_hints

from ipvs_est.language.input_error import InputError, join
from ipvs_est.language.json_input import shorten, type_name

T = TypeVar("T")

Encoders = Mapping[type, Callable[[object], dict[str, object]]]
Decoders = Mapping[type, Callable[[object], object]]
"""What they raise names the field from the value on."""

PLAIN: Decoders = {}
"""No type has a form of its own."""

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
    try:
        decoded = _decoder_of(wanted, special)(value)
    except InputError as error:
        raise InputError(_below(path, error.field), error.message) from None
    assert isinstance(decoded, wanted)
    return decoded


def _encode(value: object, special: Encoders) -> object:
    kind = type(value)
    if kind is int or kind is str:
        # Most of a large snapshot.
        return value
    own = special.get(kind)
    if own is not None:
        return own(value)
    if isinstance(value, tuple):
        return [_encode(entry, special) for entry in value]
    names = _field_names(kind)
    if names is None:
        return value
    return {name: _encode(getattr(value, name), special) for name in names}


_FIELDS: dict[type, tuple[str, ...] | None] = {}


def _field_names(kind: type) -> tuple[str, ...] | None:
    """Of a dataclass, and of nothing else."""
    if kind not in _FIELDS:
        known = tuple([field.name for field in fields(kind)]) if is_dataclass(kind) else None
        _FIELDS[kind] = known
    return _FIELDS[kind]


# A type's decoder is made once, out of those of its parts. What it raises names the field
# from the value on that it was given: the path is put together on the way out, so that good
# input pays nothing for it.

_Decoder = Callable[[object], object]
_DECODERS: dict[tuple[type, int], tuple[Decoders, _Decoder]] = {}
"""By class and identity of `special`, which is kept here so that no other gets its identity."""


def _decoder_of(wanted: type, special: Decoders) -> _Decoder:
    key = wanted, id(special)
    known = _DECODERS.get(key)
    if known is None:
        known = _DECODERS[key] = special, _make(wanted, special)
    return known[1]


def _below(path: str, field: str) -> str:
    """The path of `field`, which may begin with an index, below `path`."""
    if not field:
        return path
    return path + field if field.startswith("[") else join(path, field)


def _make(wanted: Any, special: Decoders) -> _Decoder:
    # Any: a class, or what typing makes of an annotation.
    if get_origin(wanted) in (UnionType, Union):
        (inner,) = [argument for argument in get_args(wanted) if argument is not NoneType]
        return _optional(_make(inner, special))
    if get_origin(wanted) is tuple:
        arguments = get_args(wanted)
        if len(arguments) == 2 and arguments[1] is ...:
            return _list_of(_make(arguments[0], special))
        return _items_of([_make(argument, special) for argument in arguments])
    own = special.get(wanted)
    if own is not None:
        return own
    if is_dataclass(wanted):
        assert isinstance(wanted, type)
        return _members_of(wanted, special)
    restriction = None
    if get_origin(wanted) is Annotated:
        wanted, restriction = get_args(wanted)
    return _Plain(wanted, restriction)


def _optional(inner: _Decoder) -> _Decoder:
    def decoder(value: object) -> object:
        return None if value is None else inner(value)

    return decoder


@dataclass(frozen=True, slots=True)
class _Plain:
    """The decoder of a value that has no parts; `restriction` goes with its type."""

    wanted: type
    restriction: Range | OneOf | None

    def __call__(self, value: object) -> object:
        if type(value) is not self.wanted:
            raise InputError("", f"expected {_NAMES[self.wanted]}, found {type_name(value)}")
        _check(self.restriction, value)
        return value


def _check(restriction: Range | OneOf | None, value: Any) -> None:
    # Any: parsed data from outside, whose type was checked.
    if isinstance(restriction, Range):
        if value < restriction.low or (restriction.high is not None and value > restriction.high):
            high = "" if restriction.high is None else restriction.high
            raise InputError("", f"{shorten(value)} is not in {restriction.low}..{high}")
    elif isinstance(restriction, OneOf) and value not in restriction.values:
        raise InputError("", f"{value[:40]!r} is not one of {', '.join(restriction.values)}")


def _all_good(item: _Decoder, values: list[Any]) -> bool:
    """Whether none can be refused, found without looking at one after the other.

    Most of a snapshot are long lists of numbers.
    """
    # Any: parsed data from outside, whose types are checked first.
    if not isinstance(item, _Plain) or not set(map(type, values)) <= {item.wanted}:
        return False
    match item.restriction:
        case None:
            return True
        case Range(low, high):
            return not values or (min(values) >= low and (high is None or max(values) <= high))
        case OneOf():
            return False


def _list_of(item: _Decoder) -> _Decoder:
    def decoder(value: object) -> object:
        if not isinstance(value, list):
            raise InputError("", f"expected a list, found {type_name(value)}")
        if _all_good(item, value):
            return tuple(value)
        decoded: list[object] = []
        try:
            for entry in value:
                decoded.append(item(entry))
        except InputError as error:
            raise InputError(_below(f"[{len(decoded)}]", error.field), error.message) from None
        return tuple(decoded)

    return decoder


def _items_of(items: list[_Decoder]) -> _Decoder:
    alike = all(item == items[0] for item in items)

    def decoder(value: object) -> object:
        if not isinstance(value, list):
            raise InputError("", f"expected a list, found {type_name(value)}")
        if len(value) != len(items):
            raise InputError("", f"expected {len(items)} items, found {len(value)}")
        if alike and _all_good(items[0], value):
            return tuple(value)
        decoded: list[object] = []
        try:
            for item, entry in zip(items, value, strict=True):
                decoded.append(item(entry))
        except InputError as error:
            raise InputError(_below(f"[{len(decoded)}]", error.field), error.message) from None
        return tuple(decoded)

    return decoder


def _members_of(wanted: type, special: Decoders) -> _Decoder:
    # A class variable such as `kind` is no member.
    hints = get_type_hints(wanted, include_extras=True)
    members = {field.name: _make(hints[field.name], special) for field in fields(wanted)}

    def decoder(value: object) -> object:
        if not isinstance(value, dict):
            raise InputError("", f"expected an object, found {type_name(value)}")
        if value.keys() != members.keys():
            for name in value:
                if name not in members:
                    raise InputError(name, "unknown field")
            for name in members:
                if name not in value:
                    raise InputError(name, "missing")
        decoded: list[object] = []
        name = ""
        try:
            for name, member in members.items():
                decoded.append(member(value[name]))
        except InputError as error:
            raise InputError(_below(name, error.field), error.message) from None
        return wanted(*decoded)

    return decoder
