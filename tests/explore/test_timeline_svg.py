"""The timeline as a picture: what is in it, and that it is the same each time."""

import re
from itertools import groupby
from pathlib import Path
from xml.etree import ElementTree

import pytest
from click.testing import CliRunner

from ipvs_est import STABLE, V7
from ipvs_est_checks.cli.group import cli, run
from ipvs_est_checks.documents import sections
from ipvs_est_checks.explore.engine.outcome import Bounds
from ipvs_est_checks.explore.failures.token import replay_token, token_from_text, token_text
from ipvs_est_checks.explore.scenarios.scenario import load
from ipvs_est_checks.explore.schedulers.dfs import explore_dfs
from ipvs_est_checks.explore.timeline.picture import MUTEX_COLOURS, timeline_svg
from ipvs_est_checks.explore.timeline.steps import Timeline, timeline
from ipvs_est_checks.explore.timeline.text import timeline_lines

ERRORS = ("--property", "none")

SVG = "{http://www.w3.org/2000/svg}"


@pytest.fixture(scope="module")
def deadlock() -> Timeline:
    scenario = load("restart-in-calc-phase")
    found = explore_dfs(scenario, STABLE, Bounds()).found
    assert found is not None
    return timeline(scenario, STABLE, found.choices)


@pytest.fixture(scope="module")
def picture(deadlock: Timeline) -> ElementTree.Element:
    return ElementTree.fromstring(timeline_svg(deadlock, "title <&>", "about"))


def texts(picture: ElementTree.Element) -> list[str]:
    return [element.text or "" for element in picture.iter(f"{SVG}text")]


def boxes(picture: ElementTree.Element) -> list[ElementTree.Element]:
    return [element for element in picture.iter(f"{SVG}rect") if element.get("rx")]


def test_every_step_and_column_and_who_waits_are_in_the_picture(
    deadlock: Timeline, picture: ElementTree.Element
) -> None:
    written = texts(picture)
    assert "title <&>" in written
    for name in deadlock.columns:
        assert written.count(name) == 1
    numbers = [int(end) for name in written for end in name.split("-") if end.isdigit()]
    assert {1, len(deadlock.steps)} <= set(numbers)
    for step in deadlock.steps:
        verb, _, what = step.action.partition(" ")
        # Accesses in a row share a line.
        shared = verb in ("reads", "writes")
        assert any((what if shared else step.action) in name for name in written)
    waiting = [standing for standing in deadlock.standings if standing.waits_on is not None]
    assert len(waiting) == 2
    for standing in waiting:
        assert standing.does in " ".join(line.strip() for line in written)
        assert standing.function in written


def test_a_run_of_steps_is_one_box_in_its_column(
    deadlock: Timeline, picture: ElementTree.Element
) -> None:
    runs = [column for column, _ in groupby(step.column for step in deadlock.steps)]
    waiting = [standing.column for standing in deadlock.standings if standing.waits_on is not None]
    lefts = [box.get("x") for box in boxes(picture)]
    assert len(lefts) == len(runs) + len(waiting)
    of_column: dict[int, set[str | None]] = {}
    for column, left in zip([*runs, *waiting], lefts, strict=True):
        of_column.setdefault(column, set()).add(left)
    assert all(len(group) == 1 for group in of_column.values())


def test_boxes_do_not_overlap_and_lie_within_the_picture(picture: ElementTree.Element) -> None:
    def number(element: ElementTree.Element, name: str) -> float:
        return float(element.get(name, "nan"))

    bottom = 0.0
    for box in boxes(picture)[:-2]:
        assert number(box, "y") >= bottom
        bottom = number(box, "y") + number(box, "height")
        assert number(box, "x") + number(box, "width") <= number(picture, "width")
    assert bottom <= number(picture, "height")


