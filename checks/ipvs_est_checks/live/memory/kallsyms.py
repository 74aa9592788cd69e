"""Symbols: from /proc/kallsyms, or from the tables in a kernel's memory that it is made from."""

import re
import struct
from collections.abc import Callable, Mapping

from ipvs_est_checks.live.memory.protocol import MODULE, SYMBOLS, KernelMemory, Symbols
from ipvs_est_checks.live.memory.unreadable import UnreadableError
from ipvs_est_checks.live.memory.vmcoreinfo import VmcoreInfo

_WORD = (1 << 64) - 1
_TOKENS = 256
_MOST_SYMBOLS = 1 << 22
_LONG = 0x80
"""Bit of a name's first length byte: another follows."""


def parse_kallsyms(text: bytes) -> Symbols:
    """The wanted ones of /proc/kallsyms. Raises UnreadableError if their addresses are hidden."""
    names = b"|".join(re.escape(symbol.encode()) for symbol in sorted(SYMBOLS))
    line = rb"^([0-9a-f]{1,16}) \S (" + names + rb")(?:\t\[(\w+)\])?$"
    found: dict[tuple[str, str], int] = {}
    for match in re.finditer(line, text, re.MULTILINE):
        address, name, module = match.groups()
        where = "" if module is None else module.decode()
        if where in ("", MODULE):
            found.setdefault((where, name.decode()), int(address, 16))
    # The only one that is 0 where addresses are told is of the per-CPU area.
    if found and not any(found.values()):
        raise UnreadableError(
            "addresses in /proc/kallsyms are hidden: needs CAP_SYSLOG, and kernel.kptr_restrict"
            " below 2"
        )
    return found


def read_kallsyms(memory: KernelMemory, info: VmcoreInfo) -> dict[tuple[str, str], int]:
    """The wanted ones of the kernel itself, from its memory. Raises UnreadableError."""
    (count,) = struct.unpack("<I", memory.read(info.symbol("kallsyms_num_syms"), 4))
    if not 0 < count <= _MOST_SYMBOLS:
        raise UnreadableError(f"kallsyms: {count} symbols, which cannot be")
    names = _names(memory, info, count)
    table = info.symbol("kallsyms_offsets")
    offsets = struct.unpack(f"<{count}i", memory.read(table, 4 * count))
    wanted = {name: index for index, name in reversed([*enumerate(names)]) if name in SYMBOLS}
    if "_stext" not in wanted:
        raise UnreadableError("kallsyms: no symbol _stext")
    address = _way(memory, info, table, wanted["_stext"], offsets[wanted["_stext"]])
    return {("", name): address(index, offsets[index]) for name, index in wanted.items()}


def _names(memory: KernelMemory, info: VmcoreInfo, count: int) -> list[str]:
    """All names, in order, without the letter of their type."""
    start = info.symbol("kallsyms_names")
    # No table says how long it is; the next one begins behind it.
    behind = [symbol for symbol in info.symbols_of("kallsyms").values() if symbol > start]
    if not behind or min(behind) - start > _MOST_SYMBOLS * 64:
        raise UnreadableError("kallsyms: the end of the names is unknown")
    packed = memory.read(start, min(behind) - start)
    tokens = _tokens(memory, info)
    names: list[str] = []
    at = 0
    try:
        for _ in range(count):
            length = packed[at]
            at += 1
            if length & _LONG:
                length = length & ~_LONG | packed[at] << 7
                at += 1
            names.append("".join([tokens[number] for number in packed[at : at + length]])[1:])
            at += length
    except IndexError:
        raise UnreadableError("kallsyms: truncated within the names") from None
    return names


def _tokens(memory: KernelMemory, info: VmcoreInfo) -> list[str]:
    raw = memory.read(info.symbol("kallsyms_token_index"), 2 * _TOKENS)
    starts = struct.unpack(f"<{_TOKENS}H", raw)
    # The last token is the last string of the table: it ends within a name's length behind.
    table = memory.read(info.symbol("kallsyms_token_table"), max(starts) + 1)
    last = b""
    while b"\0" not in last:
        if len(last) > 512:
            raise UnreadableError("kallsyms: a token without end")
        last += memory.read(info.symbol("kallsyms_token_table") + max(starts) + 1 + len(last), 1)
    table += last
    return [table[entry : table.index(b"\0", entry)].decode("ascii", "replace") for entry in starts]


def _way(
    memory: KernelMemory, info: VmcoreInfo, table: int, index: int, offset: int
) -> Callable[[int, int], int]:
    """How an address comes from an index and its offset: the way that is right for _stext."""
    base = 0
    if info.has("SYMBOL(kallsyms_relative_base)"):
        (base,) = struct.unpack("<Q", memory.read(info.symbol("kallsyms_relative_base"), 8))
    ways: Mapping[str, Callable[[int, int], int]] = {
        "from a base": lambda _, offset: base + (offset & 0xFFFF_FFFF) & _WORD,
        "from a base, or absolute if not negative": lambda _, offset: (
            offset if offset >= 0 else base - 1 - offset & _WORD
        ),
        "from the place of the offset": lambda index, offset: table + 4 * index + offset & _WORD,
    }
    for way in ways.values():
        if way(index, offset) == info.symbol("_stext"):
            return way
    raise UnreadableError("kallsyms: its offsets have an unknown form")
