"""What is told beside a failing property: where, and with which numbers."""

from collections.abc import Mapping

import pytest

from ipvs_est import MAINLINE, REPAIRED, V7, Revision
from ipvs_est_checks.history.explain import explain
from ipvs_est_checks.history.monitor import WatchedHistory, run
from ipvs_est_checks.known.by_history import BY_HISTORY, watch_finding
from ipvs_est_checks.mutants.histories import random_history
from ipvs_est_spec.case_words import WORDS, named_numbers
from ipvs_est_spec.catalogue import RECORD_PROPERTIES, STATE_PROPERTIES
from ipvs_est_spec.witness import witness

BY_ID = {finding.id: finding for finding in BY_HISTORY}


def seen(finding: str, revision: Revision = MAINLINE) -> WatchedHistory:
    return watch_finding(BY_ID[finding], revision)


# Worked out by hand from the histories in docs/reference/findings.
FOUND: Mapping[tuple[str, str], str] = {
    ("F02", "bitmaps.full"): (
        "kd 0 row 0 chain 1: full 1, true_length 1, tick_exists 1, chain_max 2"
    ),
    ("F03", "limits.chain"): "kd 0 row 0 chain 0: true_length 2, chain_max 1",
    ("F06", "locks.est-fields"): (
        "mutex held? no, every kthread and reload work gone? no; at jiffies 1000 control process"
        " changed est_cpulist 1 -> -1"
    ),
    ("F13", "limits.published"): (
        "contexts 5, est_max_threads 4;"
        " at jiffies 1200: context-added, ktid 4, contexts 5, max_threads 4"
    ),
    ("F15", "delay.closest"): (
        "jiffies between two estimations 1760, at least 1800;"
        " at jiffies 4720: estimated, id 1, ktid 0, row 49"
    ),
}


@pytest.mark.parametrize(("finding", "property_id"), FOUND)
def test_a_failure_is_told_with_its_place_and_numbers(finding: str, property_id: str) -> None:
    # Order within one place is that of the formula.
    found = explain(seen(finding), property_id)
    assert sorted(found.split(", ")) == sorted(FOUND[finding, property_id].split(", "))


def test_only_what_fails_is_told() -> None:
    watched = seen("F05")
    found = explain(watched, "progress.room")
    # Of four slots the one that is a hole.
    assert "kd 1: exists 0" in found
    assert "kd 2" not in found
    assert "est_max_threads 4" in found
    assert explain(watched, "counts.tick") == ""
    assert explain(seen("F04", V7), "memory.use-after-free") == ""


def test_where_a_property_holds_there_is_nothing_to_tell() -> None:
    watched = seen("F02", REPAIRED)
    snapshot = watched.oracle.snapshot()
    for prop in STATE_PROPERTIES:
        assert witness(prop, watched.oracle.machine.params, snapshot) == ""


def test_the_numbers_of_every_property_have_names() -> None:
    assert set(WORDS) == {prop.id for prop in RECORD_PROPERTIES}
    named: set[str] = set()
    for index in range(12):
        scenario = random_history(1, index)
        events = run(scenario.params, MAINLINE, scenario.operations).oracle.machine.events
        assert events
        for prop in RECORD_PROPERTIES:
            for case in prop.cases(scenario.params, events):
                # The last name may be of many numbers, no name is of none.
                assert len(WORDS[prop.id]) <= len(case), prop.id
                named.add(prop.id)
    assert named == set(WORDS)


def test_numbers_are_told_with_their_names() -> None:
    assert named_numbers("limits.published", (5, 4)) == "contexts 5, est_max_threads 4"
    assert named_numbers("locks.order", (1,)) == "est_mutex held? yes"
    assert (
        named_numbers("delay.new-row", (3, 2, 1, 0, 1)) == "row chosen 3, row wanted 2, avail 1 0 1"
    )
    assert named_numbers("no.such", (1, 2)) == "1, 2"
