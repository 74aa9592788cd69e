"""cpulist syntax: the recorded answers of `bitmap_parselist`, and semantics section 16."""

import pickle
import string
from collections import Counter
from collections.abc import Set as AbstractSet
from dataclasses import dataclass

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ipvs_est.language.cpulist import CpulistError, format_cpulist, parse_cpulist
from recorded_cpulists import Case, recorded_cases

U32_SPAN = 2**32
# How long an example takes is no matter of these tests.
untimed = settings(deadline=None)

SEPARATORS = "\t\v\f\r \xa0,"


def answer_of(text: str, possible_cpus: int) -> AbstractSet[int] | str:
    try:
        return parse_cpulist(text, possible_cpus)
    except CpulistError as error:
        return error.errno_name


def selected_by_definition(first: int, last: int, used: int, group: int) -> frozenset[int]:
    """Of each group of that many CPUs counted from `first`, the first `used` are meant."""
    return frozenset(cpu for cpu in range(first, last + 1) if (cpu - first) % group < used)


def selected_by_wrapping_walk(first: int, last: int, used: int, group: int) -> frozenset[int]:
    """The definition, a group after the other, with 32-bit starts of the groups."""
    starts = []
    start = first
    while start <= last:
        starts.append(start)
        start = (start + group) % U32_SPAN
    return frozenset(cpu for cpu in range(last + 1) for s in starts if s <= cpu < s + used)


@dataclass(frozen=True, slots=True)
class GoodRegion:
    text: str
    cpus: frozenset[int]


@st.composite
def good_regions(draw: st.DrawFn, possible_cpus: int) -> GoodRegion:
    """A region without error, and the CPUs that the definition gives it."""
    end = possible_cpus - 1
    kind = draw(st.sampled_from(["all", "number", "range"]))
    if kind == "all":
        first, last = 0, end
        text = draw(st.sampled_from(["all", "ALL", "All", "aLl"]))
    else:
        first = draw(st.integers(0, end))
        last = first if kind == "number" else draw(st.integers(first, end))
        ends = [draw(number_texts(cpu, possible_cpus)) for cpu in (first, last)]
        text = ends[0] if kind == "number" else "-".join(ends)
    if kind == "number" or draw(st.booleans()):
        return GoodRegion(text, frozenset(range(first, last + 1)))
    group = draw(st.integers(1, 2 * possible_cpus) | st.integers(U32_SPAN - 9, U32_SPAN - 1))
    used = draw(st.integers(0, min(group, 2 * possible_cpus)) | st.just(group))
    cpus = selected_by_wrapping_walk(first, last, used, group)
    return GoodRegion(f"{text}:{used}/{group}", cpus)


@st.composite
def number_texts(draw: st.DrawFn, value: int, possible_cpus: int) -> str:
    texts = [str(value), f"{value:09}"] + ["N"] * (value == possible_cpus - 1)
    return draw(st.sampled_from(texts))


@st.composite
def machines_with_regions(draw: st.DrawFn) -> tuple[int, list[GoodRegion]]:
    possible_cpus = draw(st.integers(1, 40))
    return possible_cpus, draw(st.lists(good_regions(possible_cpus), max_size=6))


def union(regions: list[GoodRegion]) -> frozenset[int]:
    return frozenset[int]().union(*(region.cpus for region in regions))


# Recorded answers


def test_the_recorded_file_is_complete() -> None:
    cases = recorded_cases()
    answers = Counter(case.answer if isinstance(case.answer, str) else "" for case in cases)
    assert len(cases) == 719
    assert answers == {"": 271, "EINVAL": 343, "ERANGE": 75, "EOVERFLOW": 30}


@pytest.mark.parametrize("case", recorded_cases(), ids=lambda case: ascii(case.text))
def test_recorded_texts_get_the_recorded_answer(case: Case) -> None:
    assert answer_of(case.text, case.possible_cpus) == case.answer


# Hand-derived answers: 4 possible CPUs


@pytest.mark.parametrize(
    ("text", "cpus"),
    [
        ("", set()),
        (",", set()),
        (" ,\t,, ", set()),
        ("\n", set()),
        ("\nx", set()),
        ("2\n", {2}),
        ("1\n2", {1}),
        ("1,\n2", {1}),
        ("1\n4294967296", {1}),
        ("0-1\n-3", {0, 1}),
        ("0-3:1/2\n3", {0, 2}),
    ],
)
def test_a_newline_or_the_end_of_the_text_ends_the_list(text: str, cpus: set[int]) -> None:
    assert answer_of(text, 4) == cpus