def test_a_mutex_is_drawn_as_long_as_it_is_held(
    deadlock: Timeline, picture: ElementTree.Element
) -> None:
    held = {name for step in deadlock.steps for name, _ in step.holds}
    assert held == {"__ip_vs_mutex", "est_mutex"}
    assert {MUTEX_COLOURS[name] for name in held} == set(MUTEX_COLOURS.values())
    for name in held:
        # Up to and with the step at whose end it is unlocked.
        owners = [
            step.column if name in step.releases else dict(step.holds).get(name)
            for step in deadlock.steps
        ]
        times = sum(owner is not None for owner, _ in groupby(owners))
        assert times
        legend = 1
        colour = MUTEX_COLOURS[name]
        drawn = [element for element in picture.iter(f"{SVG}rect") if element.get("fill") == colour]
        assert len(drawn) == times + legend


def test_a_failure_that_is_no_deadlock_is_marked_at_its_step() -> None:
    scenario = load("exit-in-calc-phase")
    found = explore_dfs(scenario, V7, Bounds()).found
    assert found is not None
    shown = timeline(scenario, V7, found.choices)
    picture = ElementTree.fromstring(timeline_svg(shown, "t", "a"))
    assert "✗ index-out-of-range" in texts(picture)


def test_the_picture_is_the_same_each_time_and_from_a_token(tmp_path: Path) -> None:
    first, second = tmp_path / "1.svg", tmp_path / "2.svg"
    command = ["explore", "restart-in-calc-phase", "--revision", "stable", "--as-found", *ERRORS]
    assert CliRunner().invoke(cli, [*command, "--svg", str(first)]).exit_code == 1
    scenario = load("restart-in-calc-phase")
    found = explore_dfs(scenario, STABLE, Bounds()).found
    assert found is not None
    token = token_text(scenario, STABLE, found.choices)
    replay = ["explore", "--replay", token, "--svg", str(second)]
    assert CliRunner().invoke(cli, replay).exit_code == 1
    assert first.read_bytes() == second.read_bytes()


def _of_token(finding: str) -> Timeline:
    found = re.search(rf"^{finding} (e3:\S+)$", sections()[finding].text, flags=re.MULTILINE)
    assert found is not None
    token = token_from_text(found[1])
    return replay_token(load(token.scenario), token)


def test_a_picture_of_four_tasks_fits_a_page() -> None:
    for shown in (_of_token("F16"), _of_token("F20")):
        assert len(shown.columns) == 4
        about = "Words that go on and on. " * 20
        picture = ElementTree.fromstring(timeline_svg(shown, "t", about, ("a", "b " * 200)))
        assert float(picture.get("width", "")) <= 1000


def test_a_picture_names_property_finding_and_token(tmp_path: Path) -> None:
    path = tmp_path / "f.svg"
    command = ["explore", "last-estimator-goes", "--revision", "stable", *ERRORS]
    result = CliRunner().invoke(cli, [*command, "--svg", str(path)])
    assert "\n  property: locks.deadlock\n  known as D03d, F17: " in result.output
    lines = texts(ElementTree.fromstring(path.read_text(encoding="utf-8")))
    assert "property: locks.deadlock" in lines
    assert any(line.startswith("known as D03d, F17: ") for line in lines)
    assert f"token: {result.output.split()[-1]}" in lines


def test_no_line_of_a_timeline_is_longer_than_a_terminal_is_wide() -> None:
    for finding in ("F16", "F17", "F18", "F19", "F20", "F27", "F28"):
        shown = _of_token(finding)
        lines = list(timeline_lines(shown))
        assert max(map(len, lines)) <= 120
        text = " ".join(line.strip() for line in lines)
        for step in shown.steps:
            assert step.action.split()[-1].rstrip(",;") in text


def test_nothing_is_drawn_without_a_failure(tmp_path: Path) -> None:
    path = tmp_path / "none.svg"
    command = [
        "explore",
        "last-estimator-goes",
        "--revision",
        "repaired",
        *ERRORS,
        "--svg",
        str(path),
    ]
    result = CliRunner().invoke(cli, command)
    assert result.exit_code == 0
    assert "is not written: there is no failure to draw" in result.output
    assert not path.exists()


def test_a_picture_that_cannot_be_written_is_named(capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["explore", "restart-in-drain", "--svg", "/nowhere/x.svg"]) == 2
    assert "--svg /nowhere/x.svg: No such file or directory" in capsys.readouterr().err
