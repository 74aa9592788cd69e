"""x86-64 page tables, of four or five levels."""

import struct
from collections.abc import Callable

from ipvs_est_checks.live.memory.pages import PAGE
from ipvs_est_checks.live.memory.unreadable import UnmappedError
from ipvs_est_checks.live.memory.vmcoreinfo import VmcoreInfo

KERNEL_BASE = 0xFFFF_FFFF_8000_0000
"""Where the kernel's own image is mapped from, before it is moved: __START_KERNEL_map."""

_WORD = (1 << 64) - 1
_PRESENT = 1
_HUGE = 1 << 7
_FRAME = 0x000F_FFFF_FFFF_F000
_LEAF = 12
_MAY_BE_HUGE = (30, 21)
_ENTRY = struct.Struct("<Q")

ReadPhysical = Callable[[int, int], bytes]
"""Exactly so many bytes from that physical address, within a page; raises UnreadableError."""


def translator(info: VmcoreInfo, read: ReadPhysical) -> Callable[[int], int]:
    """Physical address of a page by its number; raises UnmappedError."""
    # Its name changed; both say where the kernel's own tables are.
    name = "init_top_pgt" if info.has("SYMBOL(init_top_pgt)") else "swapper_pg_dir"
    top = info.symbol(name) - KERNEL_BASE + info.number("phys_base")
    five = info.has("NUMBER(pgtable_l5_enabled)") and info.number("pgtable_l5_enabled") != 0
    sign = 56 if five else 47
    shifts = (48, 39, 30, 21, _LEAF) if five else (39, 30, 21, _LEAF)

    def physical(number: int) -> int:
        address = number << _LEAF
        # The bits above those that are translated are copies of the highest one.
        if not 0 <= address <= _WORD or address >> sign not in (0, _WORD >> sign):
            raise UnmappedError(f"{address:#x} is no address")
        table = top
        for shift in shifts:
            entry: int = _ENTRY.unpack(read(table + 8 * (address >> shift & 511), 8))[0]
            if not entry & _PRESENT:
                raise UnmappedError(f"{address:#x} is not mapped")
            frame = entry & _FRAME
            if shift in _MAY_BE_HUGE and entry & _HUGE:
                inside = (1 << shift) - 1
                return frame & ~inside | address & inside & ~(PAGE - 1)
            table = frame
        return table

    return physical
