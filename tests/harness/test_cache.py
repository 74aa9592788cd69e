"""A program is compiled again when anything that went into it has changed, else not."""

import os
from pathlib import Path

import pytest

from ipvs_est_checks.harness.building import cache


def test_the_files_of_a_rule_for_make_are_found_with_blanks_in_their_names() -> None:
    rule = "out.o: a.c \\\n include/b.h \\\n my\\ tree/c.h\n"
    assert cache.read_dependencies(rule) == ["a.c", "include/b.h", "my tree/c.h"]


def test_a_record_is_current_until_one_of_its_files_changes(tmp_path: Path) -> None:
    source, record = tmp_path / "a.c", tmp_path / "a.json"
    source.write_text("int a;")
    cache.write_record(record, "cc -O1", [str(source)])
    assert cache.is_current(record, "cc -O1")
    source.write_text("int b;")
    assert not cache.is_current(record, "cc -O1")
    source.write_text("int a;")
    assert cache.is_current(record, "cc -O1")


def test_a_file_that_is_gone_makes_a_record_stale(tmp_path: Path) -> None:
    source, record = tmp_path / "a.c", tmp_path / "a.json"
    source.write_text("int a;")
    cache.write_record(record, "", [str(source)])
    source.unlink()
    assert not cache.is_current(record, "")


def test_another_way_to_make_it_makes_a_record_stale(tmp_path: Path) -> None:
    record = tmp_path / "a.json"
    cache.write_record(record, "cc -O1", [])
    assert not cache.is_current(record, "cc -O2")


@pytest.mark.parametrize("text", ["", "[]", "{}", '{"recipe": "", "files": 1}'])
def test_a_damaged_record_is_stale(tmp_path: Path, text: str) -> None:
    record = tmp_path / "a.json"
    record.write_text(text)
    assert not cache.is_current(record, "")


def test_a_name_tells_parts_apart_where_they_end() -> None:
    assert cache.digest(["ab", "c"]) != cache.digest(["a", "bc"])


def test_the_cache_is_where_the_user_has_caches(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    assert cache.cache_root() == tmp_path / "ipvs-est" / "harness"


def test_what_was_not_used_for_long_is_removed(tmp_path: Path) -> None:
    for name in ("old", "new", "unmarked"):
        (tmp_path / name).mkdir()
    (tmp_path / "old" / "program").write_text("x")
    for name in ("old", "new"):
        cache.mark_used(tmp_path / name)
    used = (tmp_path / "new" / "used").stat().st_mtime
    os.utime(tmp_path / "old" / "used", (used - 1000, used - 1000))
    assert cache.prune(tmp_path, used + cache.KEPT_SECONDS - 1) == 1
    assert sorted(path.name for path in tmp_path.iterdir()) == ["new", "unmarked"]
    # From now on the third has an age too.
    assert cache.prune(tmp_path, used + 3 * cache.KEPT_SECONDS) == 2
    assert cache.prune(tmp_path / "none", 0.0) == 0