def test_nul_ends_the_text() -> None:
    assert answer_of("1\0x", 4) == {1}
    assert answer_of("1-\0", 4) == "EINVAL"


@pytest.mark.parametrize("separator", SEPARATORS)
def test_white_space_and_commas_separate(separator: str) -> None:
    assert answer_of(f"{separator}0{separator}{separator}2-3{separator}", 4) == {0, 2, 3}


@pytest.mark.parametrize(
    "char", [";", ".", "_", "\b", "\x1c", "\x1f", "\x7f", "\x85", "\u2003", "\u3000", "\ud800"]
)
def test_no_other_character_separates(char: str) -> None:
    assert answer_of(f"0{char}1", 4) == "EINVAL"
    assert answer_of(f"0,{char}", 4) == "EINVAL"


@pytest.mark.parametrize(
    ("text", "cpus"),
    [
        ("N", {3}),
        ("N-N", {3}),
        ("2-N", {2, 3}),
        ("0-N:1/N", {0, 3}),
        ("0-3:N/N", {0, 1, 2, 3}),
    ],
)
def test_n_stands_for_the_last_possible_cpu(text: str, cpus: set[int]) -> None:
    assert answer_of(text, 4) == cpus


def test_n_as_the_group_of_a_single_cpu_machine_is_group_0() -> None:
    assert answer_of("0-0:0/N", 1) == "EINVAL"


@pytest.mark.parametrize(
    ("text", "cpus"),
    [
        ("aLL", {0, 1, 2, 3}),
        ("all:1/2", {0, 2}),
        ("ALL:1/3,1", {0, 1, 3}),
        ("0-3:0/2", set()),
        ("0-3:2/2", {0, 1, 2, 3}),
        ("1-3:1/2", {1, 3}),
        ("1-3:2/20", {1, 2}),
        ("1-3:1/2147483647", {1}),
        ("1-3:1/2147483648", {1}),
    ],
)
def test_a_group_selects_its_first_cpus(text: str, cpus: set[int]) -> None:
    assert answer_of(text, 4) == cpus


@pytest.mark.parametrize(
    ("text", "answer"),
    [
        ("0-3:1/2all", {0, 1, 2, 3}),
        ("0-3:1/2N", {0, 2, 3}),
        ("0-3:1/N1", {0, 1, 3}),
        ("0-3:1/NN-N:0/1", {0, 3}),
        ("0-3:1/23", {0}),
        ("all:0/1all:1/3", {0, 3}),
        ("all:1/2:1/2", "EINVAL"),
        ("0-3:1/2-3", "EINVAL"),
        ("0-3:1/2x", "EINVAL"),
        ("0-9:1/2x", "ERANGE"),
    ],
)
def test_a_region_may_follow_a_group_at_once(text: str, answer: set[int] | str) -> None:
    assert answer_of(text, 4) == answer


@pytest.mark.parametrize(
    ("text", "answer"),
    [
        ("4294967295", "EINVAL"),
        ("0-4294967295", "EINVAL"),
        ("0-4294967295:1/1", "ERANGE"),
        ("4294967295-4294967295:1/1", "ERANGE"),
        ("4294967294", "ERANGE"),
        ("0-3:4/4294967295", {0, 1, 2, 3}),
        ("0-3:4294967295/4294967295", {0, 1, 2, 3}),
        ("3-3:1/4294967295", {0, 1, 2, 3}),
        ("3-3:1/4294967294", {1, 3}),
        ("2-3:1/4294967294", {0, 2}),
        ("2-3:2/4294967293", {2, 3}),
        ("2-2:2/4294967294", {0, 1, 2}),
        ("3-3:0/4294967295", set()),
        ("3-3:1/4294967292", {3}),
    ],
)
def test_arithmetic_wraps_at_32_bits(text: str, answer: set[int] | str) -> None:
    assert answer_of(text, 4) == answer


@pytest.mark.parametrize(
    "text",
    [
        *("x", "-1", "+1", "0x1", "1e0", "1.", "n", "0-n", "al", "allx", "allall", "all-3", "alln"),
        *("N1", "1N", "NN", "Nall", "1all", "1-", "1-2-3", "1--2", "1-all", "1-2N", "/", ":", "-"),
        *("0:1/2", "N:1/2", "0-3:", "0-3:1", "0-3:1/", "0-3:/2", "0-3/2", "0-3:1/x", "0-3:1/all"),
        *("0 -3", "0- 3", "0-\n3", "0-3 :1/2", "0-3: 1/2", "0-3:1 /2", "0-3:1/ 2", "0-3:1/,2"),
        *("all :1/2", "all: 1/2", "\u0661", "\xb2", "0\uff0d3", "\uff2e", "\u212a", "\ud800"),
    ],
)
def test_malformed_regions_are_einval(text: str) -> None:
    assert answer_of(text, 4) == "EINVAL"


