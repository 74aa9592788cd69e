"""`ipvs-est generate`: files that the other commands take; equal seeds give equal bytes."""

import json
import subprocess
from pathlib import Path

import pytest

from command_line import COMMAND, environment, here
from ipvs_est.replay import Passed, replay
from ipvs_est_checks.explore.scenarios.scenario import scenario_from_text
from ipvs_est_checks.explore.scenarios.strategy import THEMES as SCENARIO_THEMES
from ipvs_est_checks.history.file import read_history
from ipvs_est_checks.machines.netns.themes import THEMES

Capture = pytest.CaptureFixture[str]


def files(directory: Path) -> dict[str, str]:
    return {path.name: path.read_text(encoding="utf-8") for path in sorted(directory.iterdir())}


def test_histories_with_answers_are_traces_that_the_model_reproduces(
    tmp_path: Path, capsys: Capture
) -> None:
    done = here(
        capsys,
        "generate",
        "histories",
        "--seed",
        "3",
        "--count",
        "12",
        "--answers",
        "-o",
        tmp_path / "made",
    )
    assert (done.code, done.out) == (0, f"12 histories in {tmp_path / 'made'}, seed 3\n")
    made = sorted((tmp_path / "made").iterdir())
    assert [path.name for path in made] == [f"history-3-{index:05}.jsonl" for index in range(12)]
    replayed = [replay(path) for path in made]
    assert all(isinstance(outcome, Passed) for outcome in replayed)
    assert sum(outcome.operations for outcome in replayed) > 200


def test_equal_seeds_give_equal_files_and_others_give_others(
    tmp_path: Path, capsys: Capture
) -> None:
    for name, seed in (("a", 5), ("b", 5), ("c", 6)):
        for kind in ("histories", "scenarios"):
            done = here(
                capsys,
                "generate",
                kind,
                "--seed",
                str(seed),
                "--count",
                "4",
                "-o",
                tmp_path / name / kind,
            )
            assert done.code == 0
    for kind in ("histories", "scenarios"):
        first, again, other = (files(tmp_path / name / kind) for name in "abc")
        assert first == again
        assert set(first.values()).isdisjoint(other.values())


def test_without_answers_a_history_is_input_of_the_oracle(tmp_path: Path, capsys: Capture) -> None:
    done = here(capsys, "generate", "histories", "--seed", "9", "--count", "1", "-o", tmp_path)
    assert done.code == 0
    (file,) = tmp_path.iterdir()
    lines = [json.loads(line) for line in file.read_text(encoding="utf-8").splitlines()]
    assert not any("result" in line for line in lines)
    assert len(read_history(file).operations) == len(lines) - 1 > 3
    done_there = subprocess.run(
        [*COMMAND, "oracle"],
        input=file.read_text(encoding="utf-8"),
        env=environment(),
        capture_output=True,
        text=True,
        check=True,
    )
    answered = done_there.stdout.splitlines()
    assert len(answered) == 1 + len(lines)
    assert not any('"error"' in line for line in answered)


@pytest.mark.parametrize("theme", THEMES)
def test_each_theme_works_on_a_machine_of_ones_own(
    theme: str, tmp_path: Path, capsys: Capture
) -> None:
    params = '{"hz":100,"nticks":5,"chain_factor":3,"possible_cpus":2,"est_cost_ns":23751}'
    done = here(
        capsys,
        "generate",
        "histories",
        "--seed",
        "1",
        "--count",
        "3",
        "--theme",
        theme,
        "--params",
        params,
        "-o",
        tmp_path,
    )
    assert done.code == 0, done.err
    for file in tmp_path.iterdir():
        assert read_history(file).header.params.nticks == 5


def test_scenarios_are_those_of_the_explorer(tmp_path: Path, capsys: Capture) -> None:
    done = here(capsys, "generate", "scenarios", "--seed", "3", "--count", "5", "-o", tmp_path)
    assert done.code == 0
    made = files(tmp_path)
    assert len(made) == 5
    for name, text in made.items():
        assert scenario_from_text(name, text).actors


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (("--params", '{"hz":0}'), "Error: --params: params.hz: 0 is not in 1..100000\n"),
        (("--params", "["), "Error: --params: not JSON: Expecting value at column 2\n"),
        (("--params", '{"h":1}'), "Error: --params: params.h: unknown field\n"),
    ],
)
def test_bad_input_is_one_line_and_leaves_nothing(
    options: tuple[str, ...], message: str, tmp_path: Path, capsys: Capture
) -> None:
    done = here(capsys, "generate", "histories", *options, "-o", tmp_path / "made")
    assert (done.code, done.out, done.err) == (2, "", message)
    assert not (tmp_path / "made").exists()


@pytest.mark.parametrize("theme", SCENARIO_THEMES)
def test_scenarios_are_of_the_theme_the_size_and_the_machine_that_are_asked_for(
    theme: str, tmp_path: Path, capsys: Capture
) -> None:
    options = ("--seed", "4", "--count", "6", "-o", tmp_path, "--theme", theme, "--tasks", "1")
    geometry = ("--params", '{"hz": 100, "nticks": 5, "possible_cpus": 2}')
    done = here(capsys, "generate", "scenarios", *options, *geometry)
    assert (done.code, done.out) == (0, f"6 scenarios in {tmp_path}, seed 4\n")
    task = {"control": "CTL0", "sysctls": "SYSCTL0", "packets": "PACKETS0", "readers": "READER0"}
    for text in files(tmp_path).values():
        made = scenario_from_text("made", text)
        assert (made.params.hz, made.params.nticks, made.params.possible_cpus) == (100, 5, 2)
        names = [actor.name for actor in made.actors]
        assert task.get(theme, "EXIT") in names
        assert len(set(names) - {"EXIT"}) == 1


def test_a_theme_that_the_machine_cannot_have_is_refused(tmp_path: Path, capsys: Capture) -> None:
    options = ("--theme", "sysctls", "--params", '{"sysctl": false}', "-o", tmp_path)
    refused = here(capsys, "generate", "scenarios", *options)
    expected = "Error: --theme sysctls: --params has none: sysctl is false\n"
    assert (refused.code, refused.err) == (2, expected)


def test_an_option_before_what_is_made_is_told_where_it_goes(capsys: Capture) -> None:
    refused = here(capsys, "generate", "--seed", "3", "histories")
    assert refused.code == 2
    assert refused.err.startswith("Error: No such option")
    assert refused.err.endswith(" Options go behind histories or scenarios.\n")
