"""The kernel that runs here: /proc/kcore, /proc/kallsyms and /sys/kernel/btf."""

import errno
import os
from bisect import bisect_right
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from ipvs_est_checks.live.memory.btf import Btf
from ipvs_est_checks.live.memory.elf import PT_LOAD, Segment, read_segments
from ipvs_est_checks.live.memory.kallsyms import parse_kallsyms
from ipvs_est_checks.live.memory.pages import PAGE, Pages
from ipvs_est_checks.live.memory.protocol import MODULE, Kernel, Source
from ipvs_est_checks.live.memory.unreadable import UnmappedError, UnreadableError

_KCORE = "proc/kcore"
_KALLSYMS = "proc/kallsyms"
_TYPES = "sys/kernel/btf"
_LOCKDOWN = "sys/kernel/security/lockdown"
_RELEASE = "proc/sys/kernel/osrelease"


@contextmanager
def open_live(root: Path = Path("/")) -> Iterator[Kernel]:
    """The running kernel, whose file systems are below `root`. Raises UnreadableError."""
    types = _types(root / _TYPES)
    symbols = parse_kallsyms(_file(root, _KALLSYMS))
    file = _open_kcore(root)
    try:
        fetch = _fetch_from(file)
        pages = Pages(fetch, fetch.run)
        release = _file(root, _RELEASE).decode("ascii", "replace").strip()
        yield Kernel(Source.LIVE, release, pages, symbols, types, pages.forget)
    finally:
        os.close(file)


def _types(folder: Path) -> Btf:
    try:
        base = Btf((folder / "vmlinux").read_bytes())
    except OSError:
        raise UnreadableError(
            f"no {folder}/vmlinux: the kernel has no BTF (CONFIG_DEBUG_INFO_BTF)"
        ) from None
    try:
        return Btf((folder / MODULE).read_bytes(), base)
    except FileNotFoundError:
        if base.find("netns_ipvs") is None:
            raise UnreadableError("ip_vs is not loaded") from None
        return base
    except OSError as error:
        raise UnreadableError(f"{folder / MODULE}: {error.strerror}") from None


def _file(root: Path, name: str) -> bytes:
    try:
        return (root / name).read_bytes()
    except OSError as error:
        raise UnreadableError(f"{root / name}: {_why(root, error)}") from None


def _open_kcore(root: Path) -> int:
    path = root / _KCORE
    try:
        return os.open(path, os.O_RDONLY | os.O_CLOEXEC)
    except FileNotFoundError:
        raise UnreadableError(f"no {path}: the kernel has none (CONFIG_PROC_KCORE)") from None
    except OSError as error:
        raise UnreadableError(f"{path}: {_why(root, error)}") from None


def _why(root: Path, error: OSError) -> str:
    if error.errno not in (errno.EPERM, errno.EACCES):
        return error.strerror or type(error).__name__
    try:
        locked = "[confidentiality]" in (root / _LOCKDOWN).read_text()
    except OSError:
        locked = False
    if locked:
        return "the kernel is locked down (lockdown=confidentiality), nobody may read it"
    return "needs root (CAP_SYS_RAWIO and CAP_SYSLOG)"


def _fetch_from(file: int) -> "_Fetch":
    try:
        _, segments = read_segments(lambda offset, size: os.pread(file, size, offset))
    except OSError as error:
        raise UnreadableError(f"/proc/kcore: {error.strerror}") from None
    return _Fetch(file, [segment for segment in segments if segment.kind == PT_LOAD])


class _Fetch:
    """Reads pages of a kcore."""

    __slots__ = ("_file", "_segments", "_starts")

    def __init__(self, file: int, segments: list[Segment]) -> None:
        self._file = file
        self._segments = sorted(segments, key=lambda segment: segment.virtual)
        self._starts = [segment.virtual for segment in self._segments]

    def run(self, number: int, count: int) -> bytes | None:
        """Several pages at once; None: not all of them can be read."""
        address, size = number * PAGE, count * PAGE
        segment = self._segment(address, size)
        if segment is None:
            return None
        try:
            found = os.pread(self._file, size, segment.offset + address - segment.virtual)
        except OSError:
            return None
        return found if len(found) == size else None

    def _segment(self, address: int, size: int) -> Segment | None:
        """The one that holds all of it."""
        index = bisect_right(self._starts, address) - 1
        segment = self._segments[index] if index >= 0 else None
        if segment is None or address + size > segment.virtual + segment.size:
            return None
        return segment

    def __call__(self, number: int) -> bytes:
        address = number * PAGE
        segment = self._segment(address, PAGE)
        if segment is None:
            raise UnmappedError(f"{address:#x} is not mapped")
        try:
            page = os.pread(self._file, PAGE, segment.offset + address - segment.virtual)
        except OSError as error:
            raise UnmappedError(f"{address:#x}: {error.strerror}") from None
        if len(page) != PAGE:
            raise UnmappedError(f"{address:#x} is not mapped")
        return page
