"""An interpreter of the cpulist syntax, word by word after section 16 of the semantics.

Written from the text, without a look at the reference implementation.
"""

from dataclasses import dataclass

U32 = 2**32
WHITE_SPACE = " \t\n\v\f\r\xa0"
SEPARATORS = WHITE_SPACE + ","
ENDS = "\n\0"
"""A newline ends the list, as the end of the text does; a NUL is that end."""
DIGITS = "0123456789"


@dataclass(frozen=True, slots=True)
class Bad:
    """The text is refused."""

    errno: str


class _BadError(Exception):
    def __init__(self, errno: str) -> None:
        super().__init__(errno)
        self.errno = errno


def interpret(text: str, possible_cpus: int) -> frozenset[int] | Bad:
    """The CPUs that `text` means, or why it is refused."""
    for end in ENDS:
        text = text.split(end)[0]
    cpus: set[int] = set()
    try:
        while text := text.lstrip(SEPARATORS):
            region, text = _region(text, possible_cpus)
            cpus |= region
    except _BadError as error:
        return Bad(error.errno)
    return frozenset(cpus)


def _region(text: str, possible_cpus: int) -> tuple[set[int], str]:
    """The CPUs of the region that `text` begins with, and what follows it."""
    if text[:3].lower() == "all" and text[:3].isascii():
        first, last, rest = 0, possible_cpus - 1, text[3:]
        grouped = True
    else:
        first, rest = _number(text, possible_cpus)
        last = first
        grouped = rest.startswith("-")
        if grouped:
            last, rest = _number(rest[1:], possible_cpus)
    used = group = (last + 1) % U32
    if grouped and rest.startswith(":"):
        used, rest = _number(rest[1:], possible_cpus)
        if not rest.startswith("/"):
            raise _BadError("EINVAL")
        group, rest = _number(rest[1:], possible_cpus)
    elif rest and rest[0] not in SEPARATORS:
        raise _BadError("EINVAL")
    if first > last or group == 0 or used > group:
        raise _BadError("EINVAL")
    if last >= possible_cpus:
        raise _BadError("ERANGE")
    return _meant(first, last, used, group), rest


def _number(text: str, possible_cpus: int) -> tuple[int, str]:
    """The number that `text` begins with, and what follows it."""
    if text.startswith("N"):
        return possible_cpus - 1, text[1:]
    length = 0
    while length < len(text) and text[length] in DIGITS:
        length += 1
    if not length:
        raise _BadError("EINVAL")
    value = int(text[:length])
    if value >= U32:
        raise _BadError("EOVERFLOW")
    return value, text[length:]


def _meant(first: int, last: int, used: int, group: int) -> set[int]:
    """Of each group counted from `first` the first `used` CPUs."""
    cpus: set[int] = set()
    start = first
    while start <= last:
        cpus |= {cpu for cpu in range(start, last + 1) if cpu < start + used}
        start = (start + group) % U32
    return cpus


def in_ranges(cpus: frozenset[int]) -> str:
    """How reading the sysctl prints them."""
    pieces: list[str] = []
    for cpu in sorted(cpus):
        if cpu - 1 in cpus:
            continue
        last = cpu
        while last + 1 in cpus:
            last += 1
        pieces.append(str(cpu) if last == cpu else f"{cpu}-{last}")
    return ",".join(pieces)
