"""What the documents show is run and prints just that; every link leads somewhere."""

import json
import os
import re
import shutil
import subprocess
import sys
import tomllib
from collections import Counter
from pathlib import Path

import pytest

import ipvs_est_checks
from ipvs_est_checks.documents import folder
from ipvs_est_checks.explore.failures.token import token_from_text
from ipvs_est_checks.explore.scenarios.scenario import scenario_from_text
from markdown_pages import (
    CHECKOUT,
    Block,
    anchors,
    blocks,
    documents,
    links,
    prose,
    shows,
    transcript,
)

NAMES = tuple(document.relative_to(CHECKOUT).as_posix() for document in documents())
RUN = frozenset({"console", "sh", "python"})
"""Languages whose blocks are run."""
SHOWN = frozenset({"", "text", "json", "toml", "c", "yaml"})
"""Languages whose blocks are not."""
NOT_RUN = {
    "needs root and a kernel with services": 4,
    "installs packages": 5,
    "needs a C compiler": 2,
    "needs a kernel tree": 12,
    "takes long": 6,
    "a part of a test file": 2,
}
"""Reason -> how many blocks are not run for it."""
COPIED = ("refimpl", "spec", "checks", "docs", "tests")


def read(name: str) -> str:
    return (CHECKOUT / name).read_text(encoding="utf-8")


def blocks_to_run(name: str) -> list[Block]:
    return [block for block in blocks(read(name)) if block.language in RUN and not block.not_run]


WITH_BLOCKS = tuple(name for name in NAMES if blocks_to_run(name))


@pytest.fixture
def clone(tmp_path: Path) -> Path:
    """A copy of this checkout, for a page to do with it what it tells its reader to do."""
    copy = tmp_path / "ipvs-est"
    copy.mkdir()
    for name in COPIED:
        shutil.copytree(CHECKOUT / name, copy / name)
    for file in (*CHECKOUT.glob("*.md"), *CHECKOUT.glob("*.toml")):
        shutil.copy2(file, copy)
    (copy / ".venv").symlink_to(sys.prefix)
    return copy


def run(command: list[str], clone: Path) -> subprocess.CompletedProcess[str]:
    path = os.pathsep.join([str(Path(sys.executable).parent), os.environ["PATH"]])
    roots = os.pathsep.join(str(clone / name) for name in ("refimpl", "spec", "checks"))
    environment = {**os.environ, "PATH": path, "PYTHONPATH": roots, "COLUMNS": "80"}
    return subprocess.run(
        command, cwd=clone, env=environment, capture_output=True, text=True, check=False
    )


@pytest.mark.parametrize("name", WITH_BLOCKS)
def test_a_page_shows_what_its_commands_print(name: str, clone: Path) -> None:
    """All blocks of the page, one after the other in one clone."""
    for block in blocks_to_run(name):
        where = f"{name}:{block.line}"
        if block.language == "console":
            run_transcript(block, clone, where)
        else:
            program = (
                [sys.executable] if block.language == "python" else ["bash", "-eo", "pipefail"]
            )
            done = run([*program, "-c", block.text], clone)
            assert (done.returncode, done.stderr) == (0, ""), where


def run_transcript(block: Block, clone: Path, where: str) -> None:
    """Each command in a shell that knows how the one before ended, so that `$?` can be shown."""
    code = 0
    commands = transcript(block.text)
    assert commands, where
    for index, (command, output) in enumerate(commands):
        done = run(["bash", "-c", f"(exit {code}); {command}"], clone)
        printed = done.stdout + done.stderr
        assert shows(output, printed), f"{where}: {command}\n{printed}"
        code = done.returncode
        asked = any("$?" in later for later, _ in commands[index + 1 : index + 2])
        assert code == 0 or asked, f"{where}: {command} ended with {code}, which is not shown"


def test_the_program_of_the_readme_answers_what_was_worked_out_by_hand() -> None:
    (program,) = (block.text for block in blocks(read("README.md")) if block.language == "python")
    done = run([sys.executable, "-c", program], CHECKOUT)
    assert done.stderr == ""
    # 10 connections in one revolution are 5 a second, of which the first average has 1/4,
    # and so on; 1.25 is rounded down.
    counters = "conns=10, inpkts=2000, outpkts=2000, inbytes=120000, outbytes=90000"
    assert f"counters=Counters({counters})" in done.stdout
    assert "rates=Rates(cps=1, inpps=250, outpps=250, inbps=15000, outbps=11250)" in done.stdout
    assert done.stdout.endswith("()\n")


