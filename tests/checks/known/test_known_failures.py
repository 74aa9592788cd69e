"""A failing schedule is named as the finding or defect that it is, or told to be new."""

import json
from dataclasses import replace
from pathlib import Path

import pytest
from click.testing import CliRunner

from ipvs_est import REVISIONS, STABLE, Revision
from ipvs_est_checks.cli.group import cli
from ipvs_est_checks.explore.engine.outcome import Bounds
from ipvs_est_checks.explore.failures.cause import Cause, Waiter
from ipvs_est_checks.explore.failures.hunt import hunt
from ipvs_est_checks.explore.scenarios.scenario import load
from ipvs_est_checks.known.by_history import BY_HISTORY, watch_finding
from ipvs_est_checks.known.by_schedule import BY_SCHEDULE
from ipvs_est_checks.known.failures import known_as
from ipvs_est_checks.mutants.registry import BY_ID
from ipvs_est_checks.text_edits import applied
from ipvs_est_spec.catalogue import VIOLATION_PROPERTIES

VIOLATIONS = {prop.id for prop in VIOLATION_PROPERTIES}


def test_the_history_of_every_finding_is_known_as_that_finding() -> None:
    for finding in BY_HISTORY:
        for revision in finding.revisions:
            failures = watch_finding(finding, REVISIONS[revision]).failures
            for prop in finding.properties:
                text = failures[prop].detail if prop in VIOLATIONS else prop
                waiters: tuple[Waiter, ...] = ()
                if prop == "locks.deadlock":
                    # F23: as the explorer tells it.
                    waiters = (Waiter("ipvs-e:0", (), "for the exit of ipvs-e:0"),)
                known = known_as(revision, Cause(prop, text, waiters))
                assert known is not None
                assert finding.id in known.ids


@pytest.mark.parametrize("finding", BY_SCHEDULE, ids=lambda finding: finding.id)
def test_the_schedule_of_every_finding_is_known_as_that_finding(finding: object) -> None:
    (chosen,) = [one_finding for one_finding in BY_SCHEDULE if one_finding is finding]
    assert chosen.schedule is not None
    for revision in chosen.revisions:
        seen = hunt(
            load(chosen.schedule.scenario),
            REVISIONS[revision],
            Bounds(chosen.schedule.preemptions),
            frozenset(chosen.properties),
        )
        known = [known_as(revision, hit.cause) for hit in seen.hits]
        assert any(one_known is not None and chosen.id in one_known.ids for one_known in known)


@pytest.mark.parametrize("broken", ["counts", "bitmaps"])
def test_the_counts_of_a_total_that_exit_takes_off_its_chain_are_f27(broken: str) -> None:
    """Each of its properties is broken by its schedule, and by none with its repair alone."""
    (finding,) = [finding for finding in BY_SCHEDULE if finding.id == "F27"]
    watched = [prop for prop in finding.properties if prop.startswith(broken)]
    scenario = load("exit-in-first-drain")
    for name in watched:
        hits = hunt(scenario, STABLE, Bounds(2), frozenset({name})).hits
        assert name in {hit.cause.property for hit in hits}
    mended = replace(STABLE, total_stopped_under_service_mutex=True)
    hits = hunt(scenario, mended, Bounds(2), frozenset(watched)).hits
    assert {hit.cause.property for hit in hits}.isdisjoint(watched)


def test_a_second_cause_of_a_recorded_property_is_not_taken_for_the_finding() -> None:
    """F16 breaks tasks.enabled on mainline; R6-enable breaks it where F16 is repaired, too."""
    cause = Cause("tasks.enabled", "tasks.enabled")
    scenario, watched = load("exit-and-sysctl"), frozenset({"tasks.enabled"})

    def holds(revision: Revision) -> bool:
        return not hunt(scenario, revision, Bounds(1), watched).hits

    known = known_as("mainline", cause, holds)
    assert known is not None
    assert known.ids == ("F16",)
    with applied(BY_ID["R6-enable"].edits):
        assert known_as("mainline", cause, holds) is None
        # By its property alone it looks the same.
        assert known_as("mainline", cause) is not None


def test_a_failure_is_known_on_the_revisions_that_have_it_only() -> None:
    cause = Cause("tasks.enabled", "tasks.enabled")
    known = {name: known_as(name, cause) for name in REVISIONS}
    assert [name for name, one_known in known.items() if one_known is not None] == [
        "v7",
        "v7-unwind",
        "stable",
        "mainline",
    ]


