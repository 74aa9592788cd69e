"""The module's symbols and types in a kernel's memory, where no file system tells them."""

import struct
from collections.abc import Iterator

from ipvs_est_checks.live.memory.btf import Btf
from ipvs_est_checks.live.memory.layout import Layout, offset_of
from ipvs_est_checks.live.memory.protocol import MODULE, MODULE_SYMBOLS, KernelMemory, Symbols
from ipvs_est_checks.live.memory.unreadable import UnreadableError

_NAME = 56
"""Bytes that a module's name fits into."""
_MOST_MODULES = 4096
_MOST_SYMBOLS = 1 << 18
_SYMBOL = struct.Struct("<IBBHQQ")
_MOST_TYPES = 1 << 27


def read_types(memory: KernelMemory, symbols: Symbols) -> Btf:
    """BTF of the kernel, and of the module where it is one. Raises UnreadableError."""
    start, stop = symbols.get(("", "__start_BTF")), symbols.get(("", "__stop_BTF"))
    if start is None or stop is None or not 0 < stop - start <= _MOST_TYPES:
        raise UnreadableError("the kernel has no BTF (CONFIG_DEBUG_INFO_BTF)")
    base = Btf(memory.read(start, stop - start))
    head = symbols.get(("", "btf_modules"))
    if head is None:
        return base
    layout = Layout(base, "btf_module", ("btf",))
    btf = Layout(base, "btf", ("data", "data_size"))
    name = offset_of(base, "btf", "name")
    for at in _linked(memory, head, offset_of(base, "btf_module", "list")):
        (place,) = layout.values(memory.read(at, layout.size))
        if _text(memory, place + name) == MODULE:
            data, size = btf.values(memory.read(place, btf.size))
            if size > _MOST_TYPES:
                raise UnreadableError("BTF: too large")
            return Btf(memory.read(data, size), base)
    return base


def read_module_symbols(memory: KernelMemory, symbols: Symbols, types: Btf) -> Symbols:
    """The wanted symbols of the module; none where it is built in or not loaded."""
    head = symbols.get(("", "modules"))
    if head is None:
        return {}
    module = Layout(types, "module", ("kallsyms",))
    tables = Layout(types, "mod_kallsyms", ("symtab", "num_symtab", "strtab"))
    name = offset_of(types, "module", "name")
    for at in _linked(memory, head, offset_of(types, "module", "list")):
        if _text(memory, at + name) == MODULE:
            (place,) = module.values(memory.read(at, module.size))
            table, count, strings = tables.values(memory.read(place, tables.size))
            if not 0 < count <= _MOST_SYMBOLS:
                raise UnreadableError(f"a module of {count} symbols, which cannot be")
            raw = memory.read(table, _SYMBOL.size * count)
            found: dict[tuple[str, str], int] = {}
            for text, _, _, _, value, _ in _SYMBOL.iter_unpack(raw):
                symbol = _text(memory, strings + text)
                if symbol in MODULE_SYMBOLS:
                    found.setdefault((MODULE, symbol), value)
            return found
    return {}


def _linked(memory: KernelMemory, head: int, offset: int) -> Iterator[int]:
    """The structs of a list, in which its node is at that offset."""
    node = head
    for _ in range(_MOST_MODULES):
        (node,) = struct.unpack("<Q", memory.read(node, 8))
        if node == head:
            return
        yield node - offset
    raise UnreadableError("a list of modules without end")


def _text(memory: KernelMemory, address: int) -> str:
    return memory.read(address, _NAME).split(b"\0")[0].decode("ascii", "replace")
