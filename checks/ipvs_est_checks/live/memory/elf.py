"""ELF files of a machine's memory: program headers and notes."""

import struct
from collections.abc import Callable, Iterator
from dataclasses import dataclass

from ipvs_est_checks.live.memory.unreadable import UnreadableError

PT_LOAD = 1
PT_NOTE = 4
EM_X86_64 = 62

_HEADER = struct.Struct("<16sHHIQQQIHHHHHH")
_PROGRAM = struct.Struct("<IIQQQQQQ")
_NOTE = struct.Struct("<III")
_SECTION_INFO = 44
_PN_XNUM = 0xFFFF
_MOST_HEADERS = 1 << 20

ReadAt = Callable[[int, int], bytes]
"""Up to so many bytes of the file from that offset."""


@dataclass(frozen=True, slots=True)
class Segment:
    """One program header."""

    kind: int
    offset: int
    """In the file."""
    virtual: int
    physical: int
    size: int
    """Bytes that the file has of it."""


def read_segments(read_at: ReadAt) -> tuple[int, tuple[Segment, ...]]:
    """The machine's number and the program headers. Raises UnreadableError."""
    head = read_at(0, _HEADER.size)
    if len(head) < _HEADER.size or head[:4] != b"\x7fELF":
        raise UnreadableError("no ELF file")
    if head[4:6] != b"\x02\x01":
        raise UnreadableError("no 64-bit little-endian ELF file")
    fields = _HEADER.unpack(head)
    machine, at, sections, entry, count = fields[2], fields[5], fields[6], fields[9], fields[10]
    if count == _PN_XNUM:
        # More than fit the header: the first section says how many.
        section = read_at(sections, 64)
        if len(section) < 64:
            raise UnreadableError("truncated: the section with the number of segments is missing")
        (count,) = struct.unpack_from("<I", section, _SECTION_INFO)
    if entry != _PROGRAM.size or count > _MOST_HEADERS:
        raise UnreadableError("damaged: program headers of no known size or number")
    raw = read_at(at, count * entry)
    if len(raw) < count * entry:
        raise UnreadableError("truncated within its program headers")
    return machine, tuple(
        Segment(kind, offset, virtual, physical, size)
        for kind, _, offset, virtual, physical, size, _, _ in _PROGRAM.iter_unpack(raw)
    )


def read_notes(raw: bytes) -> Iterator[tuple[bytes, bytes]]:
    """Name and content of each note of a PT_NOTE segment. Raises UnreadableError."""
    at = 0
    while at + _NOTE.size <= len(raw):
        name_size, size, _ = _NOTE.unpack_from(raw, at)
        at += _NOTE.size
        content = at + _aligned(name_size)
        if content + size > len(raw):
            raise UnreadableError("truncated within its notes")
        yield raw[at : at + name_size].rstrip(b"\0"), raw[content : content + size]
        at = content + _aligned(size)


def _aligned(size: int) -> int:
    return (size + 3) & ~3
