"""The first difference between what was recorded and what was computed."""

import pytest

from ipvs_est.language.difference import ABSENT, Difference, first_difference


@pytest.mark.parametrize(
    ("recorded", "computed", "found"),
    [
        (1, 2, Difference("", 1, 2)),
        (1, True, Difference("", 1, True)),
        (0, False, Difference("", 0, False)),
        ("1", 1, Difference("", "1", 1)),
        (None, 0, Difference("", None, 0)),
        ({"a": 1}, {"a": 2}, Difference("a", 1, 2)),
        ({}, {"a": 1}, Difference("a", ABSENT, 1)),
        ({"a": 1}, {}, Difference("a", 1, ABSENT)),
        ({"a": {"b": [1, 2]}}, {"a": {"b": [1, 3]}}, Difference("a.b[1]", 2, 3)),
        ([1, 2], [1], Difference("[1]", 2, ABSENT)),
        ([1], [1, 2], Difference("[1]", ABSENT, 2)),
        ([1, 2], [3], Difference("[0]", 1, 3)),
        ([], {}, Difference("", [], {})),
        ([[]], [[5]], Difference("[0][0]", ABSENT, 5)),
        ([None], [[]], Difference("[0]", None, [])),
        # The order is that of what was computed, and what it lacks comes last.
        ({"x": 0, "b": 0, "a": 0}, {"a": 1, "b": 1}, Difference("a", 0, 1)),
        ({"x": 0, "a": 1}, {"a": 1, "b": 1}, Difference("b", ABSENT, 1)),
        ({"x": 0, "a": 1}, {"a": 1}, Difference("x", 0, ABSENT)),
    ],
    ids=str,
)
def test_the_first_difference_is_named_with_both_values(
    recorded: object, computed: object, found: Difference
) -> None:
    assert first_difference(recorded, computed) == found


@pytest.mark.parametrize(
    "value",
    [0, True, None, "x", [], {}, [1, [2, {"a": None}]], {"a": [1], "b": {"c": "d"}}],
    ids=str,
)
def test_equal_values_do_not_differ(value: object) -> None:
    assert first_difference(value, value) is None


def test_the_order_of_members_makes_no_difference() -> None:
    assert first_difference({"a": 1, "b": [2]}, {"b": [2], "a": 1}) is None


def test_a_path_goes_on_from_where_it_begins() -> None:
    assert first_difference([1], [2], "result.x") == Difference("result.x[0]", 1, 2)
    assert first_difference({"a": 1}, {}, "result") == Difference("result.a", 1, ABSENT)
