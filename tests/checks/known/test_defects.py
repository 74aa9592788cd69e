"""The table of known defects: complete, and judged as listed by searches."""

import json
from pathlib import Path

import pytest
from click.testing import CliRunner

from ipvs_est import REVISIONS, V7
from ipvs_est_checks.cli.group import cli
from ipvs_est_checks.defects.generated import SeenDefects, lines, rows_of, search_defects
from ipvs_est_checks.defects.report import json_report, junit_report
from ipvs_est_checks.defects.run import Cell, RowResult, judge
from ipvs_est_checks.defects.table import CONTROLS, DEFECTS, REVIEWED, ROWS, DefectKind, DefectRow
from ipvs_est_checks.explore.engine.outcome import Bounds
from ipvs_est_checks.explore.failures.cause import Cause, Sign, Waiter, Waits, shows
from ipvs_est_checks.explore.failures.hunt import hunt
from ipvs_est_checks.explore.scenarios.scenario import library, scenario_from_text, scenario_text
from ipvs_est_checks.mutants.registry import BY_ID as BY_MUTANT
from ipvs_est_checks.report.verdict import Verdict

# Known defects, section 1: where each is listed.
LISTED = {
    "D01": ("v7", "v7-unwind"),
    "D02": ("stable",),
    "D03a": ("v7", "v7-unwind", "stable"),
    "D03b": ("v7", "v7-unwind", "stable"),
    "D03c": ("v7", "v7-unwind", "stable"),
    "D03d": ("v7", "v7-unwind", "stable"),
    "D03e": ("v7", "v7-unwind", "stable"),
    "D03f": ("v7", "v7-unwind", "stable"),
    "D04a": ("v7", "v7-unwind", "stable"),
    "D04b": ("v7", "v7-unwind", "stable"),
    "D04d": ("v7", "v7-unwind", "stable"),
    "D07": ("v7", "v7-unwind", "stable"),
    "D08": ("v7", "v7-unwind", "stable"),
    "D09": ("v7",),
    "D10": ("v7", "v7-unwind", "stable"),
    "D18": ("v7", "v7-unwind", "stable", "mainline", "repaired"),
}
BY_ID = {row.id: row for row in ROWS}


def test_the_table_has_every_row_of_the_catalogue_as_listed_there() -> None:
    assert {defect.id: defect.revisions for defect in DEFECTS} == LISTED
    assert len(BY_ID) == len(ROWS)
    for row in ROWS:
        assert set(row.scenarios) <= set(library())


# Known defects, section 2, what a schedule has to show: which row each mutant is of. R4 has
# another half, which is out of reach.
REVIEWED_AS = {
    "D20": ("D20",),
    "D36": ("D36",),
    "D53": ("D53-reader", "D53-writer", "D53-init"),
    "R1": ("R1",),
    "R2": ("R2",),
    "R3": ("R3",),
    "R4": ("R4-genid", "R4-count"),
    "R5": ("R5",),
    "R6": ("R6-enable", "R6-order"),
    "R7": ("R7-slot", "R7-kd", "R7-tick"),
}


def test_the_table_has_the_reviews_mistakes_about_concurrency() -> None:
    wanted = [identity for ids in REVIEWED_AS.values() for identity in ids]
    assert [defect_row.id for defect_row in REVIEWED] == wanted
    for row in REVIEWED:
        assert row.kind is DefectKind.MUTANT
        assert row.edits == BY_MUTANT[row.id].edits
        # A livelock is of no property.
        properties = {sign.property for sign in row.signs} - {""}
        assert properties <= set(BY_MUTANT[row.id].properties)


# Those whose searches take a fraction of a second.
@pytest.mark.parametrize(
    "id_", ["D20", "D36", "D53-init", "R3", "R4-genid", "R4-count", "R6-order"]
)
def test_a_mistake_of_the_reviews_is_found_by_its_schedule_and_nothing_without_it(id_: str) -> None:
    result = judge(BY_ID[id_], Bounds(2))
    assert result.verdict is Verdict.PASS
    with_it, without = result.cells
    assert with_it.shown is not None
    assert (without.shown, without.exhausted) == (None, True)


