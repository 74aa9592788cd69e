"""The runner by hand: rules, each with an answer worked out from the text."""

from collections.abc import Generator

import pytest

from by_hand import points, small
from ipvs_est.machine.points import (
    Point,
    Sleep,
)


def test_body_that_keeps_a_mutex_is_noticed() -> None:
    machine = small()

    def forgetful() -> Generator[Point, None, None]:
        yield machine.lock_est

    with pytest.raises(AssertionError):
        points(machine, forgetful())


def test_body_that_locks_twice_is_noticed() -> None:
    machine = small()

    def hasty() -> Generator[Point, None, None]:
        yield machine.lock_est
        yield machine.lock_est

    with pytest.raises(AssertionError):
        points(machine, hasty())


def test_body_without_end_is_noticed() -> None:
    def endless() -> Generator[Point, None, None]:
        while True:
            yield Sleep(1, "nowhere")

    with pytest.raises(AssertionError, match="endless"):
        points(small(), endless())
