"""`check` explores the scenarios and confirms the findings that need a schedule."""

from dataclasses import replace

import pytest

from ipvs_est import MAINLINE, REVISIONS
from ipvs_est.language.violations import BrokenProperty
from ipvs_est_checks.engines import explorer as engine
from ipvs_est_checks.engines.defects import engine_defects
from ipvs_est_checks.explore.failures.token import replay_token, token_from_text
from ipvs_est_checks.explore.scenarios.scenario import library, load
from ipvs_est_checks.known.by_schedule import BY_SCHEDULE
from ipvs_est_checks.report.rows import Request, Row
from ipvs_est_checks.report.verdict import Verdict

REQUEST = Request(tuple(REVISIONS.values()), "quick", None, 1, 1, None)


@pytest.fixture(scope="module")
def rows() -> list[Row]:
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(engine, "library", lambda: ("exit-and-sysctl", "two-kthreads-restart"))
        return list(engine.engine_explorer(REQUEST))


def test_a_scenario_passes_where_no_finding_shows(rows: list[Row]) -> None:
    verdicts = {row.revision: row.verdict for row in rows if row.id.startswith("explore.exit")}
    assert verdicts == {
        "v7": Verdict.FINDING,
        "v7-unwind": Verdict.FINDING,
        "stable": Verdict.FINDING,
        "mainline": Verdict.FINDING,
        "repaired": Verdict.PASS,
    }


def test_each_finding_shows_on_its_revisions_and_on_no_other(rows: list[Row]) -> None:
    assert [finding.id for finding in BY_SCHEDULE] == [
        "F16",
        "F17",
        "F18",
        "F19",
        "F20",
        "F27",
        "F28",
    ]
    for finding in BY_SCHEDULE:
        verdicts = {row.revision: row.verdict for row in rows if row.id == finding.id}
        assert verdicts == {
            name: Verdict.FINDING if name in finding.revisions else Verdict.PASS
            for name in REVISIONS
        }


def test_what_the_profile_leaves_out_is_told_with_its_command(rows: list[Row]) -> None:
    (rest,) = [row for row in rows if row.id == "explore.rest"]
    assert rest.verdict is Verdict.NOT_RUN
    assert rest.command.startswith("ipvs-est explore -j 0 --preemptions 1 ")
    assert "two-kthreads-restart" in rest.command
    assert set(library()) >= engine.HEAVY
    (defects,) = engine_defects(REQUEST)
    assert (defects.verdict, defects.command) == (Verdict.NOT_RUN, "ipvs-est defects -j 0")


def test_a_failure_that_no_finding_explains_fails(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(engine, "library", lambda: ("exit-and-sysctl",))
    monkeypatch.setattr(engine, "BY_SCHEDULE", ())
    monkeypatch.setattr(engine, "known_as", lambda revision, cause, holds=None: None)
    request = Request((MAINLINE,), "quick", None, 1, 1, None)
    row = next(engine.engine_explorer(request))
    assert row.verdict is Verdict.FAIL
    assert row.problems[0].property == "tasks.enabled"
    assert "--replay e3:exit-and-sysctl:mainline:" in row.problems[0].command
    assert row.problems[0].detail == (
        "No kthread's task is started while enable is 0 or netns exit is under way."
        " In exit-and-sysctl."
    )


def test_the_command_of_a_failure_shows_it_again(rows: list[Row]) -> None:
    seen = [
        problem
        for row in rows
        if row.id.startswith("explore.")
        for problem in row.problems
        if problem.command.startswith("ipvs-est explore --replay ")
    ]
    properties = {problem.property for problem in seen}
    assert {"tasks.enabled", "place.one-list"} <= properties
    for problem in seen:
        token = token_from_text(problem.command.rpartition(" ")[2])
        violation = replay_token(load(token.scenario), token).violation
        assert violation is not None, problem
        if isinstance(violation, BrokenProperty):
            assert violation.property == problem.property


def test_only_what_concerns_the_properties_asked_for_is_run_and_judged(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(engine, "library", lambda: ("exit-and-sysctl", "last-estimator-goes"))
    asked = replace(REQUEST, properties=frozenset({"tasks.enabled"}))
    rows = list(engine.engine_explorer(asked))
    lines = {problem.property for row in rows for problem in row.problems}
    assert lines == {"tasks.enabled"}
    # In the other scenario no task is started: its searches looked at nothing.
    assert {row.id for row in rows} == {
        "explore.exit-and-sysctl",
        "F16",
        "tasks.enabled",
        "explore.rest",
    }
    assert [row.properties for row in rows if row.id == "F16"] == [("tasks.enabled",)] * len(
        REVISIONS
    )


def test_a_property_that_no_schedule_is_judged_by_has_no_row() -> None:
    asked = replace(REQUEST, properties=frozenset({"cpulist.read"}))
    assert list(engine.engine_explorer(asked)) == []
