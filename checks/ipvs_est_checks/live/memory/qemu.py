"""A qemu guest, stopped while it is read: its physical memory by QMP, a piece at a time."""

import os
import tempfile
from collections import OrderedDict
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from ipvs_est_checks.live.memory.dump import find_vmcoreinfo, kernel_of_memory
from ipvs_est_checks.live.memory.elf import PT_LOAD, read_segments
from ipvs_est_checks.live.memory.page_tables import translator
from ipvs_est_checks.live.memory.pages import PAGE, Pages
from ipvs_est_checks.live.memory.protocol import Kernel, Source
from ipvs_est_checks.live.memory.qmp import Qmp, open_qmp
from ipvs_est_checks.live.memory.unreadable import UnmappedError
from ipvs_est_checks.live.memory.vmcoreinfo import VmcoreInfo

_PIECE = 1 << 18
"""Bytes asked for at once."""
_MOST_PIECES = 128
"""Kept: 32 MB."""
_FILE = "ipvs-est"


@dataclass(slots=True)
class Guest:
    """A qemu whose guest can be stopped."""

    qmp: Qmp
    pieces: "_Pieces"
    kernel: Kernel


@contextmanager
def open_qemu(path: Path) -> Iterator[Guest]:
    """The guest behind a QMP socket. It is stopped while it is looked at for the first time, and
    goes on then. Raises UnreadableError."""
    with open_qmp(path) as qmp:
        pieces = _Pieces(qmp)
        with stopped(qmp):
            guest = Guest(qmp, pieces, _kernel(pieces))
        yield guest


@contextmanager
def stopped(qmp: Qmp) -> Iterator[None]:
    """The guest stands still meanwhile, and goes on afterwards if it ran before: also after an
    error or an interruption."""
    status = qmp.ask("query-status")
    ran = isinstance(status, dict) and status.get("running") is True
    try:
        if ran:
            qmp.ask("stop")
        yield
    finally:
        if ran:
            qmp.ask("cont")


class _Pieces:
    """Physical memory, in pieces of which the latest are kept."""

    __slots__ = ("_kept", "_qmp")

    def __init__(self, qmp: Qmp) -> None:
        self._qmp = qmp
        self._kept: OrderedDict[int, bytes] = OrderedDict()

    def forget(self) -> None:
        """Ask for everything anew."""
        self._kept.clear()

    def read(self, address: int, size: int) -> bytes:
        """From within one page. Raises UnreadableError."""
        number, at = divmod(address, _PIECE)
        piece = self._kept.get(number)
        if piece is None:
            if len(self._kept) >= _MOST_PIECES:
                self._kept.popitem(last=False)
            piece = self._kept[number] = self._ask(number)
        found = piece[at : at + size]
        if len(found) != size:
            raise UnmappedError(f"physical address {address:#x} is not in the guest")
        return found

    def _ask(self, number: int) -> bytes:
        data = _dumped(self._qmp, number * _PIECE, _PIECE)
        _, segments = read_segments(lambda offset, size: data[offset : offset + size])
        piece = bytearray()
        for segment in sorted(segments, key=lambda segment: segment.physical):
            if segment.kind == PT_LOAD and segment.physical == number * _PIECE + len(piece):
                piece += data[segment.offset : segment.offset + segment.size]
        return bytes(piece)

    def vmcoreinfo(self) -> VmcoreInfo:
        """What comes with every piece."""
        data = _dumped(self._qmp, 0, PAGE)

        def read_at(offset: int, size: int) -> bytes:
            return data[offset : offset + size]

        machine, segments = read_segments(read_at)
        return find_vmcoreinfo(read_at, segments, machine)


def _dumped(qmp: Qmp, begin: int, length: int) -> bytes:
    """An ELF file of some of the guest's memory: qemu writes it to a file that is ours, so that it
    needs no right to any file."""
    with tempfile.TemporaryFile() as file:
        qmp.ask("getfd", {"fdname": _FILE}, file.fileno())
        asked = {
            "paging": False,
            "protocol": f"fd:{_FILE}",
            "begin": begin,
            "length": length,
        }
        qmp.ask("dump-guest-memory", asked)
        return os.pread(file.fileno(), os.fstat(file.fileno()).st_size, 0)


def _kernel(pieces: _Pieces) -> Kernel:
    info = pieces.vmcoreinfo()
    translate = translator(info, pieces.read)
    pages = Pages(lambda number: pieces.read(translate(number), PAGE))

    kernel = kernel_of_memory(info, pages, pages, Source.QEMU)

    def forget() -> None:
        pages.forget()
        pieces.forget()

    return Kernel(kernel.source, kernel.release, pages, kernel.symbols, kernel.types, forget)
