"""The counterexamples of all theorems show in the model, but of those that say why they cannot."""

import re
from collections import Counter
from dataclasses import replace
from pathlib import Path

import pytest

from ipvs_est import REPAIRED
from ipvs_est_checks.proving.counterexamples import registry, walks
from ipvs_est_checks.proving.counterexamples.registry import (
    ReplayKind,
    kind_of,
    replayed,
    with_replay,
)
from ipvs_est_spec.proof.framework.solve import Options, ProofVerdict, TheoremOutcome, decide
from ipvs_est_spec.proof.registry import BY_ID, THEOREMS

CHECKOUT = Path(__file__).parents[2]
QUICK = Options(drop_assumptions=False)


def test_how_counterexamples_are_replayed_is_known_of_every_theorem() -> None:
    found = Counter(kind_of(theorem).value for theorem in THEOREMS)
    assert found == {
        "numbers": 70,
        "state": 42,
        "schedule": 15,
        "history": 12,
        "none": 5,
    }
    text = (CHECKOUT / "docs" / "explanation" / "proofs.md").read_text(encoding="utf-8")
    rows = re.findall(r"^\| (numbers|state|schedule|history|none) \|.*\| (\d+) \|$", text, re.M)
    assert {name: int(number) for name, number in rows} == found
    with pytest.raises(ValueError, match="nobody says how"):
        kind_of(replace(BY_ID["rows.chain"], id="rows.another"))


def test_what_is_not_replayed_says_why() -> None:
    none = [theorem for theorem in THEOREMS if kind_of(theorem) is ReplayKind.NONE]
    assert [theorem.id for theorem in none] == [
        "sums.change",
        "sums.parts",
        "sums.bounded",
        "sums.reached",
        "sums.nothing",
    ]
    for theorem in none:
        shown = replayed(theorem, decide(theorem, QUICK))
        assert "the model has no such sum" in shown.lines[0]
        assert shown.complaints == ()


@pytest.mark.parametrize(
    ("id_", "number", "expected"),
    [
        ("rows.chain", 1, "numbers: the twin's numbers, given to the model's function"),
        ("timer.closest", 2, "numbers: the twin's numbers, given to the model's function"),
        (
            "induction.limits.computed.F21",
            9,
            "state: twin: in a state loaded into the model of repaired, finish loses limits.",
        ),
        (
            "protocol.memory-relinking",
            3,
            "schedule: twin: a schedule of 102 steps ends so: use-after-free: thing=kd 1",
        ),
    ],
)
def test_replays_are_told_in_the_record(id_: str, number: int, expected: str) -> None:
    outcome = with_replay(BY_ID[id_], decide(BY_ID[id_], QUICK))
    assert outcome.complaints == ()
    assert len(outcome.replayed) == number
    assert outcome.replayed[0].startswith(expected)


HISTORIES = [theorem.id for theorem in THEOREMS if kind_of(theorem) is ReplayKind.HISTORY]


@pytest.mark.parametrize("id_", HISTORIES)
def test_histories_show_what_the_theorems_on_the_walk_and_the_searches_are_about(
    id_: str, chain: TheoremOutcome
) -> None:
    outcome = with_replay(BY_ID[id_], chain)
    assert outcome.complaints == ()
    revisions = BY_ID[id_].revision.split(", ") if BY_ID[id_].refuted_by else []
    assert len(outcome.replayed) == 1 + len(revisions)


@pytest.mark.parametrize("id_", walks.REPLAYS)
def test_a_walk_without_the_mistake_shows_nothing(id_: str, chain: TheoremOutcome) -> None:
    harmless = replace(walks.REPLAYS[id_], edits=())
    assert not walks.walk_shows(harmless)


def test_a_finding_that_does_not_show_fails_the_theorem(
    monkeypatch: pytest.MonkeyPatch, chain: TheoremOutcome
) -> None:
    monkeypatch.setattr(registry, "_FINDINGS", {"walk.kd0": ("F23", REPAIRED)})
    outcome = with_replay(BY_ID["walk.kd0"], chain)
    assert outcome.complaints == ("twin: F23 does not show on repaired",)


@pytest.fixture(name="chain", scope="module")
def _chain() -> TheoremOutcome:
    return decide(BY_ID["rows.chain"], QUICK)


def test_a_counterexample_that_does_not_show_in_the_model_fails_the_theorem(
    monkeypatch: pytest.MonkeyPatch, chain: TheoremOutcome
) -> None:
    monkeypatch.setattr(registry, "_NUMBERS", {"rows.chain": lambda _: False})
    outcome = with_replay(BY_ID["rows.chain"], chain)
    assert outcome.verdict is ProofVerdict.FAIL
    assert "the model does not differ from the twin" in outcome.complaints[0]
    assert outcome.replayed == ()


@pytest.mark.parametrize(
    ("id_", "function", "complaint"),
    [
        ("induction.bitmaps.full", "states.twin_replay", "no small state is a counterexample"),
        ("protocol.owners", "schedules.twin_schedule", "no schedule of the model follows the run"),
    ],
)
def test_a_state_or_a_schedule_that_is_not_found_fails_the_theorem(
    id_: str, function: str, complaint: str, monkeypatch: pytest.MonkeyPatch, chain: TheoremOutcome
) -> None:
    monkeypatch.setattr(f"ipvs_est_checks.proving.counterexamples.{function}", lambda _: None)
    outcome = with_replay(BY_ID[id_], chain)
    assert (outcome.verdict, outcome.complaints) == (ProofVerdict.FAIL, (f"twin: {complaint}",))
