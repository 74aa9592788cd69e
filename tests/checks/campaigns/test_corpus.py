"""A corpus is a set of files: merging two is a union, in whatever way the files are copied."""

import shutil
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ipvs_est import Params
from ipvs_est.language.input_error import InputError
from ipvs_est.language.operations import Advance, InitNetns
from ipvs_est_checks.campaign.case import (
    CampaignCase,
    history_case,
    history_of,
    scenario_case,
    scenario_of,
)
from ipvs_est_checks.campaign.corpus import FAILING, Corpus, add_case, read_corpus, union
from ipvs_est_checks.explore.scenarios.scenario import load
from ipvs_est_checks.explore.scenarios.strategy import scenarios

HISTORIES = tuple(history_case(Params(), (InitNetns(), Advance(number))) for number in range(1, 6))
SCENARIOS = tuple(scenario_case(load(name)) for name in ("exit-in-drain", "restart-in-drain"))

cases = st.frozensets(st.sampled_from(HISTORIES + SCENARIOS))
corpora = st.builds(Corpus, cases, cases)


@settings(deadline=None)
@given(corpora, corpora, corpora)
def test_a_union_does_not_depend_on_order_or_repetition(
    one: Corpus, other: Corpus, third: Corpus
) -> None:
    assert union(one, other) == union(other, one)
    assert union(union(one, other), third) == union(one, union(other, third))
    assert union(one, one) == one
    assert union(union(one, other), other) == union(one, other)
    assert union(one, Corpus()) == one


@settings(deadline=None)
@given(corpora)
def test_failing_cases_come_first_and_each_case_once(corpus: Corpus) -> None:
    order = corpus.in_order()
    assert set(order[: len(corpus.failing)]) == corpus.failing
    assert len(order) == len(set(order)) == len(corpus.failing | corpus.others)


@settings(max_examples=25, deadline=None)
@given(corpora, corpora)
def test_copying_files_is_the_union(one: Corpus, other: Corpus) -> None:
    with TemporaryDirectory() as folder:
        first, second = Path(folder, "first"), Path(folder, "second")
        written(first, one)
        written(second, other)
        assert read_corpus(first) == one
        for _ in range(2):
            shutil.copytree(second, first, dirs_exist_ok=True)
            assert read_corpus(first) == union(one, other)
        shutil.copytree(first, second, dirs_exist_ok=True)
        assert read_corpus(second) == read_corpus(first)


def written(directory: Path, corpus: Corpus) -> None:
    directory.mkdir()
    for campaign_case in corpus.failing:
        add_case(directory, campaign_case, failing=True)
    for other in corpus.others:
        add_case(directory, other, failing=False)


@settings(max_examples=20, deadline=None)
@given(st.data())
def test_a_case_says_what_it_was_made_of(data: st.DataObject) -> None:
    scenario = data.draw(scenarios())
    case = scenario_case(scenario)
    again = scenario_of(case)
    assert (again.params, again.setup, again.actors, again.jiffies) == (
        scenario.params,
        scenario.setup,
        scenario.actors,
        scenario.jiffies,
    )
    assert scenario_case(again) == case
    params, operations = history_of(HISTORIES[0])
    assert history_case(params, operations) == HISTORIES[0]


def test_a_file_that_is_not_what_its_name_says_is_refused(tmp_path: Path) -> None:
    case = HISTORIES[0]
    add_case(tmp_path, case, failing=True)
    file = tmp_path / FAILING / case.name
    file.write_text(case.text.replace('"n":1', '"n":7'))
    assert refusal(tmp_path) == f"{file}: its content is not what its name says: changed or cut off"
    file.unlink()
    (tmp_path / "notes.txt").write_text("mine")
    assert refusal(tmp_path).endswith("notes.txt: is no history-... or scenario-...")
    (tmp_path / "notes.txt").unlink()
    wrong = CampaignCase(case.kind, case.text.replace('"init"', '"inti"'))
    add_case(tmp_path, wrong, failing=False)
    assert f"{wrong.name}: op: " in refusal(tmp_path)
    (tmp_path / wrong.name).write_bytes(b"\xff")
    assert "is not UTF-8" in refusal(tmp_path)


def refusal(directory: Path) -> str:
    with pytest.raises(InputError) as caught:
        read_corpus(directory)
    return str(caught.value)


def test_what_git_and_editors_leave_is_passed_over(tmp_path: Path) -> None:
    (tmp_path / ".git").mkdir()
    (tmp_path / "README.md").write_text("about")
    assert read_corpus(tmp_path) == Corpus()
    assert read_corpus(tmp_path / "none") == Corpus()
