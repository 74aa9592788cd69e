"""A port of one part of the estimator, its sysctl est_cpulist, written from the documents."""

import re
from errno import EINVAL, EOVERFLOW, ERANGE

from ipvs_est import Params
from ipvs_est.answers.results import Result, Returned, Text
from ipvs_est.answers.state import State
from ipvs_est.language.operations import InitNetns, Operation, ReadCpulist, WriteCpulist

SEPARATORS = ", \t\v\f\r\xa0"


class CpulistPort:
    """Takes three operations, so only what these answer is compared."""

    operations = frozenset({"init", "write_cpulist", "read_cpulist"})

    def __init__(self, params: Params) -> None:
        self.cpus = params.possible_cpus
        housekeeping = params.housekeeping_cpus
        self.mask = frozenset(range(self.cpus) if housekeeping is None else housekeeping)

    def apply(self, operation: Operation) -> Result:
        match operation:
            case InitNetns():
                return Returned(0)
            case ReadCpulist():
                return Text(ranges(self.mask))
            case WriteCpulist(text, allowed, offset):
                try:
                    if text and not offset:
                        mask = parse(text, self.cpus)
                        # The writer may use no other CPUs than its own.
                        self.mask = mask if allowed is None else mask & allowed
                except OSError as error:
                    return Returned(-(error.errno or EINVAL))
                return Returned(0)
            case _:
                raise NotImplementedError(operation.op)

    def state(self) -> State:
        raise NotImplementedError("dump is not among the operations")


def parse(text: str, cpus: int) -> frozenset[int]:
    """The CPUs that a text means; raises OSError with the errno of the kernel."""
    rest = re.split("[\n\0]", text)[0]
    found: set[int] = set()
    while rest := rest.lstrip(SEPARATORS):
        first, last = 0, cpus - 1
        many = re.match("[aA][lL][lL]", rest) is not None
        if many:
            rest = rest[3:]
        else:
            first, rest = number(rest, cpus)
            many = rest.startswith("-")
            last, rest = number(rest[1:], cpus) if many else (first, rest)
        used = group = (last + 1) % 2**32
        if many and rest.startswith(":"):
            used, rest = number(rest[1:], cpus)
            group, rest = number(rest[1:] if rest.startswith("/") else "", cpus)
        elif rest and rest[0] not in SEPARATORS:
            raise OSError(EINVAL, "no end of a region")
        if first > last or not group or used > group:
            raise OSError(EINVAL, "an empty region")
        if last >= cpus:
            raise OSError(ERANGE, "no such CPU")
        while first <= last:
            found.update(range(first, min(first + used, last + 1)))
            first = (first + group) % 2**32
    return frozenset(found)


def number(text: str, cpus: int) -> tuple[int, str]:
    """The number that a text begins with, and the rest."""
    digits = re.match("N|[0-9]+", text)
    if digits is None:
        raise OSError(EINVAL, "no number")
    value = cpus - 1 if digits[0] == "N" else int(digits[0])
    if value >= 2**32:
        raise OSError(EOVERFLOW, "too large")
    return value, text[digits.end() :]


def ranges(cpus: frozenset[int]) -> str:
    """As the kernel prints a mask, such as 0-3,7."""
    starts = [cpu for cpu in sorted(cpus) if cpu - 1 not in cpus]
    ends = [cpu for cpu in sorted(cpus) if cpu + 1 not in cpus]
    pairs = zip(starts, ends, strict=True)
    return ",".join(str(start) if start == end else f"{start}-{end}" for start, end in pairs)
