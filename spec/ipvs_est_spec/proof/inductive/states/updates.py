"""Functions that differ from another at one place."""

from collections.abc import Callable
from typing import TypeVar

from ipvs_est_spec.algebra.algebra import Algebra

B = TypeVar("B")
N = TypeVar("N")


def same_place(a: Algebra[B, N], left: tuple[N, ...], right: tuple[N, ...]) -> B:
    """All coordinates are equal."""
    return a.both(*(a.equal(x, y) for x, y in zip(left, right, strict=True)))


def number_at(
    a: Algebra[B, N], old: Callable[..., N], place: tuple[N, ...], value: N
) -> Callable[..., N]:
    """`value` there, the old one elsewhere."""
    return lambda *where: a.choose(same_place(a, where, place), value, old(*where))


def more_at(
    a: Algebra[B, N], old: Callable[..., N], place: tuple[N, ...], more: int
) -> Callable[..., N]:
    """`more` is added there."""
    return number_at(a, old, place, a.plus(old(*place), a.number(more)))


def truth_at(
    a: Algebra[B, N], old: Callable[..., B], place: tuple[N, ...], value: B
) -> Callable[..., B]:
    """`value` there, the old one elsewhere."""
    return lambda *where: a.choose_truth(same_place(a, where, place), value, old(*where))


def number_within(
    a: Algebra[B, N], old: Callable[..., N], outer: tuple[N, ...], value: N
) -> Callable[..., N]:
    """`value` wherever the first coordinates are these."""
    return lambda *where: a.choose(same_place(a, where[: len(outer)], outer), value, old(*where))


def truth_within(
    a: Algebra[B, N], old: Callable[..., B], outer: tuple[N, ...], value: B
) -> Callable[..., B]:
    """`value` wherever the first coordinates are these."""
    return lambda *where: a.choose_truth(
        same_place(a, where[: len(outer)], outer), value, old(*where)
    )
