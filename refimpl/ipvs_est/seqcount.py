"""The 32-bit build's consistency of a counter group: a seqcount per CPU (semantics section 3).

On 64-bit machines the seqcount is empty and each counter is one atomic word. On 32-bit
machines each u64 is two words, and a reader retries until it saw no writer.
"""

from collections.abc import Generator, Sequence
from dataclasses import dataclass, field

from ipvs_est.fixed import U32_MASK, U64_MASK


@dataclass(slots=True, eq=False)
class SplitCounters:
    """One CPU's counters as a 32-bit machine stores them."""

    sequence: int = 0
    """`syncp`: odd while a writer is inside."""
    words: list[int] = field(default_factory=lambda: [0] * 10)
    """Low word, high word of each of the five counters."""


@dataclass(frozen=True, slots=True)
class WordAccess:
    """Scheduling point: the next step touches this word of a counter group."""

    word: str
    """`syncp`, or the index of a 32-bit word."""
    write: bool


def write_group(counters: SplitCounters, steps: Sequence[int]) -> Generator[WordAccess, None, None]:
    """Add `steps` to the five counters inside a write section, one word at a time."""
    yield WordAccess("syncp", True)
    counters.sequence = counters.sequence + 1 & U32_MASK
    for index, step in enumerate(steps):
        low, high = 2 * index, 2 * index + 1
        value = (counters.words[high] << 32 | counters.words[low]) + step & U64_MASK
        yield WordAccess(str(low), True)
        counters.words[low] = value & U32_MASK
        yield WordAccess(str(high), True)
        counters.words[high] = value >> 32
    yield WordAccess("syncp", True)
    counters.sequence = counters.sequence + 1 & U32_MASK


def read_group(counters: SplitCounters) -> Generator[WordAccess, None, tuple[int, ...]]:
    """Read the five counters as one group, again whenever a writer came in between."""
    while True:
        yield WordAccess("syncp", False)
        before = counters.sequence
        if before & 1:
            continue
        words = [0] * 10
        for index in range(10):
            yield WordAccess(str(index), False)
            words[index] = counters.words[index]
        yield WordAccess("syncp", False)
        if counters.sequence == before:
            return tuple(words[2 * i + 1] << 32 | words[2 * i] for i in range(5))
