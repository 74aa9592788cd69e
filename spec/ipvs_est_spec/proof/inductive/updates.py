"""Functions that differ from another at one place."""

from collections.abc import Callable
from typing import TypeVar

from ipvs_est_spec.algebra.algebra import Algebra

B = TypeVar("B")
I = TypeVar("I")  # noqa: E741 - see algebra


def same_place(a: Algebra[B, I], left: tuple[I, ...], right: tuple[I, ...]) -> B:
    """All coordinates are equal."""
    return a.both(*(a.equal(x, y) for x, y in zip(left, right, strict=True)))


def number_at(
    a: Algebra[B, I], old: Callable[..., I], place: tuple[I, ...], value: I
) -> Callable[..., I]:
    """`value` there, the old one elsewhere."""
    return lambda *where: a.choose(same_place(a, where, place), value, old(*where))


def more_at(
    a: Algebra[B, I], old: Callable[..., I], place: tuple[I, ...], more: int
) -> Callable[..., I]:
    """`more` is added there."""
    return number_at(a, old, place, a.plus(old(*place), a.number(more)))


def truth_at(
    a: Algebra[B, I], old: Callable[..., B], place: tuple[I, ...], value: B
) -> Callable[..., B]:
    """`value` there, the old one elsewhere."""
    return lambda *where: a.choose_truth(same_place(a, where, place), value, old(*where))


def number_within(
    a: Algebra[B, I], old: Callable[..., I], outer: tuple[I, ...], value: I
) -> Callable[..., I]:
    """`value` wherever the first coordinates are these."""
    return lambda *where: a.choose(same_place(a, where[: len(outer)], outer), value, old(*where))


def truth_within(
    a: Algebra[B, I], old: Callable[..., B], outer: tuple[I, ...], value: B
) -> Callable[..., B]:
    """`value` wherever the first coordinates are these."""
    return lambda *where: a.choose_truth(
        same_place(a, where[: len(outer)], outer), value, old(*where)
    )
