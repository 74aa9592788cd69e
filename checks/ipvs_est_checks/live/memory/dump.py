"""A dump of a whole x86-64 machine: from its physical memory and VMCOREINFO alone."""

import mmap
from bisect import bisect_right
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from ipvs_est_checks.live.memory.elf import (
    EM_X86_64,
    PT_LOAD,
    PT_NOTE,
    ReadAt,
    Segment,
    read_notes,
    read_segments,
)
from ipvs_est_checks.live.memory.kallsyms import read_kallsyms
from ipvs_est_checks.live.memory.modules import read_module_symbols, read_types
from ipvs_est_checks.live.memory.page_tables import translator
from ipvs_est_checks.live.memory.pages import PAGE, Pages
from ipvs_est_checks.live.memory.protocol import Kernel, KernelMemory, Source
from ipvs_est_checks.live.memory.unreadable import UnmappedError, UnreadableError
from ipvs_est_checks.live.memory.vmcoreinfo import NOTE, VmcoreInfo, parse_vmcoreinfo

_COMPRESSED = (b"KDUMP   ", b"makedumpfile")


@contextmanager
def open_dump(path: Path) -> Iterator[Kernel]:
    """An ELF dump: qemu's `dump-guest-memory`, `makedumpfile -E`, a copy of /proc/vmcore; any
    other kind by drgn. Raises UnreadableError."""
    with _mapped(path) as data:
        if data[:12].startswith(_COMPRESSED):
            from ipvs_est_checks.live.memory.by_drgn import kernel_by_drgn

            yield kernel_by_drgn(path)
        else:
            yield _kernel(data)


def _mapped(path: Path) -> mmap.mmap:
    """The file's content. Raises UnreadableError."""
    try:
        with path.open("rb") as file:
            if not file.seek(0, 2):
                raise UnreadableError("empty")
            return mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ)
    except OSError as error:
        raise UnreadableError(error.strerror or type(error).__name__) from None


def kernel_of_memory(
    info: VmcoreInfo, memory: KernelMemory, pages: Pages, source: Source
) -> Kernel:
    """The kernel of which there is nothing but its memory. Raises UnreadableError."""
    symbols = read_kallsyms(memory, info)
    types = read_types(memory, symbols)
    symbols.update(read_module_symbols(memory, symbols, types))
    if types.find("netns_ipvs") is None:
        raise UnreadableError("ip_vs is not loaded in it")
    return Kernel(source, info.text("OSRELEASE"), memory, symbols, types, pages.forget)


def find_vmcoreinfo(read_at: ReadAt, segments: Sequence[Segment], machine: int) -> VmcoreInfo:
    """The note of a dump's file. Raises UnreadableError."""
    if machine != EM_X86_64:
        raise UnreadableError("no dump of an x86-64 machine")
    for segment in segments:
        if segment.kind == PT_NOTE:
            raw = read_at(segment.offset, segment.size)
            if len(raw) < segment.size:
                raise UnreadableError("truncated within its notes")
            for name, content in read_notes(raw):
                if name == NOTE:
                    return parse_vmcoreinfo(content)
    raise UnreadableError(
        "no VMCOREINFO note (of a qemu guest: -device vmcoreinfo, and qemu_fw_cfg in the guest)"
    )


def _kernel(data: mmap.mmap) -> Kernel:
    def read_at(offset: int, size: int) -> bytes:
        return data[offset : offset + size]

    machine, segments = read_segments(read_at)
    info = find_vmcoreinfo(read_at, segments, machine)
    end = len(data)
    loaded = sorted(
        (segment for segment in segments if segment.kind == PT_LOAD and segment.size),
        key=lambda segment: segment.physical,
    )
    if any(segment.offset + segment.size > end for segment in loaded):
        missing = max(segment.offset + segment.size for segment in loaded) - end
        raise UnreadableError(f"truncated: {missing} bytes are missing at its end")
    starts = [segment.physical for segment in loaded]

    def physical(address: int, size: int) -> bytes:
        index = bisect_right(starts, address) - 1
        segment = loaded[index] if index >= 0 else None
        if segment is None or address + size > segment.physical + segment.size:
            raise UnmappedError(f"physical address {address:#x} is not in the dump")
        offset = segment.offset + address - segment.physical
        return data[offset : offset + size]

    translate = translator(info, physical)
    pages = Pages(lambda number: physical(translate(number), PAGE))
    return kernel_of_memory(info, pages, pages, Source.DUMP)
