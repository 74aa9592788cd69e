"""The 32-bit build's counters: two words each, a seqcount for the group (semantics section 3).

On 64-bit machines the seqcount is empty and each counter is one atomic word. On 32-bit
machines a CPU's memory is ten u32 words, low and high word of each counter in turn, and
then `syncp`, which is odd while a writer is inside; a reader retries until it saw none.
"""

from collections.abc import Generator, Sequence

from ipvs_est.language.counters import CpuStats, Group
from ipvs_est.language.fixed import U32_MASK, U64_MASK
from ipvs_est.machine.memory import HeapObject
from ipvs_est.machine.points import Call, FieldAccess, GiveWay, Point, WordAccess

WORDS = 10
SYNCP = 10

# The reader does not sleep. But while it spins here, only the writer can end its wait.
_RETRY = GiveWay("u64_stats_fetch_retry", rcu=False)


def count_split(cpustats: CpuStats, cpu: int, steps: Sequence[int]) -> Call:
    """Add `steps` to one CPU's counters inside a write section, word by word; answers 0."""
    words = cpustats.get(cpu)
    if words is None:
        words = cpustats[cpu] = [0] * (WORDS + 1)
    yield WordAccess(cpu, SYNCP, write=True)
    words[SYNCP] = words[SYNCP] + 1 & U32_MASK
    for index, step in enumerate(steps):
        low, high = 2 * index, 2 * index + 1
        value = (words[high] << 32 | words[low]) + step & U64_MASK
        yield WordAccess(cpu, low, write=True)
        words[low] = value & U32_MASK
        yield WordAccess(cpu, high, write=True)
        words[high] = value >> 32
    yield WordAccess(cpu, SYNCP, write=True)
    words[SYNCP] = words[SYNCP] + 1 & U32_MASK
    return 0


def read_group(words: list[int], cpu: int) -> Generator[Point, None, Group]:
    """One CPU's five counters as a writer left them, however often that takes."""
    while True:
        yield WordAccess(cpu, SYNCP, write=False)
        before = words[SYNCP]
        if before & 1:
            yield _RETRY
            continue
        copy = [0] * WORDS
        for index in range(WORDS):
            yield WordAccess(cpu, index, write=False)
            copy[index] = words[index]
        yield WordAccess(cpu, SYNCP, write=False)
        if words[SYNCP] == before:
            return group_of([*copy, before])


def sum_split(cpustats: CpuStats) -> Generator[Point, None, Group]:
    """Sums over all possible CPUs, modulo 2^64 (`ip_vs_chain_estimation`, 32-bit)."""
    sums = [0, 0, 0, 0, 0]
    cpus = sorted(cpustats)
    for cpu in cpus:
        group = yield from read_group(cpustats[cpu], cpu)
        sums = [left + right & U64_MASK for left, right in zip(sums, group, strict=True)]
    return sums[0], sums[1], sums[2], sums[3], sums[4]


def sum_whole(stats: HeapObject, cpustats: CpuStats) -> Generator[Point, None, Group]:
    """Sums over all possible CPUs, modulo 2^64, where others may count between any two reads
    (`ip_vs_chain_estimation`, 64-bit). The point before the first is the caller's."""
    sums = [0, 0, 0, 0, 0]
    cpus = sorted(cpustats)
    counters = len(sums)
    first = True
    for cpu in cpus:
        for index in range(counters):
            if not first:
                yield FieldAccess(stats, "cpustats", write=False)
            first = False
            sums[index] = sums[index] + cpustats[cpu][index] & U64_MASK
    return sums[0], sums[1], sums[2], sums[3], sums[4]


def group_of(words: list[int]) -> Group:
    """The five counters in a CPU's memory, of either word size, with nobody writing."""
    if len(words) > WORDS:
        words = [words[i + 1] << 32 | words[i] for i in range(0, WORDS, 2)]
    return words[0], words[1], words[2], words[3], words[4]
