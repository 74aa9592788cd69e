"""Failing schedules of code are told apart by their signs."""

import pytest

from ipvs_est import MAINLINE, REVISIONS
from ipvs_est_checks.engines.tree.schedules import property_of
from ipvs_est_checks.known.code_signs import SIGNS, known_on_code
from ipvs_est_checks.known.registry import ALL

STABLE = REVISIONS["stable"]
JOIN = (
    "deadlock: CTL: waits for the exit of ipvs-e:0; ipvs-e:0: waits for __ip_vs_mutex, held by CTL"
)


@pytest.mark.parametrize(
    ("cause", "ids"),
    [
        (JOIN, ("F17",)),
        ("deadlock: A: waits for est_mutex, held by B; B: waits for service_mutex, held by A", ()),
        ("task-started-while-disabled: ipvs-e:1 in wake_up_process", ("F16",)),
        ("use-after-free: ip_vs_est_kt_data.est_row in ipvs-e:0", ("F04",)),
        ("use-after-free: ip_vs_est_kt_data.task in ipvs-e:0", ()),
        ("leak-at-exit: ip_vs_dest", ()),
    ],
)
def test_a_cause_is_that_of_a_finding_by_its_sign(cause: str, ids: tuple[str, ...]) -> None:
    assert known_on_code(STABLE, cause) == ids


def test_a_finding_that_the_revision_has_not_explains_nothing() -> None:
    assert known_on_code(MAINLINE, JOIN) == ()


def test_every_sign_is_of_a_finding() -> None:
    assert SIGNS.keys() <= {finding.id for finding in ALL}


@pytest.mark.parametrize(
    ("cause", "property_id"),
    [
        (JOIN, "locks.deadlock"),
        ("a control process waits for ever", "locks.deadlock"),
        ("use-after-free: x in y", "memory.use-after-free"),
        ("task-started-while-disabled: x in y", "tasks.enabled"),
        ("endless-loop: EXIT", "code.endless-loop"),
    ],
)
def test_a_cause_breaks_the_property_of_its_kind(cause: str, property_id: str) -> None:
    assert property_of(cause) == property_id
