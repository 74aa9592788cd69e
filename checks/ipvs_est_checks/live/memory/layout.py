"""Structs by the names of their fields."""

import struct
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from operator import itemgetter

from ipvs_est_checks.live.memory.btf import ARRAY, STRUCT, UNION, Btf
from ipvs_est_checks.live.memory.unreadable import UnreadableError

_FORMATS = {1: "B", 2: "H", 4: "I", 8: "Q"}
_MOST_BYTES = 1 << 16
"""Of one struct."""


@dataclass(frozen=True, slots=True)
class Field:
    """Where a number is in a struct."""

    offset: int
    size: int
    signed: bool
    shift: int
    """Of a bit field, within its bytes."""
    bits: int
    """0 = all."""


class Layout:
    """Some fields of a struct, read together. Raises UnreadableError if one is missing."""

    __slots__ = ("_fields", "_pick", "_unpack", "name", "size")

    def __init__(self, types: Btf, name: str, fields: Sequence[str]) -> None:
        id_ = types.find(name)
        if id_ is None:
            raise UnreadableError(f"its BTF has no struct {name}")
        self.name = name
        self.size = types.size(id_)
        if not 0 < self.size <= _MOST_BYTES:
            raise UnreadableError(f"its BTF has a struct {name} of {self.size} bytes")
        self._fields = [field_of(types, name, field) for field in fields]
        for field in self._fields:
            if field.offset + field.size > self.size:
                raise UnreadableError(f"its BTF has a field outside of struct {name}")
        self._unpack, self._pick = _together(self._fields)

    def values(self, raw: bytes, base: int = 0) -> tuple[int, ...]:
        """The fields in the order in which they were named, of the struct that begins at `base`."""
        if self._unpack is not None:
            return self._pick(self._unpack(raw, base))
        return tuple([_value(field, raw, base) for field in self._fields])


def field_of(types: Btf, name: str, path: str) -> Field:
    """Raises UnreadableError if the struct is missing or has no such field."""
    id_ = types.find(name)
    if id_ is None:
        raise UnreadableError(f"its BTF has no struct {name}")
    found = types.member(id_, path)
    if found is None:
        raise UnreadableError(f"its BTF has no field {path} of struct {name}")
    size = types.size(found.type)
    kind = types.kind(found.type)
    if size not in _FORMATS and kind not in (STRUCT, UNION, ARRAY):
        raise UnreadableError(f"its BTF has a field {path} of struct {name} of {size} bytes")
    # An atomic_t is a struct of one number.
    signed = size == 4 if kind == STRUCT else types.is_signed(found.type)
    if not found.bits:
        return Field(found.offset // 8, size, signed, 0, 0)
    first = found.offset // 8
    if found.offset % 8 == 0 and found.bits in (8, 16, 32):
        # Bits that are whole numbers, as those of an estimator's place: read as such.
        return Field(first, found.bits // 8, signed, 0, 0)
    last = (found.offset + found.bits - 1) // 8
    return Field(first, last - first + 1, signed, found.offset % 8, found.bits)


def has_field(types: Btf, name: str, path: str) -> bool:
    """Whether there is such a field."""
    id_ = types.find(name)
    return id_ is not None and types.member(id_, path) is not None


def offset_of(types: Btf, name: str, path: str) -> int:
    """Bytes from the struct's start; raises UnreadableError."""
    return field_of(types, name, path).offset


def _value(field: Field, raw: bytes, base: int) -> int:
    start = base + field.offset
    value = int.from_bytes(raw[start : start + field.size], "little")
    width = 8 * field.size
    if field.bits:
        width = field.bits
        value = value >> field.shift & (1 << width) - 1
    return value - (1 << width) if field.signed and value >> width - 1 else value


_Pick = Callable[[tuple[int, ...]], tuple[int, ...]]
_Unpack = Callable[[bytes, int], tuple[int, ...]]


def _together(fields: Sequence[Field]) -> tuple[_Unpack | None, _Pick]:
    """One struct of all the fields, and what brings its values into their order; None if they
    overlap or have bits."""
    order = sorted(range(len(fields)), key=lambda index: fields[index].offset)
    text, at = "<", 0
    for index in order:
        field = fields[index]
        if field.bits or field.size not in _FORMATS or field.offset < at:
            return None, tuple
        code = _FORMATS[field.size]
        text += f"{field.offset - at}x{code.lower() if field.signed else code}"
        at = field.offset + field.size
    place = {index: position for position, index in enumerate(order)}
    wanted = [place[index] for index in range(len(fields))]
    # Of one place an itemgetter gives no tuple.
    pick: _Pick = itemgetter(*wanted) if len(wanted) > 1 else tuple
    return struct.Struct(text).unpack_from, pick