def test_a_deadlock_among_others_is_not_taken_for_one_that_is_listed() -> None:
    waiters = (
        Waiter("CTL", ("add_service",), "for est_mutex, held by SYSCTL"),
        Waiter("SYSCTL", ("set_nice",), "for __ip_vs_mutex, held by CTL"),
    )
    assert known_as("v7", Cause("locks.deadlock", "text", waiters)) is None
    work = Waiter("est_reload_work", ("stop_kthread", "reload_work"), "for the exit of ipvs-e:0")
    kthread = Waiter("ipvs-e:0", ("_finish", "calc_phase"), "for est_mutex, held by the work")
    known = known_as("v7", Cause("locks.deadlock", "text", (work, kthread)))
    assert known is not None
    assert (known.ids, known.by_sign) == (("D03b", "F17"), True)
    assert known_as("mainline", Cause("locks.deadlock", "text", (work, kthread))) is None


def test_one_index_out_of_range_is_not_taken_for_another() -> None:
    where = "where=ip_vs_enqueue_estimator"
    row = Cause("bitmaps.in-range", f"index-out-of-range: thing=ticks of kd 0, index=2, {where}")
    chain = f"index-out-of-range: thing=chains of tick of row 0, index=2, {where}"
    for revision, cause, ids in (
        ("v7", row, ("D01", "F10")),
        ("v7", Cause("bitmaps.in-range", chain), ("F01",)),
        ("mainline", row, None),
    ):
        known = known_as(revision, cause)
        assert (None if known is None else known.ids) == ids


EXIT = ["explore", "exit-in-calc-phase", "--revision", "stable"]
F19 = next(finding for finding in BY_SCHEDULE if finding.id == "F19")
D08 = f"known as F19, D08, by the property that it breaks: {F19.title}"


def test_a_report_names_the_defect(tmp_path: Path) -> None:
    report, junit = tmp_path / "r.json", tmp_path / "r.xml"
    options = ["--json", str(report), "--junit", str(junit)]
    result = CliRunner().invoke(cli, [*EXIT, *options])
    assert result.exit_code == 1
    # Folded to the width of a page.
    assert f" {D08} again: " in " ".join(result.output.split())
    (failure,) = json.loads(report.read_text())["rows"][0]["failures"]
    assert failure["known"] == {
        "ids": ["F19", "D08"],
        "title": D08.partition(": ")[2],
        "by_sign": False,
    }
    assert D08 in junit.read_text()
    replayed = CliRunner().invoke(cli, ["explore", "--replay", failure["token"]])
    assert " ".join(replayed.output.split()).endswith(f" {D08}")


def test_a_deadlock_is_named_by_who_waits_where() -> None:
    command = ["explore", "restart-in-drain", "--revision", "v7", "--property", "none"]
    result = CliRunner().invoke(cli, command)
    assert "  known as D03c, F17: deadlock: the reload work joins kthread 0" in result.output


def test_a_search_for_what_is_new_goes_on_behind_what_is_known(tmp_path: Path) -> None:
    report = tmp_path / "r.json"
    result = CliRunner().invoke(cli, [*EXIT, "--only-new", "--json", str(report)])
    assert result.exit_code == 0
    assert "exit-in-calc-phase on stable: PASS" in result.output
    (row,) = json.loads(report.read_text())["rows"]
    assert row["failures"] == []
    assert row["figures"]["failed"] == sum(entry["schedules"] for entry in row["passed_over"])
    assert ["F19", "D08"] in [entry["ids"] for entry in row["passed_over"]]
    assert "schedules that end with what is known as F19, D08" in result.output


def test_what_is_new_is_told_to_be_new_and_fails() -> None:
    command = ["explore", "cpulist-in-calc-phase", "--revision", "mainline", "--only-new"]
    assert CliRunner().invoke(cli, command).exit_code == 0
    with applied(BY_ID["R4-genid"].edits):
        result = CliRunner().invoke(cli, command)
    assert result.exit_code == 1
    new = "new: no recorded finding and no listed defect explains this on mainline"
    assert f"  {new}\n" in result.output


def test_a_livelock_is_found_behind_every_failure_too() -> None:
    with applied(BY_ID["D53-init"].edits):
        seen = hunt(load("packets-while-kthreads-read"), STABLE, Bounds(1), frozenset())
    assert [hit.cause.text for hit in seen.hits] == ["livelock: tasks=['ipvs-e:0'], steps=2"]