@pytest.mark.parametrize(
    ("text", "errno_name"),
    [
        ("9x", "EINVAL"),
        ("9-8", "EINVAL"),
        ("9:1/2", "EINVAL"),
        ("0-9:1/0", "EINVAL"),
        ("0-9:0/0", "EINVAL"),
        ("0-9:3/2", "EINVAL"),
        ("0-9:2/2", "ERANGE"),
        ("0-4", "ERANGE"),
        ("4", "ERANGE"),
    ],
)
def test_within_a_region_einval_goes_before_erange(text: str, errno_name: str) -> None:
    assert answer_of(text, 4) == errno_name


@pytest.mark.parametrize(
    ("text", "errno_name"),
    [
        ("4294967296", "EOVERFLOW"),
        ("00000000004294967296", "EOVERFLOW"),
        ("18446744073709551616", "EOVERFLOW"),
        ("4294967296x", "EOVERFLOW"),
        ("4294967296-x", "EOVERFLOW"),
        ("4294967296:1/2", "EOVERFLOW"),
        ("9-4294967296", "EOVERFLOW"),
        ("3-1:4294967296/2", "EOVERFLOW"),
        ("0-9:4/4294967296", "EOVERFLOW"),
        ("all:4294967296", "EOVERFLOW"),
        ("x4294967296", "EINVAL"),
        ("1-x:4294967296/2", "EINVAL"),
        ("0:4294967296/2", "EINVAL"),
        ("0-3:1:4294967296", "EINVAL"),
    ],
)
def test_overflow_is_found_while_the_number_is_read(text: str, errno_name: str) -> None:
    assert answer_of(text, 4) == errno_name


def test_leading_zeros_do_not_overflow() -> None:
    assert answer_of("00000000000000000002-000000000003", 4) == {2, 3}


@pytest.mark.parametrize(
    ("text", "errno_name"),
    [
        ("9,x", "ERANGE"),
        ("x,9", "EINVAL"),
        ("9 4294967296", "ERANGE"),
        ("4294967296 9", "EOVERFLOW"),
        ("x\t4294967296", "EINVAL"),
        ("0,1-0,9", "EINVAL"),
        ("0,,9,,1-0", "ERANGE"),
    ],
)
def test_the_first_bad_region_decides(text: str, errno_name: str) -> None:
    assert answer_of(text, 4) == errno_name


# Groups


def test_every_small_region_selects_what_the_definition_says() -> None:
    for last in range(6):
        for first in range(last + 1):
            for group in range(1, 9):
                for used in range(group + 1):
                    answer = parse_cpulist(f"{first}-{last}:{used}/{group}", 6)
                    assert answer == selected_by_definition(first, last, used, group)


def test_every_small_region_with_a_wrapping_group_walks_down() -> None:
    for last in range(6):
        for first in range(last + 1):
            for group in range(U32_SPAN - 8, U32_SPAN):
                for used in (*range(8), group):
                    answer = parse_cpulist(f"{first}-{last}:{used}/{group}", 6)
                    assert answer == selected_by_wrapping_walk(first, last, used, group)


@untimed
@given(st.data(), st.integers(1, 8192))
def test_groups_on_large_machines_select_what_the_definition_says(
    data: st.DataObject, possible_cpus: int
) -> None:
    first = data.draw(st.integers(0, possible_cpus - 1))
    last = data.draw(st.integers(first, possible_cpus - 1))
    group = data.draw(st.integers(1, 300) | st.integers(1, 2**31))
    used = data.draw(st.integers(0, min(group, 300)) | st.integers(0, group))
    answer = parse_cpulist(f"{first}-{last}:{used}/{group}", possible_cpus)
    assert answer == selected_by_definition(first, last, used, group)


def errno_by_definition(numbers: tuple[int, int, int, int], possible_cpus: int) -> str:
    first, last, used, group = numbers
    if max(numbers) >= U32_SPAN:
        return "EOVERFLOW"
    if first > last or group == 0 or used > group:
        return "EINVAL"
    return "ERANGE" if last >= possible_cpus else ""


NUMBERS = st.integers(0, 12) | st.integers(U32_SPAN - 4, U32_SPAN + 4) | st.integers(0, 2**70)


