"""BTF blobs of structs that a test names: every number chosen here, none taken from a kernel."""

import struct
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

INT, PTR, ARRAY, STRUCT, ENUM, TYPEDEF = 1, 2, 3, 4, 6, 8
_NUMBERS = {"u8": 1, "u16": 2, "u32": 4, "u64": 8, "s16": 2, "s32": 4, "s64": 8}

Fields = Sequence[tuple[str, str]]
"""Name and type: a number's, `ptr`, a struct's, `TYPE[N]`, `s32:WIDTH` for bits, `pad[N]`."""


@dataclass(frozen=True)
class Placed:
    """Where a field came to be."""

    offset: int
    """Bits."""
    type: str
    bits: int = 0


@dataclass
class MadeTypes:
    """Structs with the places of their fields."""

    structs: dict[str, dict[str, Placed]] = field(default_factory=dict)
    sizes: dict[str, int] = field(default_factory=dict)
    enums: dict[str, dict[str, int]] = field(default_factory=dict)

    def size(self, type_: str) -> int:
        """Bytes of a type."""
        if type_.endswith("]"):
            inner, count = type_[:-1].rsplit("[", 1)
            return self.size(inner) * int(count)
        if type_ == "ptr":
            return 8
        return _NUMBERS.get(type_, 1 if type_ == "pad" else 0) or self.sizes[type_]

    def add(self, name: str, fields: Fields) -> None:
        """Lay a struct out: fields in order, numbers aligned."""
        at = 0
        placed: dict[str, Placed] = {}
        for item, type_ in fields:
            if ":" in type_:
                base, width = type_.split(":")
                placed[item] = Placed(at, base, int(width))
                at += int(width)
                continue
            align = 8 * min(8, max(1, self.size(type_.split("[")[0])))
            align = 1 << (align.bit_length() - 1)
            at = (at + align - 1) // align * align
            if type_.split("[")[0] != "pad":
                placed[item] = Placed(at, type_)
            at += 8 * self.size(type_)
        self.structs[name] = placed
        self.sizes[name] = (at + 63) // 64 * 8

    def place(self, name: str, path: str) -> Placed:
        """Of a field by its dotted path."""
        offset = 0
        found = Placed(0, name)
        for part in path.split("."):
            found = self.structs[found.type][part]
            offset += found.offset
        return Placed(offset, found.type, found.bits)

    def offset(self, name: str, path: str) -> int:
        """Bytes."""
        return self.place(name, path).offset // 8


class _Blob:
    """Types and strings of one blob, those of a base before them."""

    def __init__(self, first: int, string_first: int) -> None:
        self.types = b""
        self.strings = b"" if string_first else b"\0"
        self.count = first
        self.string_first = string_first
        self.ids: dict[str, int] = {}

    def text(self, name: str) -> int:
        at = self.string_first + len(self.strings)
        self.strings += name.encode() + b"\0"
        return at

    def add(self, name: int, kind: int, members: int, size: int, rest: bytes, flag: int) -> int:
        self.types += struct.pack("<III", name, kind << 24 | members | flag << 31, size) + rest
        self.count += 1
        return self.count - 1

    def id_of(self, made: MadeTypes, type_: str, base: Mapping[str, int]) -> int:
        found = base.get(type_) or self.ids.get(type_)
        if found is not None:
            return found
        if type_.endswith("]"):
            inner, count = type_[:-1].rsplit("[", 1)
            element = self.id_of(made, inner, base)
            index = self.id_of(made, "u32", base)
            id_ = self.add(0, ARRAY, 0, 0, struct.pack("<III", element, index, int(count)), 0)
        elif type_ == "ptr":
            id_ = self.add(0, PTR, 0, 0, b"", 0)
        elif type_ in _NUMBERS:
            size = _NUMBERS[type_]
            encoding = (1 << 24 if type_[0] == "s" else 0) | 8 * size
            number = self.add(self.text(type_), INT, 0, size, struct.pack("<I", encoding), 0)
            # As in a kernel, where most numbers have other names.
            id_ = self.add(self.text(f"__{type_}"), TYPEDEF, 0, number, b"", 0)
        else:
            id_ = self.struct(made, type_, base)
        self.ids[type_] = id_
        return id_

    def struct(self, made: MadeTypes, name: str, base: Mapping[str, int]) -> int:
        fields = made.structs[name]
        flag = int(any(field.bits for field in fields.values()))
        rest = b""
        for item, placed in fields.items():
            type_ = self.id_of(made, placed.type, base)
            offset = placed.offset | placed.bits << 24 if flag else placed.offset
            rest += struct.pack("<III", self.text(item), type_, offset)
        return self.add(self.text(name), STRUCT, len(fields), made.sizes[name], rest, flag)

    def data(self) -> bytes:
        head = struct.pack(
            "<HBBIIIII", 0xEB9F, 1, 0, 24, 0, len(self.types), len(self.types), len(self.strings)
        )
        return head + self.types + self.strings


def make_btf(made: MadeTypes, of_module: Sequence[str] = ()) -> tuple[bytes, bytes]:
    """The kernel's blob and the module's, which holds the structs that are named."""
    base = _Blob(1, 0)
    for name in made.structs:
        if name not in of_module:
            base.id_of(made, name, {})
    for name, values in made.enums.items():
        rest = b"".join(struct.pack("<Ii", base.text(name), at) for name, at in values.items())
        base.add(base.text(name), ENUM, len(values), 4, rest, 0)
    split = _Blob(base.count, len(base.strings))
    for name in of_module:
        split.id_of(made, name, base.ids)
    return base.data(), split.data()
