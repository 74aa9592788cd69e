"""Sessions of a campaign: what is run, what is kept, and when a session is no evidence."""

import json
from collections.abc import Callable, Sequence
from concurrent.futures import Executor, Future
from pathlib import Path
from typing import ParamSpec, TypeVar

import pytest

from command_line import here
from ipvs_est import REPAIRED
from ipvs_est.language.operations import DeleteService
from ipvs_est_checks.campaign import handout, make_cases, session
from ipvs_est_checks.campaign import run_case as running
from ipvs_est_checks.campaign.case import (
    CampaignCase,
    Kind,
    history_case,
    history_of,
    scenario_case,
)
from ipvs_est_checks.campaign.corpus import FAILING, read_corpus
from ipvs_est_checks.campaign.make_cases import make_round
from ipvs_est_checks.campaign.report import json_report, lines
from ipvs_est_checks.campaign.run_case import run_case
from ipvs_est_checks.campaign.session import CampaignRequest, CampaignSession, Mode, canaries, hold
from ipvs_est_checks.explore.engine.outcome import Bounds
from ipvs_est_checks.explore.scenarios.scenario import load
from ipvs_est_checks.mutants.histories import random_history
from ipvs_est_checks.mutants.registry import BY_ID
from ipvs_est_checks.report.verdict import Verdict
from ipvs_est_checks.text_edits import applied

P = ParamSpec("P")
R = TypeVar("R")

CANARIES = canaries()
# Breaks `place.start` in the first history of most seeds.
PLANTED = "D31"


class Here(Executor):
    """Does the work at once, in this process."""

    def submit(self, fn: Callable[P, R], /, *args: P.args, **kwargs: P.kwargs) -> Future[R]:
        future: Future[R] = Future()
        try:
            future.set_result(fn(*args, **kwargs))
        except Exception as error:
            future.set_exception(error)
        return future


@pytest.fixture(autouse=True)
def small_rounds(monkeypatch: pytest.MonkeyPatch) -> None:
    for module in (session, make_cases):
        monkeypatch.setattr(module, "ROUND", 4)
    monkeypatch.setattr(session, "canaries", lambda: (BY_ID[PLANTED],))
    # What is found in a scenario is no matter here.
    monkeypatch.setattr(running, "BOUNDS", Bounds(1, schedules=20))
    monkeypatch.setattr(running, "_WALKS", 2)


def held(mode: Mode, directory: Path, cases: int = 4) -> CampaignSession:
    done = CampaignSession(CampaignRequest(mode, directory, REPAIRED, seed=1, cases=cases))
    hold(done, Here)
    return done


def names(directory: Path) -> set[str]:
    return {path.name for path in directory.iterdir() if path.is_file()}


def test_a_corpus_grows_is_run_and_pruned(tmp_path: Path) -> None:
    folder = tmp_path / "corpus"
    first = held(Mode.BATCH, folder)
    assert first.verdict is Verdict.SAMPLED
    assert (first.made, first.run) == (4, 4)
    assert first.added
    assert names(folder) == {campaign_case.name for campaign_case in first.added}
    # The same cases again come to nothing new, and are not kept twice.
    change = held(Mode.CODE_CHANGE, folder)
    assert change.run == len(first.added) + change.made
    assert change.added == []
    assert names(folder) == {campaign_case.name for campaign_case in first.added}
    # A longer history that comes to the same is pruned, and nothing is lost.
    known = next(
        campaign_case for campaign_case in first.added if campaign_case.kind is Kind.HISTORY
    )
    params, operations = history_of(known)
    longer = history_case(params, (*operations, DeleteService(999)))
    (folder / longer.name).write_text(longer.text)
    before = held(Mode.COVERAGE, folder)
    pruned = held(Mode.PRUNE, folder)
    after = held(Mode.COVERAGE, folder)
    assert longer in pruned.removed
    assert before.features.keys() == pruned.features.keys() == after.features.keys()
    assert names(folder) == names(folder) - {campaign_case.name for campaign_case in pruned.removed}
    assert held(Mode.PRUNE, folder).removed == []
    assert (before.made, pruned.made, before.canary) == (0, 0, None)