@untimed
@given(st.tuples(NUMBERS, NUMBERS, NUMBERS, NUMBERS), st.integers(1, 10))
def test_any_four_numbers_get_their_cpus_or_their_error(
    numbers: tuple[int, int, int, int], possible_cpus: int
) -> None:
    first, last, used, group = numbers
    expected = errno_by_definition(numbers, possible_cpus) or selected_by_wrapping_walk(*numbers)
    assert answer_of(f"{first}-{last}:{used}/{group}", possible_cpus) == expected


@untimed
@given(NUMBERS, NUMBERS, st.integers(1, 10))
def test_a_range_without_group_is_one_group_of_last_plus_1(
    first: int, last: int, possible_cpus: int
) -> None:
    size = (last + 1) % U32_SPAN
    grouped = f"{first}-{last}:{size}/{size}"
    assert answer_of(f"{first}-{last}", possible_cpus) == answer_of(grouped, possible_cpus)


@untimed
@given(NUMBERS, st.integers(1, 10))
def test_a_number_is_the_range_of_itself(number: int, possible_cpus: int) -> None:
    as_range = answer_of(f"{number}-{number}", possible_cpus)
    assert answer_of(str(number), possible_cpus) == as_range


# Lists


@untimed
@given(machines_with_regions())
def test_a_list_is_the_union_of_its_regions(machine: tuple[int, list[GoodRegion]]) -> None:
    possible_cpus, regions = machine
    text = ",".join(region.text for region in regions)
    assert parse_cpulist(text, possible_cpus) == union(regions)


@untimed
@given(machines_with_regions(), st.data())
def test_the_number_and_kind_of_separators_do_not_matter(
    machine: tuple[int, list[GoodRegion]], data: st.DataObject
) -> None:
    possible_cpus, regions = machine
    gaps = st.text(SEPARATORS, min_size=1, max_size=4)
    text = data.draw(st.text(SEPARATORS, max_size=4))
    text += "".join(region.text + data.draw(gaps) for region in regions)
    text += data.draw(st.sampled_from(["", "\n", "\nx", "\n0"]))
    assert parse_cpulist(text, possible_cpus) == union(regions)


BAD_REGIONS = [
    "x",
    "1-0",
    "0:1/1",
    "0-0:1/0",
    "0-0:2/1",
    "4294967295",
    "4294967296",
    "9999",
    "0-99",
]


@untimed
@given(machines_with_regions(), st.sampled_from(BAD_REGIONS), st.text())
def test_neither_good_regions_before_nor_text_after_change_an_error(
    machine: tuple[int, list[GoodRegion]], bad: str, rest: str
) -> None:
    possible_cpus, regions = machine
    text = ",".join([*(region.text for region in regions), bad, rest])
    expected = answer_of(bad, possible_cpus)
    assert isinstance(expected, str)
    assert answer_of(text, possible_cpus) == expected


# Any text

NEAR_TEXTS = st.text("0123456789N-:/,\n\t\0xal" + "lA", max_size=30)
TEXTS = NEAR_TEXTS | st.text() | st.text(string.printable + "\xa0\x85\u2028\ud800")


@untimed
@given(TEXTS, st.integers(1, 8192))
def test_any_text_gets_possible_cpus_or_a_cpulist_error(text: str, possible_cpus: int) -> None:
    answer = answer_of(text, possible_cpus)
    if isinstance(answer, str):
        assert answer in {"EINVAL", "ERANGE", "EOVERFLOW"}
    else:
        assert answer <= set(range(possible_cpus))


@untimed
@given(TEXTS)
def test_every_error_is_one_short_printable_line(text: str) -> None:
    message = str(error_of(f"x{text}", 1))
    assert message.isascii()
    assert message.isprintable()
    assert len(message) < 1000


# None of these ends in reasonable time if a group costs a step per CPU or per 32-bit number, or
# if a text is scanned again for each of its regions.
@pytest.mark.parametrize(
    ("text", "answer"),
    [
        ("0-4294967295:1/1", "ERANGE"),
        ("0-4294967294", "ERANGE"),
        ("0-N:1/1," * 50_000, frozenset(range(8192))),
        ("N-N:1/4294967295," * 50_000, frozenset(range(8192))),
        ("N-N:4294967295/4294967295," * 50_000, frozenset(range(8192))),
        ("0 " * 200_000 + "x", "EINVAL"),
        ("x" * 1_000_000, "EINVAL"),
        (" " * 1_000_000, frozenset()),
        ("0" * 1_000_000, {0}),
        ("9" * 1_000_000, "EOVERFLOW"),
        ("0" * 1_000_000 + "-" + "9" * 1_000_000, "EOVERFLOW"),
        ("1\n" + "x" * 1_000_000, {1}),
    ],
    ids=lambda value: ascii(value[:20]) if isinstance(value, str) else "cpus",
)
def test_long_texts_and_huge_ranges_are_answered(text: str, answer: set[int] | str) -> None:
    assert answer_of(text, 8192) == answer


