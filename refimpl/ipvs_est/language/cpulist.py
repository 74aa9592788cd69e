"""The text form of a set of CPUs, as the `est_cpulist` sysctl takes it (semantics section 16).

A character of the text stands for the byte of its code: U+00A0 is the no-break space that
a Latin-1 `isspace` counts as white space, and what is above U+00FF can only be malformed.
"""

import re
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Literal, TypeAlias

from ipvs_est.language.fixed import U32_MASK, signed
from ipvs_est.language.params import MAX_POSSIBLE_CPUS

ErrnoName: TypeAlias = Literal["EINVAL", "ERANGE", "EOVERFLOW"]

_SEPARATORS = "\t\v\f\r \xa0,"
# A C string ends at NUL; the empty slice is the end of the text.
_LIST_ENDS = frozenset({"", "\0", "\n"})
_REGION_ENDS = _LIST_ENDS.union(_SEPARATORS)
_QUOTE_CHARS = 40
_U32_DIGITS = len(str(U32_MASK))

_SEPARATORS_RE = re.compile(f"[{_SEPARATORS}]*")
_QUOTE_RE = re.compile(f"[^{_SEPARATORS}\n\0]{{1,{_QUOTE_CHARS}}}")
_ALL_RE = re.compile("[Aa][Ll][Ll]")
_NUMBER_RE = re.compile("N|[0-9]+")


class CpulistError(ValueError):
    """A text that is no cpulist; `.errno_name` is the error that a write of it gives.

    Source: semantics section 16, `bitmap_parselist`.
    """

    def __init__(self, message: str, errno_name: ErrnoName) -> None:
        super().__init__(message, errno_name)
        self.errno_name: ErrnoName = errno_name

    def __str__(self) -> str:
        return str(self.args[0])


class _RegionError(Exception):
    """What is wrong with a region, before it is known which region it is."""

    def __init__(self, errno_name: ErrnoName, reason: str) -> None:
        super().__init__(reason)
        self.errno_name: ErrnoName = errno_name


@dataclass(frozen=True, slots=True)
class _Region:
    """Of each `group` CPUs counted from `first`, up to `last`, the first `used`."""

    first: int
    last: int
    used: int
    group: int


def parse_cpulist(text: str, possible_cpus: int) -> frozenset[int]:
    """The CPUs that `text` names on a machine with CPUs 0 .. possible_cpus-1.

    Raises `CpulistError` when the text is no cpulist of that machine (EINVAL, ERANGE or
    EOVERFLOW), `ValueError` when `possible_cpus` is not in 1..8192.
    Source: semantics section 16, `bitmap_parselist`.
    """
    if not 1 <= possible_cpus <= MAX_POSSIBLE_CPUS:
        raise ValueError(f"possible_cpus: {possible_cpus} is not in 1..{MAX_POSSIBLE_CPUS}")
    # Bits, since a long text may name thousands of CPUs with every few characters.
    selected = 0
    number = 1
    start = _skip_separators(text, 0)
    while not _at(text, start, _LIST_ENDS):
        try:
            region, end = _read_region(text, start, possible_cpus - 1)
            _check_region(region, possible_cpus - 1)
        except _RegionError as fault:
            message = f"region {number}, {_quote(text, start)}, at offset {start}: {fault}"
            raise CpulistError(message, fault.errno_name) from None
        selected |= _region_bits(region)
        number += 1
        start = _skip_separators(text, end)
    return frozenset(cpu for cpu, bit in enumerate(reversed(f"{selected:b}")) if bit == "1")


def format_cpulist(cpus: Iterable[int]) -> str:
    """The CPUs as ascending ranges, such as "0-3,5,7-8"; nothing for no CPUs.

    Raises `ValueError` for a negative CPU.
    Source: `bitmap_print_to_pagebuf`, list form.
    """
    ranges: list[tuple[int, int]] = []
    for cpu in sorted(set(cpus)):
        if cpu < 0:
            raise ValueError(f"CPU {cpu} is negative")
        if ranges and ranges[-1][1] == cpu - 1:
            ranges[-1] = (ranges[-1][0], cpu)
        else:
            ranges.append((cpu, cpu))
    return ",".join(str(a) if a == b else f"{a}-{b}" for a, b in ranges)