def test_a_new_failure_is_kept_and_run_first(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    # Its mutant is the model here, and cannot be planted twice.
    monkeypatch.setattr(session, "_find_canary", lambda *_: None)
    with applied(BY_ID[PLANTED].edits):
        found = held(Mode.CODE_CHANGE, tmp_path)
        assert found.verdict is Verdict.FAIL
        kept = read_corpus(tmp_path).failing
        assert kept == set(found.added) != set()
        again = held(Mode.COVERAGE, tmp_path)
        assert again.verdict is Verdict.FAIL
        assert next(iter(again.features.values())) in kept
    text = "\n".join(lines(found))
    assert "NEW place.start" in text
    assert str(tmp_path / FAILING) in text or "--mode coverage" in text
    # Repaired, it passes; it stays, as a regression test.
    assert held(Mode.COVERAGE, tmp_path).verdict is Verdict.SAMPLED
    assert read_corpus(tmp_path).failing == kept


def test_a_session_that_misses_its_canary_is_incomplete(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def blind(revision: str, mutant: str, case: CampaignCase) -> object:
        return run_case(revision, "", case)

    monkeypatch.setattr(session, "run_case", blind)
    monkeypatch.setattr(session, "CANARY_ROUNDS", 1)
    done = held(Mode.BATCH, tmp_path)
    assert done.canary == session.Canary(PLANTED, "", 4)
    assert done.verdict is Verdict.INCOMPLETE
    assert f"canary {PLANTED}: NOT FOUND in 4 histories" in "\n".join(lines(done))


def test_canaries_are_mutants_that_histories_kill() -> None:
    assert len(CANARIES) > 20


def test_the_time_is_over_before_the_corpus_is(tmp_path: Path) -> None:
    held(Mode.BATCH, tmp_path)
    late = CampaignSession(CampaignRequest(Mode.COVERAGE, tmp_path, REPAIRED, 1, until=0.0))
    hold(late, Here)
    assert (late.run, late.verdict) == (0, Verdict.INCOMPLETE)


def test_equal_seeds_and_corpora_give_equal_rounds() -> None:
    kept: Sequence[CampaignCase] = [
        scenario_case(load("exit-in-drain")),
        history_case(random_history(2, 0).params, random_history(2, 0).operations),
    ]
    assert make_round(5, 0, kept) == make_round(5, 0, kept)
    assert make_round(5, 0, kept) != make_round(5, 1, kept)
    assert make_round(5, 0, kept) != make_round(6, 0, kept)
    assert len({campaign_case.kind for campaign_case in make_round(5, 0, kept)}) == 2


def test_what_is_made_of_two_cases_can_be_run() -> None:
    kept = [scenario_case(load("last-estimator-goes")), scenario_case(load("exit-in-calc-phase"))]
    ran = 0
    for number in range(2):
        for case in make_round(3, number, kept):
            result = run_case("repaired", "", case)
            assert result.new == ()
            ran += not result.unfit
    assert ran >= 5


@pytest.mark.parametrize("revision", ["v7", "mainline", "repaired"])
def test_known_failures_are_none_of_a_session(
    revision: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(running, "BOUNDS", Bounds(1))
    result = run_case(revision, "", scenario_case(load("exit-in-calc-phase")))
    assert result.new == ()
    assert result.broken or revision != "v7"


def test_the_report_has_no_times(tmp_path: Path) -> None:
    one, other = held(Mode.BATCH, tmp_path / "a"), held(Mode.BATCH, tmp_path / "b")
    assert json_report(one) == json_report(other)
    report = json.loads(json_report(one))
    assert report["canary"] == {"mutant": PLANTED, "breaks": "place.start", "histories": 1}
    assert report["corpus"]["added"] == sorted(names(tmp_path / "a"))


def test_the_command_refuses_what_is_no_corpus(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "notes.txt").write_text("mine")
    run = here(capsys, "campaign", "--corpus", tmp_path, "--mode", "coverage")
    assert run.code == 2
    assert run.err == f"Error: {tmp_path / 'notes.txt'}: is no history-... or scenario-...\n"


def test_the_command_says_what_dask_needs(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    case = history_case(random_history(1, 0).params, random_history(1, 0).operations)
    (tmp_path / case.name).write_text(case.text)

    def missing(name: str) -> None:
        raise ModuleNotFoundError(f"No module named {name!r}", name=name)

    monkeypatch.setattr(handout, "import_module", missing)
    run = here(
        capsys, "campaign", "--corpus", tmp_path, "--mode", "coverage", "--dask", "tcp://nowhere:1"
    )
    assert run.code == 2
    assert "--dask: distributed is not installed" in run.err
