"""A kernel's memory made by a test: its symbols, types and modules; as a dump, or as the files
of a running one."""

import struct
from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path

from kernels.made_btf import MadeTypes, make_btf

DIRECT = 0xFFFF_8880_0000_0000
IMAGE = 0xFFFF_FFFF_8000_0000
PHYS_BASE = 0x0040_0000
MODULES = 0xFFFF_FFFF_C000_0000
PAGE = 4096
_RAM = 0x00C0_0000
_TABLES = 0x00A0_0000
_TYPES_OF_MODULES: tuple[tuple[str, list[tuple[str, str]]], ...] = (
    ("list_head", [("next", "ptr"), ("prev", "ptr")]),
    ("btf_module", [("pad0", "pad[8]"), ("list", "list_head"), ("btf", "ptr")]),
    ("btf", [("data", "ptr"), ("types", "ptr"), ("data_size", "u32"), ("name", "u8[56]")]),
    ("mod_kallsyms", [("symtab", "ptr"), ("num_symtab", "u32"), ("strtab", "ptr")]),
    ("module", [("list", "list_head"), ("name", "u8[56]"), ("kallsyms", "ptr")]),
)


@dataclass
class MadeKernel:
    """Memory that structs are put into."""

    types: MadeTypes
    release: str = "7.3.4-made"
    of_module: tuple[str, ...] = ()
    """Structs that the module's own types hold."""
    from_place: bool = True
    """kallsyms has offsets from their own places; else from a base."""
    five_levels: bool = False
    memory: bytearray = field(default_factory=lambda: bytearray(_RAM))
    """Physical."""
    symbols: dict[str, int] = field(default_factory=dict)
    module_symbols: dict[str, int] = field(default_factory=dict)
    has_module: bool = True
    places: dict[str, int] = field(default_factory=dict)
    """What a test may want to damage."""
    _used: int = 0x0001_0000
    _image: int = PHYS_BASE + 0x0020_0000

    def __post_init__(self) -> None:
        for name, fields in _TYPES_OF_MODULES:
            if name not in self.types.structs:
                self.types.add(name, fields)

    def alloc(self, size: int, align: int = 16) -> int:
        """Zeroed memory in the direct map."""
        self._used = (self._used + align - 1) // align * align
        at = self._used
        self._used += size
        assert self._used < PHYS_BASE
        return DIRECT + at

    def alloc_image(self, size: int) -> int:
        """Zeroed memory of the kernel's own image."""
        at = (self._image + 15) & ~15
        self._image = at + size
        assert self._image < _TABLES
        return at - PHYS_BASE + IMAGE

    def new(self, name: str) -> int:
        """A zeroed struct."""
        return self.alloc(self.types.size(name))

    def write(self, at: int, data: bytes) -> None:
        """To a virtual address."""
        place = self.physical(at)
        self.memory[place : place + len(data)] = data

    def read(self, at: int, size: int) -> bytes:
        """From a virtual address."""
        place = self.physical(at)
        return bytes(self.memory[place : place + size])

    def physical(self, at: int) -> int:
        """Of an address that was given out."""
        return at - IMAGE + PHYS_BASE if at >= IMAGE else at - DIRECT

    def put(self, name: str, at: int, path: str, value: int) -> None:
        """A number into a field of the struct at that address."""
        placed = self.types.place(name, path)
        size = self.types.size(placed.type)
        if placed.bits:
            first = placed.offset // 8
            old = int.from_bytes(self.read(at + first, 8), "little")
            mask = (1 << placed.bits) - 1 << placed.offset % 8
            new = old & ~mask | value << placed.offset % 8 & mask
            self.write(at + first, new.to_bytes(8, "little"))
        else:
            self.write(
                at + placed.offset // 8, (value & (1 << 8 * size) - 1).to_bytes(size, "little")
            )

    def offset(self, name: str, path: str) -> int:
        """Bytes."""
        return self.types.offset(name, path)

    def text(self, at: int, value: str) -> None:
        """A string that ends with a zero."""
        self.write(at, value.encode() + b"\0")

    def pointer(self, at: int, value: int) -> None:
        """Eight bytes."""
        self.write(at, struct.pack("<Q", value))

    def hlist(self, head: int, nodes: Iterable[int]) -> None:
        """Link nodes of an hlist, in order."""
        back = head
        for node in nodes:
            self.pointer(back, node)
            self.pointer(node + 8, back)
            back = node
        self.pointer(back, 0)

    def list(self, head: int, nodes: Iterable[int]) -> None:
        """Link nodes of a list_head, in order."""
        back = head
        for node in nodes:
            self.pointer(back, node)
            self.pointer(node + 8, back)
            back = node
        self.pointer(back, head)
        self.pointer(head + 8, back)

    # ---- what a reader of a dump looks for ----

    def finish(self) -> None:
        """Put types, modules and symbols in; nothing may be added afterwards."""
        base, split = make_btf(self.types, self.of_module)
        at = self.alloc_image(len(base))
        self.write(at, base)
        self.symbols["__start_BTF"], self.symbols["__stop_BTF"] = at, at + len(base)
        self._modules(split)
        self.symbols["_stext"] = IMAGE + 0x0020_0000
        self._kallsyms()
        self._page_tables()

    def _modules(self, split: bytes) -> None:
        for name in ("btf_modules", "modules"):
            self.symbols[name] = self.alloc_image(16)
        described: list[int] = []
        modules: list[int] = []
        for name in ("nf_conntrack", *(["ip_vs"] if self.has_module else [])):
            number, btf, module, tables = map(
                self.new, ("btf_module", "btf", "module", "mod_kallsyms")
            )
            data = self.alloc(len(split))
            self.write(data, split)
            self.put("btf", btf, "data", data)
            self.put("btf", btf, "data_size", len(split))
            self.text(btf + self.offset("btf", "name"), name)
            self.put("btf_module", number, "btf", btf)
            described.append(number + self.offset("btf_module", "list"))
            names = ["", *self.module_symbols]
            strings = b"\0".join(text.encode() for text in names) + b"\0"
            table = b""
            for text in names:
                place = strings.index(b"\0" + text.encode() + b"\0") + 1 if text else 0
                value = self.module_symbols.get(text, 0)
                table += struct.pack("<IBBHQQ", place, 0, 0, 0, value, 0)
            symtab, strtab = self.alloc(len(table)), self.alloc(len(strings) + 64)
            self.write(symtab, table)
            self.write(strtab, strings)
            self.put("mod_kallsyms", tables, "symtab", symtab)
            self.put("mod_kallsyms", tables, "num_symtab", len(names))
            self.put("mod_kallsyms", tables, "strtab", strtab)
            self.put("module", module, "kallsyms", tables)
            self.text(module + self.offset("module", "name"), name)
            modules.append(module + self.offset("module", "list"))
        self.list(self.symbols["btf_modules"], described)
        self.list(self.symbols["modules"], modules)

    def _kallsyms(self) -> None:
        symbols = sorted(self.symbols.items(), key=lambda item: item[1])
        # Each token one character, but for one of two: `ti`.
        tokens = [bytes([code]) if code else b"ti" for code in range(256)]
        names = b""
        for name, _ in symbols:
            packed = b"D" + name.encode().replace(b"ti", b"\0")
            names += bytes([len(packed)]) + packed
        places, table = b"", b""
        for token in tokens:
            places += struct.pack("<H", len(table))
            table += token + b"\0"
        at = {
            "kallsyms_num_syms": self.alloc_image(4),
            "kallsyms_names": self.alloc_image(len(names)),
            "kallsyms_token_table": self.alloc_image(len(table)),
            "kallsyms_token_index": self.alloc_image(len(places)),
            "kallsyms_offsets": self.alloc_image(4 * len(symbols)),
        }
        offsets = [
            value - (at["kallsyms_offsets"] + 4 * index if self.from_place else IMAGE)
            for index, (_, value) in enumerate(symbols)
        ]
        self.write(at["kallsyms_num_syms"], struct.pack("<I", len(symbols)))
        self.write(at["kallsyms_names"], names)
        self.write(at["kallsyms_token_table"], table)
        self.write(at["kallsyms_token_index"], places)
        self.write(at["kallsyms_offsets"], struct.pack(f"<{len(symbols)}i", *offsets))
        if not self.from_place:
            at["kallsyms_relative_base"] = self.alloc_image(8)
            self.pointer(at["kallsyms_relative_base"], IMAGE)
        self.info = at

    def _page_tables(self) -> None:
        """The direct map in large pages, the image in small ones."""
        following = _TABLES

        def table() -> int:
            nonlocal following
            following += PAGE
            return following - PAGE

        def entry(of: int, index: int, value: int) -> None:
            self.memory[of + 8 * index : of + 8 * index + 8] = struct.pack("<Q", value)

        top = table()
        self.top = top
        if self.five_levels:
            lower = table()
            entry(top, 511, lower | 3)
            # Addresses of this memory need four levels only: one entry above them.
            entry(top, DIRECT >> 48 & 511, lower | 3)
            top = lower
        upper = table()
        entry(top, DIRECT >> 39 & 511, upper | 3)
        middle = table()
        entry(upper, DIRECT >> 30 & 511, middle | 3)
        for index in range(_RAM >> 21):
            entry(middle, index, index << 21 | 0x83)
        upper = table()
        entry(top, IMAGE >> 39 & 511, upper | 3)
        middle = table()
        entry(upper, IMAGE >> 30 & 511, middle | 3)
        for index in range((_RAM - PHYS_BASE) >> 21):
            lower = table()
            entry(middle, index, lower | 3)
            for page in range(512):
                entry(lower, page, PHYS_BASE + (index << 21) + (page << 12) | 3)

    def vmcoreinfo(self) -> bytes:
        """The note's content."""
        lines = {
            "OSRELEASE": self.release,
            "PAGESIZE": "4096",
            "SYMBOL(swapper_pg_dir)": f"{self.top - PHYS_BASE + IMAGE:x}",
            "KERNELOFFSET": "0",
            "NUMBER(KERNEL_IMAGE_SIZE)": "1073741824",
            "NUMBER(phys_base)": str(PHYS_BASE),
            "NUMBER(pgtable_l5_enabled)": str(int(self.five_levels)),
            "SYMBOL(_stext)": f"{self.symbols['_stext']:x}",
            **{f"SYMBOL({name})": f"{value:x}" for name, value in self.info.items()},
        }
        return "".join(f"{name}={value}\n" for name, value in lines.items()).encode()

    def dump(self) -> bytes:
        """An ELF dump of the whole machine, in two segments."""
        content = self.vmcoreinfo()
        name = b"VMCOREINFO\0\0"
        note = struct.pack("<III", 11, len(content), 0) + name + content
        note += b"\0" * (-len(note) % 4)
        half = _RAM // 2
        data = 64 + 3 * 56 + len(note)
        segments = struct.pack("<IIQQQQQQ", 4, 0, 64 + 3 * 56, 0, 0, len(note), len(note), 0)
        for start in (0, half):
            segments += struct.pack("<IIQQQQQQ", 1, 0, data + start, 0, start, half, half, 0)
        return _elf_header(3) + segments + note + bytes(self.memory)

    def live(self, root: Path) -> Path:
        """The files of a running kernel, below a folder."""
        base, split = make_btf(self.types, self.of_module)
        for folder in ("proc/sys/kernel", "sys/kernel/btf", "sys/kernel/security"):
            (root / folder).mkdir(parents=True)
        (root / "sys/kernel/btf/vmlinux").write_bytes(base)
        if self.has_module:
            (root / "sys/kernel/btf/ip_vs").write_bytes(split)
        (root / "proc/sys/kernel/osrelease").write_text(self.release + "\n")
        lines = [f"{value:016x} D {name}\n" for name, value in self.symbols.items()]
        lines += [f"{value:016x} b {n}\t[ip_vs]\n" for n, value in self.module_symbols.items()]
        (root / "proc/kallsyms").write_text("".join(lines))
        data = 64 + 2 * 56
        image = _RAM - PHYS_BASE
        segments = struct.pack("<IIQQQQQQ", 1, 0, data + PHYS_BASE, IMAGE, 0, image, image, 0)
        segments += struct.pack("<IIQQQQQQ", 1, 0, data, DIRECT, 0, _RAM, _RAM, 0)
        (root / "proc/kcore").write_bytes(_elf_header(2) + segments + bytes(self.memory))
        return root


def _elf_header(segments: int) -> bytes:
    ident = b"\x7fELF\x02\x01\x01".ljust(16, b"\0")
    return ident + struct.pack("<HHIQQQIHHHHHH", 4, 62, 1, 0, 64, 0, 0, 64, 56, segments, 0, 0, 0)
