"""Edits of C: anchored by function, matched by token exactly once, else refused by name."""

import pytest

from ipvs_est_checks.harness.edits.code_edit import FOUND, CodeEdit, apply_edit
from ipvs_est_checks.harness.edits.mutants import MUTANTS

TEXT = """\
#define add(a) (a + 1)
/* add(b) { */
static int add(int a)
{
	if (a > 0) /* if (b) */
		a++;
	return a +
		1;
}

int other(int a)
{
	a++;
	a++;
	return add(a);
}
"""


def edit(find: str, new: str, function: str = "add", after: str = "", before: str = "") -> str:
    return apply_edit(TEXT, CodeEdit("ip_vs_est.c", function, find, new, after, before))


def test_an_edit_changes_its_function_alone_and_keeps_the_lines() -> None:
    changed = edit("a++;", "a--;")
    assert changed == TEXT.replace("a++;", "a--;", 1)
    changed = edit("return a + 1", "return a")
    assert changed.splitlines()[9:] == TEXT.splitlines()[9:]


def test_blanks_and_comments_do_not_count_and_what_was_found_can_be_kept() -> None:
    changed = edit("if(a>0)a++", f"b(); {FOUND}")
    assert "b(); if (a > 0) /* if (b) */\n\t\ta++;" in changed


def test_an_anchor_says_which_of_two_places_is_meant() -> None:
    changed = edit("a", "b", "other", after="add(", before=")")
    assert changed == TEXT.replace("add(a);", "add(b);")


@pytest.mark.parametrize(
    ("find", "function", "reason"),
    [
        ("a++;", "other", "found 2 times, not once"),
        ("a--;", "add", "found nowhere, not once"),
        ("a++;", "third", "no such function"),
    ],
)
def test_an_edit_that_does_not_fit_is_refused(find: str, function: str, reason: str) -> None:
    with pytest.raises(ValueError, match=reason):
        edit(find, "", function)


def test_a_pattern_holds_one_statement_at_most() -> None:
    for mutant in MUTANTS:
        for edit in mutant.edits:
            for pattern in (edit.find, edit.after, edit.before):
                assert pattern.count(";") <= 1, mutant.id
                assert "\n" not in pattern
                assert len(pattern) <= 80