def test_blocks_are_in_languages_that_are_known() -> None:
    for name in NAMES:
        for block in blocks(read(name)):
            assert block.language in RUN | SHOWN, f"{name}:{block.line}: {block.language}"


def test_json_that_is_shown_can_be_read() -> None:
    shown = [block for name in NAMES for block in blocks(read(name)) if block.language == "json"]
    assert shown
    for block in shown:
        json.loads(block.text)


def test_the_scenario_that_is_shown_is_one() -> None:
    (block,) = blocks(read("docs/reference/scenarios.md"))
    assert scenario_from_text("shown", block.text).jiffies == 10


def test_the_token_that_is_shown_is_one() -> None:
    (block,) = blocks(read("docs/reference/tokens.md"))
    assert token_from_text(block.text.strip()).scenario == "last-estimator-goes"


def test_a_wheel_has_the_documents_where_they_are_looked_for() -> None:
    build = tomllib.loads((CHECKOUT / "pyproject.toml").read_text(encoding="utf-8"))["tool"][
        "hatch"
    ]
    included = build["build"]["targets"]["wheel"]["force-include"]
    package = Path(ipvs_est_checks.__file__).parent
    assert included["docs"] == f"{package.name}/docs"
    assert folder() == CHECKOUT / "docs"


def test_a_block_that_is_not_run_has_a_reason_that_is_counted() -> None:
    reasons = Counter(block.not_run for name in NAMES for block in blocks(read(name)))
    del reasons[""]
    assert reasons == Counter(NOT_RUN)


def test_a_mark_stands_above_a_block() -> None:
    """One that does not would be taken for a reason of something else, or of nothing."""
    for name in NAMES:
        marks = re.findall(r"^\s*<!-- not run:", read(name), flags=re.MULTILINE)
        assert len(marks) == sum(1 for block in blocks(read(name)) if block.not_run), name


@pytest.mark.parametrize("name", NAMES)
def test_every_link_leads_somewhere(name: str) -> None:
    for target in links(read(name)):
        if target.startswith("https://"):
            continue
        file, _, wanted = target.partition("#")
        path = (CHECKOUT / name).parent / file if file else CHECKOUT / name
        assert path.exists(), f"{target} is not there"
        if wanted:
            found = anchors(path.read_text(encoding="utf-8"))
            assert wanted in found, f"{target} is no heading of that page"


def test_pages_but_for_the_reference_are_short() -> None:
    lengths = {name: len(read(name).splitlines()) for name in NAMES}
    for name, lines in lengths.items():
        if name.startswith("docs/") and not name.startswith("docs/reference/"):
            assert lines < 250, name


def test_every_page_can_be_reached_from_the_readme() -> None:
    seen: set[Path] = set()
    waiting = [CHECKOUT / "README.md"]
    while waiting:
        page = waiting.pop().resolve()
        if page in seen or page.suffix != ".md":
            continue
        seen.add(page)
        targets = (link.partition("#")[0] for link in links(page.read_text(encoding="utf-8")))
        waiting += [page.parent / target for target in targets if target and "://" not in target]
    assert [document for document in documents() if document.resolve() not in seen] == []


# The reading itself


def test_a_transcript_is_commands_with_their_output() -> None:
    text = "$ a \\\n>  b\none\n\n$ c\n"
    assert transcript(text) == [("a \\\n b", "one\n\n"), ("c", "")]


@pytest.mark.parametrize(
    ("expected", "printed", "is_shown"),
    [
        ("a\n", "a\n", True),
        ("a\n", "a\nb\n", False),
        ("a\n...\nd\n", "a\nb\nc\nd\n", True),
        ("a\n...\nd\n", "a\nd\n", True),
        ("...\nd\n", "a\ndd\n", False),
        ("a.c\n", "abc\n", False),
        ("a: ...\n", "a: b\n", True),
        ("a: ...\n", "a: b\nc\n", False),
        ("", "", True),
    ],
)
def test_a_line_of_dots_stands_for_any_lines(expected: str, printed: str, is_shown: bool) -> None:
    assert shows(expected, printed) == is_shown


def test_blocks_know_their_mark_and_links_are_outside_of_code() -> None:
    text = (
        "[a](b.md#c) `[no](no)`\n\n<!-- not run: takes long -->\n```sh\nls [x](y)\n```\n"
        "  ```console\n  $ ls\n  ```\n# A b\n## A b\n"
    )
    assert list(blocks(text)) == [
        Block("sh", "ls [x](y)\n", 5, "takes long"),
        Block("console", "$ ls\n", 8, ""),
    ]
    assert links(text) == ["b.md#c"]
    assert anchors(text) == {"a-b", "a-b-1"}
    assert "ls" not in prose(text)
