"""A reader of BTF, the kernel's own description of its types: base and split."""

import struct
from array import array
from collections.abc import Iterator
from dataclasses import dataclass
from typing import NamedTuple

from ipvs_est_checks.live.memory.unreadable import UnreadableError

INT, PTR, ARRAY, STRUCT, UNION, ENUM = 1, 2, 3, 4, 5, 6
TYPEDEF, VOLATILE, CONST, RESTRICT = 8, 9, 10, 11
FUNC_PROTO, VAR, DATASEC, DECL_TAG, TYPE_TAG, ENUM64 = 13, 14, 15, 17, 18, 19
_KINDS = 20
_NAMED = frozenset({STRUCT, UNION, ENUM})
_ALIASES = frozenset({TYPEDEF, VOLATILE, CONST, RESTRICT, TYPE_TAG})

_MAGIC = 0xEB9F
_HEADER = struct.Struct("<HBBIIIII")
_TYPE = struct.Struct("<III")
_WORD = struct.Struct("<I")
_SIGNED = 1
"""In the encoding of an INT."""
_DEEPEST = 64
"""Structs within structs, and names for names of types."""

# What follows a type's three words: bytes for each of its members, and once.
_EACH = {STRUCT: 12, UNION: 12, DATASEC: 12, ENUM64: 12, ENUM: 8, FUNC_PROTO: 8}
_ONCE = {INT: 4, VAR: 4, DECL_TAG: 4, ARRAY: 12}


class _Type(NamedTuple):
    """One type as it stands in the data."""

    btf: "Btf"
    at: int
    """Offset of its first word."""
    name: int
    kind: int
    members: int
    flag: bool
    """Of a struct: offsets hold the sizes of bit fields."""
    size: int
    """Bytes, or the type that it refers to."""


@dataclass(frozen=True, slots=True)
class Member:
    """Where a member of a struct is."""

    type: int
    offset: int
    """Bits from the struct's start."""
    bits: int
    """Width of a bit field; 0 = it is none."""