# Those whose searches take a fraction of a second; `ipvs-est defects` judges all.
@pytest.mark.parametrize(
    "id_", ["D01", "D02", "D03d", "D03e", "D03f", "D04a", "D04b", "D09", "D10", "D18"]
)
def test_a_defect_is_found_where_it_is_listed_and_nowhere_else(id_: str) -> None:
    result = judge(BY_ID[id_])
    assert result.verdict is Verdict.PASS
    found = [cell.revision for cell in result.cells if cell.shown is not None]
    assert tuple(found) == LISTED[id_]
    for cell in result.cells:
        # The search for a mutant ends when it is found.
        assert cell.exhausted or (cell.wanted and BY_ID[id_].kind is DefectKind.MUTANT)


def test_a_bound_that_is_given_is_honoured_and_told(tmp_path: Path) -> None:
    """D03e takes a third preemption, and has that bound of its own."""
    assert judge(BY_ID["D03e"]).preemptions == 3
    report = tmp_path / "d.json"
    arguments = ["defects", "D03e", "--preemptions", "2", "--json", str(report)]
    answer = CliRunner().invoke(cli, arguments)
    assert answer.exit_code == 1
    assert "searched to 2 preemptions" in answer.output
    assert answer.output.splitlines()[-1].endswith(" schedules, to 2 preemptions")
    (row,) = json.loads(report.read_text())["rows"]
    assert row["preemptions"] == 2
    assert [entry["result"] for entry in row["cells"]][:2] == ["MISSED", "MISSED"]


def test_a_control_is_silent() -> None:
    result = judge(BY_ID["N3"], Bounds(1))
    assert result.verdict is Verdict.PASS
    assert all(cell.schedules > 100 for cell in result.cells)


def test_a_control_that_is_reported_fails() -> None:
    """D07 taken for a control on the revision that has it."""
    row = BY_ID["D07"]
    wrong = DefectRow(
        row.id, DefectKind.CONTROL, row.title, row.scenarios[:1], row.signs, ("stable",)
    )
    result = judge(wrong, Bounds(0))
    assert result.verdict is Verdict.FAIL
    (cell,) = result.cells
    assert cell.stray == ("use-after-free: thing=kd 1, field=est_row, where=ip_vs_est_calc_phase",)


def test_a_defect_that_is_listed_where_it_is_not_fails() -> None:
    row = BY_ID["D09"]
    wrong = DefectRow(row.id, row.kind, row.title, row.scenarios, row.signs, tuple(REVISIONS))
    result = judge(wrong, Bounds(2))
    assert result.verdict is Verdict.FAIL
    assert [cell.verdict for cell in result.cells] == [Verdict.PASS, *[Verdict.FAIL] * 4]


def test_what_was_not_searched_to_the_end_is_incomplete() -> None:
    cell = Cell("mainline", True, None, (), exhausted=False, schedules=7, seconds=0.0)
    assert cell.verdict is Verdict.INCOMPLETE
    result = RowResult(BY_ID["D01"], (cell,))
    assert result.verdict is Verdict.INCOMPLETE
    assert 'skipped="1"' in junit_report([result], complete=True)
    assert json.loads(json_report([result], complete=True))["rows"][0]["verdict"] == "INCOMPLETE"


def test_a_deadlock_is_told_by_its_tasks_and_where_they_wait() -> None:
    cause = Cause(
        "locks.deadlock",
        "text",
        (
            Waiter("CTL", ("stop_kthread", "_release_kd0"), "for the exit of ipvs-e:0"),
            Waiter("ipvs-e:0", ("calc_phase",), "for __ip_vs_mutex, held by CTL"),
        ),
    )
    assert shows(Sign("locks.deadlock", waits=(Waits("CTL", "_release_kd0"),)), cause)
    assert not shows(Sign("locks.deadlock", waits=(Waits("CTL", "_release_kd0", True),)), cause)
    assert not shows(Sign("locks.deadlock", waits=(Waits("EXIT"),)), cause)
    assert not shows(Sign("locks.order"), cause)
    assert shows(Sign("locks.deadlock", waits=(Waits("ipvs-e", of="__ip_vs_mutex"),)), cause)


