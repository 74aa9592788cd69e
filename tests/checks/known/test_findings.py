"""Each recorded finding is confirmed where it is recorded, and only there."""

import re

import pytest

from ipvs_est import REVISIONS, Revision
from ipvs_est.language.operations import Advance, Dump
from ipvs_est.replay import Passed, replay
from ipvs_est_checks.documents import sections
from ipvs_est_checks.history.monitor import run
from ipvs_est_checks.known.by_history import (
    BY_HISTORY,
    Confirmation,
    confirm_all,
    history_of,
    history_path,
    watch_finding,
)
from ipvs_est_checks.known.finding import Finding
from ipvs_est_spec.catalogue import PROPERTIES
from ipvs_est_spec.property import Scope, StateProperty, ViolationProperty

by_id = pytest.mark.parametrize("finding", BY_HISTORY, ids=lambda finding: finding.id)


def at_end(finding: Finding) -> bool:
    """Its properties are of whole histories or of quiet times, so seen after the last step."""
    return not any(
        isinstance(prop, ViolationProperty)
        or (isinstance(prop, StateProperty) and prop.scope is not Scope.QUIET)
        for prop in PROPERTIES
        if prop.id in finding.properties
    )


def test_the_number_of_findings_and_confirmations_is_known() -> None:
    assert [finding.id for finding in BY_HISTORY] == [
        f"F{number:02}" for number in (*range(1, 16), 21, 22, 23, 25, 26)
    ]
    assert len(list(confirm_all())) == len(BY_HISTORY) * len(REVISIONS) == 100


def test_each_history_breaks_its_properties_exactly_on_its_revisions() -> None:
    for confirmation in confirm_all():
        assert confirmation.as_recorded, confirmation


def test_a_finding_that_does_not_reproduce_is_noticed() -> None:
    assert not Confirmation(BY_HISTORY[0], "mainline", (), 8).as_recorded
    assert not Confirmation(BY_HISTORY[0], "repaired", ("bitmaps.in-range",), 8).as_recorded


@by_id
def test_the_repaired_revision_breaks_nothing_at_all(finding: Finding) -> None:
    assert watch_finding(finding, REVISIONS["repaired"]).failures == {}


@by_id
def test_the_history_replays_on_its_revisions(finding: Finding) -> None:
    for name in finding.revisions:
        outcome = replay(history_path(finding, name), REVISIONS[name])
        assert isinstance(outcome, Passed), outcome


@by_id
def test_no_operation_of_a_history_can_be_left_out(finding: Finding) -> None:
    name = finding.revisions[-1]
    history = history_of(finding, name)
    revision = REVISIONS[name]
    for index, operation in enumerate(history.operations):
        if isinstance(operation, Dump):
            continue  # shows the state to the reader
        if (
            at_end(finding)
            and isinstance(operation, Advance)
            and index == len(history.operations) - 2
        ):
            continue  # shows that waiting does not help; the quiet time shows it as well
        rest = [*history.operations[:index], *history.operations[index + 1 :]]
        failures = run(history.header.params, revision, rest).failures.values()
        # Not what only the quiet time after the history brings out.
        end = at_end(finding)
        broken = {failure.property for failure in failures if end or failure.step >= 0}
        assert not set(finding.properties) <= broken, (index, operation)


@by_id
def test_the_repair_is_a_field_of_the_revision(finding: Finding) -> None:
    for name, revision in REVISIONS.items():
        assert isinstance(revision, Revision)
        assert getattr(revision, finding.repair) is (name not in finding.revisions)


@by_id
def test_the_finding_is_explained(finding: Finding) -> None:
    text = sections()[finding.id].text
    assert f"\n| revisions | {', '.join(finding.revisions)} |\n" in text
    for prop in finding.properties:
        assert f"`{prop}`" in text
    assert finding.defect in text


def test_the_number_of_operations_told_is_that_of_the_history() -> None:
    text = "".join(sections()[finding.id].text for finding in BY_HISTORY)
    by_name = {finding.id: finding for finding in BY_HISTORY}
    seen = re.findall(
        r"histories/(F\d+)\.jsonl`(?:, `(F\d+)\.jsonl`)?, (\d+)(?: and (\d+))? op", text
    )
    assert len(seen) == 11
    for first, second, number, other in seen:
        for id_, count in ((first, number), (second, other)):
            if id_:
                history = history_of(by_name[id_], by_name[id_].revisions[-1])
                shown = [
                    operation for operation in history.operations if not isinstance(operation, Dump)
                ]
                assert len(shown) == int(count), id_