class Btf:
    """The types of one blob; with a base those of the base, too. Raises UnreadableError."""

    def __init__(self, data: bytes, base: "Btf | None" = None) -> None:
        if len(data) < _HEADER.size:
            raise UnreadableError("BTF: truncated")
        magic, version, _, head, types, types_size, strings, strings_size = _HEADER.unpack_from(
            data
        )
        if magic != _MAGIC or version != 1:
            raise UnreadableError("BTF: no little-endian BTF of version 1")
        end = max(head + types + types_size, head + strings + strings_size)
        if head < _HEADER.size or end > len(data):
            raise UnreadableError("BTF: truncated")
        self._data = data
        self._base = base
        self._strings = data[head + strings : head + strings + strings_size]
        self._first: int = 1 if base is None else base._end
        self._string_first: int = 0 if base is None else base._string_end
        self._string_end: int = self._string_first + strings_size
        self._at = array("I")
        self._named: dict[tuple[int, int], int] = {}
        self._scan(head + types, head + types + types_size)
        self._end: int = self._first + len(self._at)

    def _scan(self, at: int, end: int) -> None:
        """Note where each type begins, and the ids of those that are looked for by name."""
        data, places, named = self._data, self._at, self._named
        unpack, size = _TYPE.unpack_from, _TYPE.size
        group = [_EACH.get(kind, 0) for kind in range(32)]
        once = [size + _ONCE.get(kind, 0) for kind in range(32)]
        id_ = self._first
        while at < end:
            if at + size > end:
                raise UnreadableError("BTF: truncated within its types")
            name, info, _ = unpack(data, at)
            kind = info >> 24 & 31
            if not 0 < kind < _KINDS:
                raise UnreadableError(f"BTF: a type of unknown kind {kind}")
            if kind in _NAMED:
                named.setdefault((kind, name), id_)
            places.append(at)
            id_ += 1
            at += once[kind] + group[kind] * (info & 0xFFFF)
        if at != end:
            raise UnreadableError("BTF: truncated within its types")

    def find(self, name: str, kind: int = STRUCT) -> int | None:
        """Id of the struct, or of another kind, of that name; None: there is none."""
        if self._base is not None:
            found = self._base.find(name, kind)
            if found is not None:
                return found
        for offset in self._offsets_of(name):
            found = self._named.get((kind, offset))
            if found is not None:
                return found
        return None

    def _offsets_of(self, name: str) -> Iterator[int]:
        """All places of that text among the strings, those of the base included."""
        if self._base is not None:
            yield from self._base._offsets_of(name)
        want = b"\0" + name.encode() + b"\0"
        at = self._strings.find(want)
        while at >= 0:
            yield at + 1 + self._string_first
            at = self._strings.find(want, at + 1)
        if self._base is not None and self._strings.startswith(want[1:]):
            # Strings of a split blob need not begin with the empty one.
            yield self._string_first

    def size(self, id_: int) -> int:
        """Bytes of a type."""
        count = 1
        for _ in range(_DEEPEST):
            found = self._stripped(id_)
            if found.kind != ARRAY:
                return count * (8 if found.kind == PTR else found.size)
            id_, length = self.array_of(id_)
            count *= length
        raise UnreadableError("BTF: arrays of arrays without end")

    def array_of(self, id_: int) -> tuple[int, int]:
        """Element type and length of an array."""
        found = self._stripped(id_)
        if found.kind != ARRAY:
            raise UnreadableError("BTF: an array was expected")
        element, _, count = _TYPE.unpack_from(found.btf._data, found.at + _TYPE.size)
        return element, count

    def is_signed(self, id_: int) -> bool:
        """Whether numbers of that type have a sign."""
        found = self._stripped(id_)
        if found.kind == ENUM:
            return found.flag
        if found.kind == INT:
            return bool(found.btf._data[found.at + _TYPE.size + 3] & _SIGNED)
        return False

    def kind(self, id_: int) -> int:
        """Kind of what the type is once its names and qualifiers are taken off."""
        return self._stripped(id_).kind

    def member(self, id_: int, path: str) -> Member | None:
        """A member by its dotted path, members of anonymous ones as if they were its own; None:
        there is none."""
        offset = bits = 0
        for name in path.split("."):
            if self.kind(id_) not in (STRUCT, UNION):
                return None
            found = self._member(id_, name, _DEEPEST)
            if found is None:
                return None
            id_, offset, bits = found.type, offset + found.offset, found.bits
        return Member(id_, offset, bits)

    def enumerator(self, name: str, value: str) -> int | None:
        """The number of an enum's value; None: there is none."""
        id_ = self.find(name, ENUM)
        if id_ is None:
            return None
        found = self._type(id_)
        for at in range(found.at + _TYPE.size, found.at + _TYPE.size + 8 * found.members, 8):
            text, number = struct.unpack_from("<Ii", found.btf._data, at)
            if found.btf._text(text) == value:
                return int(number)
        return None

    def _member(self, id_: int, name: str, depth: int) -> Member | None:
        if depth == 0:
            raise UnreadableError("BTF: structs within structs without end")
        found = self._stripped(id_)
        data, at = found.btf._data, found.at + _TYPE.size
        for text, type_, offset in _TYPE.iter_unpack(data[at : at + 12 * found.members]):
            bits = offset >> 24 if found.flag else 0
            place = offset & 0xFF_FFFF if found.flag else offset
            if text == 0:
                if self.kind(type_) in (STRUCT, UNION):
                    inner = self._member(type_, name, depth - 1)
                    if inner is not None:
                        return Member(inner.type, place + inner.offset, inner.bits)
            elif found.btf._text(text) == name:
                return Member(type_, place, bits)
        return None

    def _type(self, id_: int) -> _Type:
        owner: Btf = self
        while id_ < owner._first and owner._base is not None:
            owner = owner._base
        index = id_ - owner._first
        if not 0 <= index < len(owner._at):
            raise UnreadableError(f"BTF: no type {id_}")
        at = owner._at[index]
        name, info, size = _TYPE.unpack_from(owner._data, at)
        return _Type(owner, at, name, info >> 24 & 31, info & 0xFFFF, bool(info >> 31), size)

    def _stripped(self, id_: int) -> _Type:
        """Through typedefs and qualifiers."""
        for _ in range(_DEEPEST):
            found = self._type(id_)
            if found.kind not in _ALIASES:
                return found
            id_ = found.size
        raise UnreadableError("BTF: names for names of types without end")

    def _text(self, offset: int) -> str:
        owner: Btf = self
        while offset < owner._string_first and owner._base is not None:
            owner = owner._base
        start = offset - owner._string_first
        end = owner._strings.find(b"\0", max(start, 0))
        if start < 0 or end < 0:
            raise UnreadableError(f"BTF: no name at {offset}")
        return owner._strings[start:end].decode("ascii", errors="replace")
