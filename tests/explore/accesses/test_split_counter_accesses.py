"""Every access to a 32-bit counter group is a scheduling point that says what it is."""

from collections.abc import Generator
from typing import TypeVar

from ipvs_est.language.counters import CpuStats
from ipvs_est.machine.points import Point, WordAccess
from ipvs_est.state.seqcount import SYNCP, WORDS, count_split, group_of, read_group, sum_split

T = TypeVar("T")


def accesses(body: Generator[Point, None, T]) -> tuple[list[tuple[int, int, bool]], T]:
    """CPU, word and whether it is written, for each access; then what the body returns."""
    found: list[tuple[int, int, bool]] = []
    while True:
        try:
            point = next(body)
        except StopIteration as finished:
            result: T = finished.value
            return found, result
        assert isinstance(point, WordAccess)
        found.append((point.cpu, point.word, point.write))


def test_a_writer_writes_syncp_then_each_half_then_syncp() -> None:
    cpustats: CpuStats = {}
    found, result = accesses(count_split(cpustats, 3, (1, 2, 3, 4, 2**32 + 5)))
    assert found == [(3, word, True) for word in (SYNCP, *range(WORDS), SYNCP)]
    assert result == 0
    assert cpustats == {3: [1, 0, 2, 0, 3, 0, 4, 0, 5, 1, 2]}


def test_a_reader_reads_syncp_then_each_half_then_syncp() -> None:
    words = [1, 0, 2, 0, 3, 0, 4, 0, 5, 1, 2]
    found, group = accesses(read_group(words, 3))
    assert found == [(3, word, False) for word in (SYNCP, *range(WORDS), SYNCP)]
    assert group == (1, 2, 3, 4, 2**32 + 5)


def test_cpus_are_read_in_order_and_their_sums_wrap() -> None:
    large = [2**32 - 1] * WORDS
    found, sums = accesses(sum_split({5: [*large, 0], 2: [1, 0] * 5 + [4]}))
    assert [cpu for cpu, word, _ in found if word == 0] == [2, 5]
    assert sums == (0, 0, 0, 0, 0)


def test_memory_of_both_word_sizes_is_understood() -> None:
    assert group_of([1, 2, 3, 4, 5]) == (1, 2, 3, 4, 5)
    assert group_of([1, 0, 2, 0, 3, 0, 4, 0, 5, 1, 8]) == (1, 2, 3, 4, 2**32 + 5)
