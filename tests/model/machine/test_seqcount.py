"""The 32-bit counter group under a writer (semantics section 3)."""

from collections.abc import Callable, Generator
from itertools import product

from ipvs_est import Oracle, Params
from ipvs_est.answers.results import ReadObject
from ipvs_est.language.counters import CpuStats, Group
from ipvs_est.language.operations import Advance, InitNetns, Read, StartService, Traffic
from ipvs_est.machine.points import Point
from ipvs_est.state.seqcount import SYNCP, count_split, group_of, read_group

STEPS = (1, 2, 3, 4, 5)
BEFORE: Group = (2**32 - 1, 2**64 - 1, 7, 2**32 - 4, 2**63)
# Low words overflow into high words, the second counter wraps.
AFTER: Group = (2**32, 1, 10, 2**32, 2**63 + 5)


def memory() -> CpuStats:
    words = [half for counter in BEFORE for half in (counter & 0xFFFFFFFF, counter >> 32)]
    return {0: [*words, 0]}


def step(generator: Generator[Point, None, object]) -> tuple[bool, object]:
    try:
        next(generator)
    except StopIteration as finished:
        return True, finished.value
    return False, None


Reader = Callable[[list[int]], Generator[Point, None, Group]]


def reads(reader: Reader, first: int, pause: int) -> Group | None:
    """Run the writer for `first` steps, the reader for `pause`, the writer to its end, the
    reader to its end; None: the reader was still waiting for the writer."""
    cpustats = memory()
    writer = count_split(cpustats, 0, STEPS)
    reading = reader(cpustats[0])
    for _ in range(first):
        step(writer)
    for _ in range(pause):
        done, value = step(reading)
        if done:
            return value if isinstance(value, tuple) else None
    while not step(writer)[0]:
        pass
    while True:
        done, value = step(reading)
        if done:
            assert isinstance(value, tuple)
            return value


def seqcount_reader(words: list[int]) -> Generator[Point, None, Group]:
    return read_group(words, 0)


def careless_reader(words: list[int]) -> Generator[Point, None, Group]:
    """Reads word by word and does not look at syncp."""
    copy = [0] * SYNCP
    for index in range(SYNCP):
        yield from ()
        copy[index] = words[index]
        yield _ANY_POINT
    return group_of([*copy, 0])


_ANY_POINT = next(read_group([0] * 11, 0))

# The writer has 12 accesses and so 13 positions, a read has 12.
POSITIONS = tuple(product(range(14), range(14)))


def test_every_group_read_is_one_that_the_writer_left() -> None:
    seen = {reads(seqcount_reader, first, pause) for first, pause in POSITIONS}
    assert seen == {BEFORE, AFTER}


def test_without_the_seqcount_some_groups_are_torn() -> None:
    seen = {reads(careless_reader, first, pause) for first, pause in POSITIONS}
    assert seen - {BEFORE, AFTER}


def test_a_32_bit_machine_gives_the_results_of_a_64_bit_one() -> None:
    answers: list[list[ReadObject]] = []
    for word_bits in (32, 64):
        oracle = Oracle(Params(word_bits=word_bits, possible_cpus=3))
        oracle.apply(InitNetns())
        oracle.apply(StartService(1))
        found: list[ReadObject] = []
        for second in range(9):
            oracle.apply(Traffic(1, second % 3, 2**32 - 1, second, 5, 2**33, 2**64 - 1))
            oracle.apply(Advance(250))
            result = oracle.apply(Read(1))
            assert isinstance(result, ReadObject)
            found.append(result)
        answers.append(found)
    assert answers[0] == answers[1]
    assert answers[0][-1].reading.counters[0] > 2**32
