"""How strongly a property is established is what the engines really do."""

from collections.abc import Iterable

import pytest

from ipvs_est import REPAIRED, REVISIONS
from ipvs_est_checks.established import strengths
from ipvs_est_checks.explore import judged
from ipvs_est_checks.explore.dfs import Dfs
from ipvs_est_checks.explore.judged import judged_in
from ipvs_est_checks.explore.outcome import Bounds
from ipvs_est_checks.explore.run import run
from ipvs_est_checks.explore.scenario import library, load
from ipvs_est_checks.explore.scheduler import system_of
from ipvs_est_checks.explore.watch import WATCHED, Watch
from ipvs_est_checks.findings import explained
from ipvs_est_spec.catalogue import PROPERTIES


def evaluated(revision: str, names: Iterable[str], preemptions: int) -> dict[str, int]:
    """In how many of the scenarios each property was evaluated."""
    found = dict.fromkeys(sorted(WATCHED), 0)
    watched = frozenset(each for each in WATCHED if not explained(revision, each))
    for name in names:
        watch = Watch(watched)
        system = system_of(load(name), REVISIONS[revision], watch)
        run(system, Dfs(preemptions), Bounds(preemptions), wanted=lambda world, failure: False)
        for each in watch.checks:
            found[each] += 1
    return found


def is_explored(property_id: str) -> bool:
    return any(each.startswith("explored") for each in strengths(property_id))


def test_a_property_that_the_explorer_does_not_watch_is_not_called_explored(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    assert is_explored("place.fields")
    monkeypatch.setattr(judged, "WATCHED", WATCHED - {"place.fields"})
    assert not is_explored("place.fields")
    assert is_explored("counts.tick")


def test_a_property_is_not_called_explored_on_a_revision_where_a_finding_breaks_it() -> None:
    assert "explored on repaired (25 scenarios, 1 preemption)" in strengths("tasks.enabled")
    for each in PROPERTIES:
        broken = [name for name in REVISIONS if explained(name, each.id)]
        (text,) = [how for how in strengths(each.id) if how.startswith("explored")]
        named = text.partition(" (")[0].removeprefix("explored").removeprefix(" on ")
        assert not set(broken) & set(named.split(", ") if named else REVISIONS), each.id


def test_a_property_is_not_called_explored_on_a_revision_where_a_theorem_refutes_it() -> None:
    assert "explored on mainline, repaired (34 scenarios, 1 preemption)" in strengths("array.kd0")


def test_a_property_comes_up_in_no_more_scenarios_than_is_told() -> None:
    seen = evaluated(REPAIRED.name, library(), 0)
    # Without a preemption: with one it may come up in more.
    assert [each for each, count in seen.items() if count > judged_in(each, "repaired")] == []
    assert [each for each, count in seen.items() if not count] == []


def test_theorems_that_refute_on_the_same_revisions_are_told_in_one_phrase() -> None:
    refuted = [each for each in strengths("locks.deadlock") if "refuted" in each]
    assert refuted == ["refuted on v7, stable (protocol.deadlock-a, -b, -c, -d, -e)"]
