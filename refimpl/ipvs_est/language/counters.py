"""The five counters, per CPU and summed (semantics sections 1 and 3)."""

from collections.abc import Sequence
from typing import NamedTuple

from ipvs_est.language.fixed import U64_MASK

Group = tuple[int, int, int, int, int]
"""One value for each counter, in the order of COUNTERS."""

COUNTERS = ("conns", "inpkts", "outpkts", "inbytes", "outbytes")
RATES = ("cps", "inpps", "outpps", "inbps", "outbps")
ZERO: Group = (0, 0, 0, 0, 0)


class Counters(NamedTuple):
    """What a reader gets of counters, by name; a `Group`."""

    conns: int
    inpkts: int
    outpkts: int
    inbytes: int
    outbytes: int


class Rates(NamedTuple):
    """What a reader gets of rates per second, by name; a `Group`."""

    cps: int
    inpps: int
    outpps: int
    inbps: int
    outbps: int


CpuStats = dict[int, list[int]]
"""Counters of the CPUs that ever counted something; others hold zeros. A CPU's list is its
memory: five u64 words, in a 32-bit build the words that `ipvs_est.seqcount` describes."""


def count(cpustats: CpuStats, cpu: int, steps: Sequence[int]) -> None:
    """Add `steps` to one CPU's counters, each modulo 2^64 (packet path, 64-bit)."""
    words = cpustats.get(cpu)
    if words is None:
        words = cpustats[cpu] = [0, 0, 0, 0, 0]
    for index, step in enumerate(steps):
        words[index] = words[index] + step & U64_MASK


def sum_cpustats(cpustats: CpuStats) -> Group:
    """Sums over all possible CPUs, modulo 2^64 (`ip_vs_chain_estimation`, 64-bit)."""
    conns = inpkts = outpkts = inbytes = outbytes = 0
    for c, ip, op, ib, ob in cpustats.values():
        conns += c
        inpkts += ip
        outpkts += op
        inbytes += ib
        outbytes += ob
    return (
        conns & U64_MASK,
        inpkts & U64_MASK,
        outpkts & U64_MASK,
        inbytes & U64_MASK,
        outbytes & U64_MASK,
    )


def difference(left: Group, right: Group) -> Group:
    """left - right, each modulo 2^64."""
    return (
        left[0] - right[0] & U64_MASK,
        left[1] - right[1] & U64_MASK,
        left[2] - right[2] & U64_MASK,
        left[3] - right[3] & U64_MASK,
        left[4] - right[4] & U64_MASK,
    )