def _at(text: str, pos: int, wanted: frozenset[str]) -> bool:
    return text[pos : pos + 1] in wanted


def _skip_separators(text: str, pos: int) -> int:
    found = _SEPARATORS_RE.match(text, pos)
    return found.end() if found else pos


def _quote(text: str, start: int) -> str:
    """The region at `start`, cut short, in printable ASCII."""
    found = _QUOTE_RE.match(text, start)
    quoted = found[0] if found else ""
    return ascii(quoted) + ("..." if len(quoted) == _QUOTE_CHARS else "")


def _read_region(text: str, pos: int, last_cpu: int) -> tuple[_Region, int]:
    """The region at `pos` and the offset after it; a separator need not follow a group."""
    if _ALL_RE.match(text, pos):
        first, last, pos = 0, last_cpu, pos + len("all")
    else:
        first, pos = _read_number(text, pos, last_cpu)
        if _at(text, pos, _REGION_ENDS):
            return _ungrouped(first, first), pos
        last, pos = _read_number(text, _expect(text, pos, "-"), last_cpu)
    if _at(text, pos, _REGION_ENDS):
        return _ungrouped(first, last), pos
    used, pos = _read_number(text, _expect(text, pos, ":"), last_cpu)
    group, pos = _read_number(text, _expect(text, pos, "/"), last_cpu)
    return _Region(first, last, used, group), pos


def _ungrouped(first: int, last: int) -> _Region:
    size = (last + 1) & U32_MASK
    return _Region(first, last, used=size, group=size)


def _read_number(text: str, pos: int, last_cpu: int) -> tuple[int, int]:
    found = _NUMBER_RE.match(text, pos)
    if not found:
        raise _RegionError(
            "EINVAL", f"expected a number at offset {pos}, found {_found(text, pos)}"
        )
    if found[0] == "N":
        return last_cpu, found.end()
    digits = found[0].lstrip("0") or "0"
    # The length goes first: converting digits takes more than linear time.
    if len(digits) > _U32_DIGITS or int(digits) > U32_MASK:
        raise _RegionError("EOVERFLOW", f"the number at offset {pos} is above {U32_MASK}")
    return int(digits), found.end()


def _expect(text: str, pos: int, char: str) -> int:
    """The offset after `char`, which must be at `pos`."""
    if text[pos : pos + 1] != char:
        found = _found(text, pos)
        raise _RegionError("EINVAL", f"expected {char!r} at offset {pos}, found {found}")
    return pos + 1


def _found(text: str, pos: int) -> str:
    return ascii(text[pos]) if pos < len(text) else "the end of the text"


def _check_region(region: _Region, last_cpu: int) -> None:
    if region.first > region.last:
        raise _RegionError("EINVAL", f"first CPU {region.first} is above last CPU {region.last}")
    if region.group == 0:
        raise _RegionError("EINVAL", "a group has 0 CPUs")
    if region.used > region.group:
        raise _RegionError("EINVAL", f"{region.used} used CPUs in a group of {region.group}")
    if region.last > last_cpu:
        raise _RegionError(
            "ERANGE", f"CPU {region.last} is beyond the last possible CPU, {last_cpu}"
        )


def _region_bits(region: _Region) -> int:
    """The region's CPUs as bits.

    Adding a group of 2**31 or more wraps, which is a step down; a `last` below 2**31 ends
    the walk either way once it leaves the CPUs up to `last`.
    """
    step = signed(region.group, 32)
    starts = range(region.first, region.last + 1 if step > 0 else -1, step)
    run = (1 << min(region.used, region.last + 1)) - 1
    bits = _repeat_bits(run, abs(step), len(starts)) << min(starts[0], starts[-1])
    return bits & ((2 << region.last) - 1)


def _repeat_bits(bits: int, distance: int, count: int) -> int:
    """`bits`, `count` times, each copy `distance` above the one before; they may overlap."""
    copies = 1
    while copies < count:
        more = min(copies, count - copies)
        bits |= bits << distance * more
        copies += more
    return bits