# Messages


def error_of(text: str, possible_cpus: int) -> CpulistError:
    with pytest.raises(CpulistError) as caught:
        parse_cpulist(text, possible_cpus)
    return caught.value


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("0, 1-x", "region 2, '1-x', at offset 3: expected a number at offset 5, found 'x'"),
        ("0-", "region 1, '0-', at offset 0: expected a number at offset 2, found the end"),
        ("3x", "region 1, '3x', at offset 0: expected '-' at offset 1, found 'x'"),
        ("2-9", "region 1, '2-9', at offset 0: CPU 9 is beyond the last possible CPU, 3"),
        ("2-1", "region 1, '2-1', at offset 0: first CPU 2 is above last CPU 1"),
        ("all:1/0", "region 1, 'all:1/0', at offset 0: a group has 0 CPUs"),
        ("all:3/2", "region 1, 'all:3/2', at offset 0: 3 used CPUs in a group of 2"),
        ("1,4294967296", "region 2, '4294967296', at offset 2: the number at offset 2 is above"),
        ("\u20ac\ud800", r"region 1, '\u20ac\ud800', at offset 0: expected a number at offset 0"),
    ],
)
def test_an_error_says_which_region_and_what_is_wrong(text: str, message: str) -> None:
    assert str(error_of(text, 4)).startswith(message)


def test_an_error_can_be_pickled() -> None:
    error = error_of("9", 4)
    copy = pickle.loads(pickle.dumps(error))
    assert (str(copy), copy.errno_name) == (str(error), error.errno_name)


@pytest.mark.parametrize("possible_cpus", [-1, 0, 8193])
def test_other_machine_sizes_are_a_value_error(possible_cpus: int) -> None:
    with pytest.raises(ValueError, match=r"^possible_cpus: -?\d+ is not in 1\.\.8192$") as caught:
        parse_cpulist("0", possible_cpus)
    assert not isinstance(caught.value, CpulistError)


# Format


@pytest.mark.parametrize(
    ("cpus", "text"),
    [
        (set(), ""),
        ({0}, "0"),
        ({7, 8, 5, 0, 1, 2, 3}, "0-3,5,7-8"),
        ({0, 2, 4}, "0,2,4"),
        ({9, 10, 11, 100}, "9-11,100"),
    ],
)
def test_cpus_are_printed_as_ascending_ranges(cpus: set[int], text: str) -> None:
    assert format_cpulist(cpus) == text


def test_order_and_repetition_of_cpus_do_not_matter_to_the_format() -> None:
    assert format_cpulist(iter([3, 1, 2, 3, 1])) == "1-3"


def test_a_negative_cpu_has_no_format() -> None:
    with pytest.raises(ValueError, match=r"^CPU -1 is negative$"):
        format_cpulist([0, -1])


def test_every_subset_of_ten_cpus_survives_format_and_parse() -> None:
    for bits in range(1 << 10):
        cpus = frozenset(cpu for cpu in range(10) if bits >> cpu & 1)
        assert parse_cpulist(format_cpulist(cpus), 10) == cpus


@untimed
@given(st.frozensets(st.integers(0, 8191)))
def test_cpus_of_large_machines_survive_format_and_parse(cpus: frozenset[int]) -> None:
    assert parse_cpulist(format_cpulist(cpus), 8192) == cpus


@pytest.mark.parametrize("case", recorded_cases(), ids=lambda case: ascii(case.text))
def test_recorded_cpus_survive_format_and_parse(case: Case) -> None:
    if isinstance(case.answer, frozenset):
        assert parse_cpulist(format_cpulist(case.answer), case.possible_cpus) == case.answer


def test_a_long_region_is_cut_short_in_the_message() -> None:
    for length, text in ((39, f"'{'9' * 39}'"), (40, f"'{'9' * 40}'..."), (41, f"'{'9' * 40}'...")):
        with pytest.raises(CpulistError) as found:
            parse_cpulist(" " + "9" * length, 4)
        assert str(found.value).startswith(f"region 1, {text}, at offset 1: ")
