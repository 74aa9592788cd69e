"""Where v7-unwind cannot differ from v7 one search stands for both."""

from dataclasses import fields, replace

import pytest

from ipvs_est import MAINLINE, STABLE, V7, V7_UNWIND
from ipvs_est_checks.explore.engine.outcome import Bounds
from ipvs_est_checks.explore.failures.hunt import hunt
from ipvs_est_checks.explore.scenarios.scenario import library, load
from ipvs_est_checks.explore.scenarios.stand_in import searched_on
from ipvs_est_spec.proof.protocol.system import system


class Unread:
    """A value that nobody may look at."""

    def __bool__(self) -> bool:
        raise AssertionError("it was read")


def test_v7_unwind_differs_from_v7_in_one_field() -> None:
    different = [
        field.name
        for field in fields(V7)
        if getattr(V7, field.name) != getattr(V7_UNWIND, field.name)
    ]
    assert different == ["name", "kernels", "unbinds_scheduler_once"]


def test_only_scenarios_without_memory_are_searched_on_v7_unwind_itself() -> None:
    own = [name for name in library() if searched_on(load(name), V7_UNWIND) is V7_UNWIND]
    assert own == [
        "exit-in-later-drain",
        "first-service-without-memory",
        "memory-runs-out",
        "memory-runs-out-in-recalculation",
    ]
    for name in library():
        for revision in (V7, STABLE, MAINLINE):
            assert searched_on(load(name), revision) is revision


@pytest.mark.parametrize("name", library())
def test_elsewhere_the_field_is_not_read(name: str) -> None:
    if searched_on(load(name), V7_UNWIND) is V7_UNWIND:
        return
    unread = replace(V7, unbinds_scheduler_once=Unread())  # type: ignore[arg-type]  # on purpose
    assert hunt(load(name), unread, Bounds(0), frozenset()).figures.schedules > 0


def test_a_field_that_is_read_is_noticed() -> None:
    unread = replace(V7, unbinds_scheduler_once=Unread())  # type: ignore[arg-type]  # on purpose
    with pytest.raises(AssertionError, match="it was read"):
        hunt(load("first-service-without-memory"), unread, Bounds(0), frozenset())


def test_the_protocol_is_the_same_system() -> None:
    assert system(V7) == system(V7_UNWIND)
