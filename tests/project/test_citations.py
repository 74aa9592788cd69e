"""Whatever code and documents cite by number or by path is there: "semantics 5.3", D21, F01, B2."""

import re
from functools import cache
from pathlib import Path

import pytest

from ipvs_est_checks.defects.table import ROWS
from ipvs_est_checks.documents import (
    BEHAVIOUR,
    KNOWN_DEFECTS,
    anchor,
    folder,
    headings,
    linked,
    sections,
)
from ipvs_est_checks.known.by_history import BY_HISTORY
from ipvs_est_checks.known.by_schedule import BY_SCHEDULE
from ipvs_est_checks.mutants.from_reviews import REVIEWED
from ipvs_est_spec.catalogue import PROPERTIES
from ipvs_est_spec.proof.registry import THEOREMS

CHECKOUT = Path(__file__).resolve().parents[2]
ROOTS = ("refimpl", "spec", "checks", "tests", "docs")
# Made up in tests, to be refused.
NO_IDS = frozenset({"D99", "F99"})

NUMBER = r"\d{1,2}(?:\.\d|[a-e]\b)?(?!\d|-bit)"
NUMBERS = rf"{NUMBER}(?:(?:, items \d to \d|, and | and | to |, ){NUMBER}\b(?!\.\d| [a-z]+s\b))*"
CITED = re.compile(rf"(?:semantics,?(?: sections?)?|\b[Ss]ections?)\s+(?P<numbers>{NUMBERS})")
OF_DEFECTS = re.compile(rf"known defects,?\s+sections?\s+(?P<numbers>{NUMBERS})")
ID = re.compile(r"(?<![\w./-])(?:D\d\d[a-f]?|F\d\d|B[1-9]|M[1-9]\d?|N[1-9]|R[1-9])(?![\w.]*\w)")
PATH = re.compile(
    r"(?<![\w/.-])(?:docs|spec|tests|checks|refimpl)/[\w./-]+\.(?:md|py|jsonl?|tsv|svg)\b"
)


@cache
def texts() -> dict[str, str]:
    """Path -> text of everything that cites."""
    paths = [*CHECKOUT.glob("*.md")]
    for root in ROOTS:
        paths += [*(CHECKOUT / root).rglob("*.py"), *(CHECKOUT / root).rglob("*.md")]
    paths += (CHECKOUT / "checks").rglob("library/*.json")
    return {
        path.relative_to(CHECKOUT).as_posix(): path.read_text(encoding="utf-8")
        for path in sorted(paths)
        if path.name != Path(__file__).name and "generated" not in path.parts
    }


def cited_sections(text: str) -> list[str]:
    """The sections of the behaviour that a text cites."""
    plain = OF_DEFECTS.sub("", re.sub(r"\s+", " ", text))
    return [number for found in CITED.finditer(plain) for number in numbers(found["numbers"])]


def numbers(text: str) -> list[str]:
    """The numbers of a list such as `4 to 7, 10 and 12`, a range by its ends."""
    return re.findall(NUMBER, re.sub(r", items \d to \d", "", text))


def chapters(page: str) -> set[str]:
    text = (folder() / page).read_text(encoding="utf-8")
    return {heading.partition(".")[0] for _, level, heading in headings(text) if level == 2}


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("An object's counters, word by word (section 3, 32-bit).", ["3"]),
        ("(semantics sections 4 to 12, 14, 15).", ["4", "12", "14", "15"]),
        ("semantics 5.3, 5.4; D01", ["5.3", "5.4"]),
        ("semantics section 5, items 2 to 4)", ["5"]),
        ("Section 8d says, section\n9 too", ["8d", "9"]),
        ("known defects, section 2", []),
        ("semantics 3 for one estimation, 4 threads", ["3"]),
        ("in two sections", []),
    ],
)
def test_citations_of_sections_are_read(text: str, found: list[str]) -> None:
    assert cited_sections(text) == found


def test_every_section_that_is_cited_exists() -> None:
    cited = {(path, section) for path, text in texts().items() for section in cited_sections(text)}
    assert len(cited) > 100
    assert {(path, name) for path, name in cited if name not in sections()} == set()


def test_every_chapter_of_the_known_defects_that_is_cited_exists() -> None:
    there = chapters(KNOWN_DEFECTS)
    cited = [
        number
        for text in texts().values()
        for found in OF_DEFECTS.finditer(re.sub(r"\s+", " ", text))
        for number in numbers(found["numbers"])
    ]
    assert len(cited) >= 3
    assert set(cited) <= there


def test_every_id_that_is_cited_exists() -> None:
    cited = {(path, entry) for path, text in texts().items() for entry in ID.findall(text)}
    assert len(cited) > 100
    there = sections().keys() | NO_IDS
    assert {(path, entry) for path, entry in cited if entry not in there} == set()


def test_every_source_leads_somewhere() -> None:
    for prop in (*PROPERTIES, *THEOREMS):
        assert linked(prop.source) != prop.source, prop.id
        unlinked = re.sub(r"\[[^]]*\]\([^)]*\)", "", linked(prop.source))
        assert re.search(r"\d", unlinked) is None, prop.id


def test_every_file_that_is_named_exists() -> None:
    named = {(path, entry) for path, text in texts().items() for entry in PATH.findall(text)}
    assert len(named) > 50
    assert {(path, entry) for path, entry in named if not (CHECKOUT / entry).is_file()} == set()


def test_every_module_that_a_page_names_by_its_end_exists() -> None:
    modules = [path for root in ROOTS for path in (CHECKOUT / root).rglob("*.py")]
    there = {"/" + module.relative_to(CHECKOUT).as_posix() for module in modules}
    named = {
        (path, entry)
        for path, text in texts().items()
        if path.startswith("docs/")
        for entry in re.findall(r"`([\w/]+\.py)`", text)
    }
    assert len(named) > 30
    ends = {
        (path, entry) for path, entry in named if any(one.endswith(f"/{entry}") for one in there)
    }
    assert named - ends == set()


def test_the_behaviour_has_sections_1_to_18() -> None:
    found = [
        number for page in BEHAVIOUR for number in sorted(map(int, chapters_with_numbers(page)))
    ]
    assert found == list(range(1, 19))


def chapters_with_numbers(page: str) -> set[str]:
    return {chapter for chapter in chapters(page) if chapter.isdigit()}


def test_every_row_of_the_defects_and_every_mistake_has_its_section() -> None:
    ids = {row.id for row in ROWS} | {mutant.id for mutant in REVIEWED}
    wanted = {identity.partition("-")[0] for identity in ids}
    wanted |= {finding.defect for finding in BY_HISTORY} | {
        finding.defect for finding in BY_SCHEDULE
    }
    wanted.remove("")  # not known before
    assert wanted - sections().keys() == set()


def test_a_mistake_of_the_reviews_names_the_properties_that_its_mutants_break() -> None:
    for mutant in REVIEWED:
        text = sections()[mutant.id.partition("-")[0]].text
        assert [name for name in mutant.properties if f"`{name}`" not in text] == [], mutant.id


def test_headings_in_code_blocks_are_none() -> None:
    text = "# One\n```sh\n# a comment\n```\n## 2. Two [three](x)\n"
    assert list(headings(text)) == [(0, 1, "One"), (4, 2, "2. Two [three](x)")]
    assert anchor("2. Two [three](x), `a_b-c`") == "2-two-three-a_b-c"
