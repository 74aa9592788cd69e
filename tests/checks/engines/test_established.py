"""How strongly a property is established is what the engines really do."""

from dataclasses import replace

import pytest

from ipvs_est import REPAIRED, REVISIONS, V7
from ipvs_est_checks.engines import explorer as engine
from ipvs_est_checks.engines.established import strengths
from ipvs_est_checks.explore.engine.outcome import Bounds
from ipvs_est_checks.explore.engine.watch import WATCHED
from ipvs_est_checks.explore.failures.hunt import hunt
from ipvs_est_checks.explore.scenarios.scenario import library, load
from ipvs_est_checks.known import explored as claimed
from ipvs_est_checks.known.by_history import explained
from ipvs_est_checks.known.explored import explained_before, explored_on
from ipvs_est_checks.report.rows import Request, Row
from ipvs_est_checks.report.verdict import Verdict
from ipvs_est_spec.catalogue import PROPERTIES


def is_explored(property_id: str) -> bool:
    return any(strength.startswith("explored") for strength in strengths(property_id))


def test_a_property_that_the_explorer_does_not_watch_is_not_called_explored(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    assert is_explored("place.fields")
    monkeypatch.setattr(claimed, "WATCHED", WATCHED - {"place.fields"})
    assert not is_explored("place.fields")
    assert is_explored("counts.tick")


def test_a_property_is_not_called_explored_on_a_revision_where_a_finding_breaks_it() -> None:
    assert "explored on repaired (1 preemption)" in strengths("tasks.enabled")
    for prop in PROPERTIES:
        broken = [name for name in REVISIONS if explained(name, prop.id)]
        (text,) = [how for how in strengths(prop.id) if how.startswith("explored")]
        named = text.partition(" (")[0].removeprefix("explored").removeprefix(" on ")
        assert not set(broken) & set(named.split(", ") if named else REVISIONS), prop.id


def test_a_property_is_not_called_explored_on_a_revision_where_a_theorem_refutes_it() -> None:
    assert "explored on mainline, repaired (1 preemption)" in strengths("array.kd0")


def test_every_property_that_is_called_explored_comes_up_in_the_library() -> None:
    """On repaired; on all revisions `ipvs-est check --profile ci` sees to it."""
    seen = [hunt(load(name), REPAIRED, Bounds(0)) for name in library()]
    evaluated = {evaluation for found in seen for evaluation in found.evaluations}
    assert {prop.id for prop in PROPERTIES} == evaluated
    assert all(REPAIRED.name in explored_on(prop.id) for prop in PROPERTIES)


def request(profile: str, *properties: str) -> Request:
    return Request((V7, REPAIRED), profile, frozenset(properties), 1, 1, None)


def rows_of(property_id: str, wanted: Request) -> dict[str, Row]:
    """The explorer's rows on that property, by revision."""
    rows = engine.engine_explorer(wanted)
    return {row.revision: row for row in rows if row.id == property_id}


def only(monkeypatch: pytest.MonkeyPatch, *names: str) -> None:
    """A library of these scenarios."""
    monkeypatch.setattr(engine, "library", lambda: names)
    monkeypatch.setattr(engine, "BY_SCHEDULE", ())


def test_a_check_says_how_often_a_property_was_evaluated_and_where(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    only(monkeypatch, "exit-and-sysctl", "last-estimator-goes")
    rows = rows_of("tasks.enabled", request("ci", "tasks.enabled"))
    assert {name: row.verdict for name, row in rows.items()} == {
        "v7": Verdict.FINDING,  # F16
        "repaired": Verdict.PASS,
    }
    # Tasks are started in one of the two; by a schedule without a preemption already.
    assert rows["repaired"].notes == ("came up in 1 of 2 scenarios",)
    without = hunt(load("exit-and-sysctl"), REPAIRED, Bounds(0), frozenset({"tasks.enabled"}))
    assert rows["repaired"].cases >= without.evaluations["tasks.enabled"] > 0


def test_a_property_that_is_called_explored_and_never_evaluated_fails_the_check(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    only(monkeypatch, "last-estimator-goes")
    wanted = request("ci", "limits.cpulist")
    rows = rows_of("limits.cpulist", wanted)
    assert {row.verdict for row in rows.values()} == {Verdict.FAIL}
    (problem,) = rows["repaired"].problems
    assert problem.detail == "is called explored, and came up in no scenario"
    # The quick profile leaves scenarios out: there it has merely not been run.
    rows = rows_of("limits.cpulist", replace(wanted, profile="quick"))
    assert {row.verdict for row in rows.values()} == {Verdict.NOT_RUN}
    monkeypatch.setattr(claimed, "_NEVER", {("limits.cpulist", "repaired")})
    rows = rows_of("limits.cpulist", wanted)
    assert (rows["v7"].verdict, rows["repaired"].verdict) == (Verdict.FAIL, Verdict.NOT_RUN)


def test_a_property_that_is_not_watched_has_no_row_that_says_it_was_explored(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    only(monkeypatch, "last-estimator-goes")
    assert explained_before("v7", "place.total")
    assert list(rows_of("place.total", request("ci", "place.total"))) == ["repaired"]


def test_theorems_that_refute_on_the_same_revisions_are_told_in_one_phrase() -> None:
    refuted = [strength for strength in strengths("locks.deadlock") if "refuted" in strength]
    assert refuted == ["refuted on v7, v7-unwind, stable (protocol.deadlock-a, -b, -c, -d, -e)"]