def test_the_command_writes_reports_and_exits_with_its_verdict(tmp_path: Path) -> None:
    report, junit = tmp_path / "d.json", tmp_path / "d.xml"
    arguments = ["defects", "D09", "-v", "--json", str(report), "--junit", str(junit)]
    answer = CliRunner().invoke(cli, arguments)
    assert answer.exit_code == 0
    assert "1 pass; " in answer.output
    assert "ipvs-est explore --replay e3:first-service-without-memory:v7:" in answer.output
    written = json.loads(report.read_text())
    assert [entry["result"] for entry in written["rows"][0]["cells"]] == [
        "found",
        "silent",
        "silent",
        "silent",
        "silent",
    ]
    shown = written["rows"][0]["cells"][0]["shown"]
    assert (shown["switches"], shown["context_switches"], shown["fewest"]) == (0, 0, True)
    assert "    0 context switches, time's included (no schedule fails so with fewer)" in (
        answer.output
    )
    assert 'failures="0"' in junit.read_text()


def test_a_schedule_that_was_not_reduced_is_not_called_the_shortest() -> None:
    """D18 is no failure; a livelock's schedule stays as it was found."""
    results = [judge(BY_ID[id_], Bounds(1)) for id_ in ("D18", "D53-init")]
    rows = json.loads(json_report(results, complete=True))["rows"]
    assert [row["cells"][0]["shown"]["fewest"] for row in rows] == [None, False]


def test_an_unknown_row_is_bad_usage() -> None:
    answer = CliRunner().invoke(cli, ["defects", "D99"])
    assert answer.exit_code == 2
    assert "no such defect: D99" in answer.output


def test_the_negative_controls_are_those_of_the_catalogue() -> None:
    assert [control.id for control in CONTROLS] == ["N1", "N3", "N4", "N5", "N6", "N7", "N8"]


def test_defects_show_in_scenarios_that_nobody_wrote() -> None:
    """Those that the first few show; `ipvs-est defects --generated` looks for all."""
    rows = rows_of([BY_ID["D07"], BY_ID["D08"], BY_ID["N3"], BY_ID["D10"]], V7)
    assert [row.id for row in rows] == ["D07", "D08"]
    seen = SeenDefects()
    listed: list[int] = []
    search_defects(rows, V7, Bounds(1, schedules=100), 60, 1, seen, listed.append)
    assert set(seen.first) == {"D07", "D08"}
    assert listed == list(range(1, seen.scenarios + 1))
    for first in seen.first.values():
        assert first.number <= seen.scenarios
        # The scenario as it is told shows it again.
        scenario = scenario_from_text("again", scenario_text(first.scenario))
        watched = frozenset({first.hit.cause.property})
        again = hunt(scenario, V7, Bounds(1, schedules=100), watched)
        assert first.hit.cause in [hit.cause for hit in again.hits]
    told_lines = list(lines(rows, seen))
    assert len(told_lines) == 6
    assert told_lines[-1].startswith("2 of 2 defects in ")


def test_a_defect_that_generated_scenarios_did_not_show_is_incomplete() -> None:
    answer = CliRunner().invoke(cli, ["defects", "D03e", "--generated", "1", "--seed", "1"])
    assert answer.exit_code == 3
    assert answer.output.splitlines()[0] == "v7, seed 1"
    assert answer.output.splitlines()[-1].startswith("0 of 1 defects in 1 scenarios, ")


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["D10", "--generated", "3"], "no such row is a defect of v7"),
        (["--seed", "3"], "--seed is for --generated"),
        (["--generated", "3", "--json", "r"], "--json and --generated exclude each other"),
        (["--generated", "3", "--preemptions", "1"], "--preemptions and --generated exclude"),
        (["--generated", "3", "-j", "2"], "--jobs and --generated exclude each other"),
        (["--generated", "0"], "0 is not in the range"),
    ],
)
def test_bad_arguments_for_generated_scenarios_are_named(
    arguments: list[str], message: str
) -> None:
    answer = CliRunner().invoke(cli, ["defects", *arguments])
    assert answer.exit_code == 2
    assert message in answer.output
